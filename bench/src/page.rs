//! A visit in real Chromium against the real server: what a person waits for, and what the server holds.

use cipherformer_tests::{chromium::Chromium, proxy::Proxy, server::Server};
use std::{
    error::Error,
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(300);

pub fn run() -> Result<(), Box<dyn Error>> {
    let server = Server::start()?;
    let proxy = Proxy::start(server.address())?;
    let mut page = Chromium::start(proxy.address())?;
    page.open(&format!("http://{}/", server.address()), "")?;
    page.wait_for("document.querySelectorAll('.sample').length >= 8", PATIENCE)?;
    page.evaluate("document.querySelector('#gallery input').click()")?;
    page.wait_for("!document.querySelector('#classify').disabled", PATIENCE)?;

    println!("page in Chromium, one worker, this machine's loopback\n");
    println!("| what | seconds |\n|---|---|");
    let start = Instant::now();
    page.evaluate("document.querySelector('#classify').click()")?;
    for (step, name) in [
        (1, "evaluation keys made"),
        (2, "and sent"),
        (5, "and the first picture computed"),
    ] {
        let done = format!(
            "document.querySelector('#classify-panel .steps > :nth-child({step})').dataset.state === 'done'"
        );
        page.wait_for(&done, PATIENCE)?;
        println!(
            "| {name}, from the press of the button | {:.1} |",
            start.elapsed().as_secs_f64()
        );
    }
    let answered = "document.querySelector('#answer').dataset.label";
    page.wait_for(answered, PATIENCE)?;
    println!("| first answer | {:.1} |", start.elapsed().as_secs_f64());
    let start = Instant::now();
    page.evaluate("document.querySelector('#classify').click()")?;
    page.wait_for(answered, PATIENCE)?;
    println!(
        "| second answer, keys there | {:.1} |",
        start.elapsed().as_secs_f64()
    );

    let sent: usize = proxy
        .recorded()
        .iter()
        .map(|request| request.body.len())
        .sum();
    let memory = page.evaluate("Number(document.querySelector('#answer').dataset.memory)")?;
    println!(
        "\nsent by the page: {:.1} MB; wasm memory {:.1} MB",
        sent as f64 / 1e6,
        memory.as_f64().unwrap_or(0.0) / 1e6
    );
    let (peak, now) = crate::machine::resident(server.id());
    println!("server with one key set: {now:.0} MiB resident, peak {peak:.0} MiB\n");
    Ok(())
}
