//! First visits in real Chromium against the real server, with one worker that makes keys and with two: what a person waits for, and
//! what the server holds.

use cipherformer_tests::{chromium::Chromium, proxy::Proxy, server::Server};
use std::{error::Error, io, time::Duration};

const PATIENCE: Duration = Duration::from_secs(300);

/// A step of the page, and what it is called in the table.
const STEPS: [(&str, &str); 6] = [
    ("keys", "evaluation keys made"),
    ("upload", "evaluation keys sent, meanwhile"),
    ("encrypt", "picture encrypted"),
    ("compute", "computed on the server"),
    ("decrypt", "answer decrypted"),
    ("answer", "from the press of the button to the answer"),
];

/// Keeps the seconds that the worker reports with each step.
const LISTEN: &str = "
    window.took = {};
    const Plain = Worker;
    window.Worker = class extends Plain {
        constructor(...given) {
            super(...given);
            this.addEventListener('message', ({ data }) => {
                if (data.type === 'step' && data.state === 'done') took[data.id] = data.detail?.took;
                if (data.type === 'answer') Object.assign(took, { answer: data.seconds, memory: data.memory });
            });
        }
    };";

/// On a machine of one core one worker makes the keys.
const ONE_CORE: &str = "Object.defineProperty(navigator, 'hardwareConcurrency', { value: 1 });";

/// What one visit took.
struct Visit {
    /// Seconds, in the order of [`STEPS`].
    seconds: Vec<f64>,
    /// Bytes that the page sent, and those of all its WebAssembly.
    sent: f64,
    wasm: f64,
    /// The server's memory with one key set, in MiB: at most, and now.
    server: (f64, f64),
}

pub fn run() -> Result<(), Box<dyn Error>> {
    let (one, two) = (visit(ONE_CORE)?, visit("")?);
    println!("a first visit in Chromium, this machine's loopback\n");
    println!("| milliseconds | one worker makes keys | two workers |\n|---|---|---|");
    for (i, (_, name)) in STEPS.iter().enumerate() {
        let milliseconds = |visit: &Visit| visit.seconds[i] * 1e3;
        println!(
            "| {name} | {:.0} | {:.0} |",
            milliseconds(&one),
            milliseconds(&two)
        );
    }
    println!(
        "| wasm memory of all workers, MB | {:.1} | {:.1} |",
        one.wasm / 1e6,
        two.wasm / 1e6
    );
    println!(
        "\nkeys are made {:.2} times as fast by two workers",
        one.seconds[0] / two.seconds[0]
    );
    let (peak, now) = two.server;
    println!(
        "sent by the page: {:.1} MB; server with one key set: {now:.0} MiB resident, peak {peak:.0} MiB\n",
        two.sent / 1e6
    );
    Ok(())
}

fn visit(script: &str) -> Result<Visit, Box<dyn Error>> {
    let server = Server::start()?;
    let proxy = Proxy::start(server.address())?;
    let mut page = Chromium::start(proxy.address())?;
    let address = format!("http://{}/", server.address());
    page.open(&address, &[LISTEN, script].concat())?;
    page.wait_for("document.querySelectorAll('.sample').length >= 8", PATIENCE)?;
    page.evaluate("document.querySelector('#gallery input').click()")?;
    page.wait_for("!document.querySelector('#classify').disabled", PATIENCE)?;
    page.evaluate("document.querySelector('#classify').click()")?;
    page.wait_for("took.answer", PATIENCE)?;
    let mut number = |name: &str| -> io::Result<f64> {
        let value = page.evaluate(&format!("took.{name}"))?;
        value
            .as_f64()
            .ok_or_else(|| io::Error::other(format!("the page reports no {name}")))
    };
    let seconds = STEPS
        .iter()
        .map(|(step, _)| number(step))
        .collect::<Result<_, _>>()?;
    let wasm = number("memory")?;
    let bodies = proxy.recorded();
    Ok(Visit {
        seconds,
        sent: bodies.iter().map(|request| request.body.len() as f64).sum(),
        wasm,
        server: crate::machine::resident(server.id()),
    })
}
