//! One image through the real server at the real parameters, with the command a person would type.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Command,
    sync::{Arc, mpsc},
    thread,
};

use client::protocol::ckks::Parameters;
use native_server::{Settings, engine::Engine, serve, vit::VitEngine};

fn start(root: &Path) -> SocketAddr {
    let parameters = Parameters::n15_q630_p237().unwrap();
    let engine = VitEngine::load(&root.join("models/cifar100-vit"), &parameters).unwrap();
    let models: Vec<Arc<dyn Engine>> = vec![Arc::new(engine)];
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let (address, server) = serve(listener, models, Settings::default()).unwrap();
            sender.send(address).unwrap();
            server.await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

#[test]
fn encrypted_evaluation_agrees_with_the_clear_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let images = tempfile::tempdir().unwrap();
    fs::create_dir(images.path().join("apple")).unwrap();
    fs::copy(
        root.join("web/samples/apple.png"),
        images.path().join("apple/1.png"),
    )
    .unwrap();
    let server = format!("http://{}", start(&root));
    let output = Command::new(env!("CARGO_BIN_EXE_cipherformer"))
        .current_dir(&root)
        .args([
            "evaluate",
            "--model",
            "cifar100-vit",
            "--encrypted",
            "--server",
            &server,
            "--images",
        ])
        .arg(images.path())
        .output()
        .unwrap();
    let progress = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{progress}");
    assert!(
        progress.contains("keys") && progress.contains("attention"),
        "{progress}"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&report["n"], &report["agree"]),
        (&1.into(), &1.0.into()),
        "{text}"
    );
    assert!(report["seconds_per_image"].as_f64().unwrap() > 0.0);
    assert!(report["top1"].is_f64() && report["top5"].is_f64());
}
