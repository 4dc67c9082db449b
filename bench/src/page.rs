//! First visits in real Chromium against the real server, with one worker that makes keys and with two: what a person waits for, and
//! what the server holds. Browser, server and the proxy between them share the cores of one machine, so that keys are also made with
//! nothing sent.

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

/// The milliseconds in which so many workers make all keys as the page makes them, but for the sending.
const MAKE: &str = "(async (count) => {
    const modules = ['engine', 'keys', 'makers'].map((name) => import(new URL(`worker/${name}.js`, document.baseURI)));
    const [{ loadEngine }, { sendKeys }, { ownMaker, secondMaker }] = await Promise.all(modules);
    const { models } = await (await fetch('v1/models')).json();
    const { id } = models.find(({ task }) => task === 'classify');
    const manifest = await (await fetch(`v1/models/${id}`)).text();
    const { keys } = JSON.parse(manifest);
    const engine = await loadEngine('simd');
    const seed = crypto.getRandomValues(new Uint8Array(32));
    const session = new engine.Session(manifest, seed.slice());
    const ignore = () => {};
    const began = performance.now();
    await sendKeys({
        indices: [...keys.keys()],
        sizes: keys.map(({ bytes }) => bytes),
        makers: [ownMaker(engine, session), ...(count > 1 ? [await secondMaker(engine, manifest, seed)] : [])],
        upload: async () => {},
        signal: new AbortController().signal,
        report: { making: ignore, made: ignore, sending: ignore, sent: ignore },
    });
    const took = performance.now() - began;
    session.free();
    return took;
})";

/// How often keys are made with nothing sent, by one worker and by two in turns.
const ROUNDS: usize = 5;

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
    let making = make()?;
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
        "| evaluation keys made and nothing sent, median of {ROUNDS} | {:.0} | {:.0} |",
        making[0], making[1],
    );
    println!(
        "| wasm memory of all workers, MB | {:.1} | {:.1} |",
        one.wasm / 1e6,
        two.wasm / 1e6
    );
    println!(
        "\nkeys are made {:.2} times as fast by two workers, {:.2} times while they are sent",
        making[0] / making[1],
        one.seconds[0] / two.seconds[0]
    );
    let (peak, now) = two.server;
    println!(
        "sent by the page: {:.1} MB; server with one key set: {now:.0} MiB resident, peak {peak:.0} MiB\n",
        two.sent / 1e6
    );
    Ok(())
}

/// Median milliseconds of [`MAKE`] with one worker and with two.
fn make() -> Result<[f64; 2], Box<dyn Error>> {
    let server = Server::start()?;
    let proxy = Proxy::start(server.address())?;
    let mut page = Chromium::start(proxy.address())?;
    page.open(&format!("http://{}/", server.address()), "")?;
    page.wait_for("document.querySelectorAll('.sample').length >= 8", PATIENCE)?;
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (workers, took) in (1..).zip(&mut took) {
            let milliseconds = page.evaluate(&format!("{MAKE}({workers})"))?;
            took.push(milliseconds.as_f64().ok_or("no time")?);
        }
    }
    Ok(took.map(|mut took| {
        took.sort_by(f64::total_cmp);
        took[ROUNDS / 2]
    }))
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
