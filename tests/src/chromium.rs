//! Real Chromium, driven over its debugging protocol.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// How long a single answer of the browser may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Programs that speak the protocol, in the order of preference; `$CHROMIUM` comes first.
const PROGRAMS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// A headless browser with one open page. It ends with this value.
#[derive(Debug)]
pub struct Chromium {
    process: Child,
    profile: PathBuf,
    socket: WebSocket<TcpStream>,
    // The page's debugging session; the browser's own until there is a page.
    session: Option<String>,
    last: u64,
}

impl Chromium {
    /// Starts a browser with an empty profile and opens a page whose every connection goes through `proxy`.
    pub fn start(proxy: SocketAddr) -> io::Result<Self> {
        Self::start_with(proxy, &[])
    }

    /// As [`Chromium::start`], with more command line flags.
    pub fn start_with(proxy: SocketAddr, flags: &[&str]) -> io::Result<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("cipherformer-chromium-{}-{number}", std::process::id());
        let profile = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&profile);
        fs::create_dir_all(&profile)?;
        let process = launch(&profile, flags)?;
        let mut starting = Starting {
            process: Some(process),
            profile: profile.clone(),
        };
        let socket = connect(&profile)?;
        let process = starting
            .process
            .take()
            .ok_or_else(|| io::Error::other("the browser is gone"))?;
        let mut browser = Self {
            process,
            profile,
            socket,
            session: None,
            last: 0,
        };
        browser.open_context(proxy)?;
        for domain in ["Page.enable", "Runtime.enable", "DOM.enable"] {
            browser.call(domain, json!({}))?;
        }
        Ok(browser)
    }

    // A context of its own, as a private window is one: its proxy gets what pages and their workers send, and nothing of what
    // the browser asks on its own account.
    fn open_context(&mut self, proxy: SocketAddr) -> io::Result<()> {
        let context = self.call(
            "Target.createBrowserContext",
            json!({ "proxyServer": format!("http://{proxy}"), "proxyBypassList": "<-loopback>" }),
        )?;
        let target = self.call(
            "Target.createTarget",
            json!({ "url": "about:blank", "browserContextId": context["browserContextId"] }),
        )?;
        let attached = self.call(
            "Target.attachToTarget",
            json!({ "targetId": target["targetId"], "flatten": true }),
        )?;
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        Ok(())
    }

    /// Calls a method of the page's debugging session and returns its result.
    pub fn call(&mut self, method: &str, parameters: Value) -> io::Result<Value> {
        self.last += 1;
        let mut request = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            request["sessionId"] = json!(session);
        }
        self.socket
            .send(Message::text(request.to_string()))
            .map_err(io::Error::other)?;
        loop {
            let answer = self.socket.read().map_err(io::Error::other)?;
            let Message::Text(text) = answer else {
                continue;
            };
            let answer: Value = serde_json::from_str(&text)?;
            if answer["id"] != json!(self.last) {
                continue;
            }
            if let Some(error) = answer.get("error") {
                return Err(io::Error::other(format!("{method}: {error}")));
            }
            return Ok(answer["result"].clone());
        }
    }

    /// Opens `url`, with `script` run in the page before any of the page's own.
    pub fn open(&mut self, url: &str, script: &str) -> io::Result<()> {
        self.call(
            "Page.addScriptToEvaluateOnNewDocument",
            json!({ "source": script }),
        )?;
        self.call("Page.navigate", json!({ "url": url }))?;
        Ok(())
    }

    /// The value of a JavaScript expression in the page.
    pub fn evaluate(&mut self, expression: &str) -> io::Result<Value> {
        let result = self.call(
            "Runtime.evaluate",
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true }),
        )?;
        match result.get("exceptionDetails") {
            Some(details) => Err(io::Error::other(format!("{expression}: {details}"))),
            None => Ok(result["result"]["value"].clone()),
        }
    }

    /// Waits until `expression` is truthy in the page, and returns its value.
    pub fn wait_for(&mut self, expression: &str, limit: Duration) -> io::Result<Value> {
        let began = Instant::now();
        while began.elapsed() < limit {
            let value = self.evaluate(expression)?;
            if value.as_bool() != Some(false) && !value.is_null() && value != json!("") {
                return Ok(value);
            }
            thread::sleep(Duration::from_millis(100));
        }
        let page = self.evaluate("document.body.innerText")?;
        Err(io::Error::other(format!(
            "{expression} did not come true within {limit:?}; the page says:\n{page}"
        )))
    }

    /// Loads the page anew, as a person does.
    pub fn reload(&mut self) -> io::Result<()> {
        // Marks the document that goes away, so that nobody takes it for the new one.
        self.evaluate("globalThis.leaving = true")?;
        self.call("Page.reload", json!({}))?;
        self.wait_for(
            "globalThis.leaving === undefined && document.readyState === 'complete'",
            PATIENCE,
        )?;
        Ok(())
    }

    /// Presses a key, such as `Tab`, `Enter`, `ArrowRight` or a space.
    pub fn press(&mut self, key: &str) -> io::Result<()> {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            " " => 32,
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            _ => return Err(io::Error::other(format!("no code for the key {key:?}"))),
        };
        let text = match key {
            "Enter" => "\r",
            " " => " ",
            _ => "",
        };
        for kind in ["keyDown", "keyUp"] {
            self.call(
                "Input.dispatchKeyEvent",
                json!({ "type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code }),
            )?;
        }
        Ok(())
    }

    /// Shows the page in a colour scheme (`light`, `dark`) on a screen of `width`, without motion.
    pub fn look(&mut self, scheme: &str, width: u32) -> io::Result<()> {
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )?;
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false }),
        )?;
        Ok(())
    }

    /// Gives `file` to the file input that `selector` finds, as if a person had picked it.
    pub fn pick_file(&mut self, selector: &str, file: &Path) -> io::Result<()> {
        let document = self.call("DOM.getDocument", json!({}))?;
        let root = &document["root"]["nodeId"];
        let input = self.call(
            "DOM.querySelector",
            json!({ "nodeId": root, "selector": selector }),
        )?;
        self.call(
            "DOM.setFileInputFiles",
            json!({ "nodeId": input["nodeId"], "files": [file] }),
        )?;
        Ok(())
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        end(&mut self.process, &self.profile);
    }
}

// Ends the process also when the browser never came up.
struct Starting {
    process: Option<Child>,
    profile: PathBuf,
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            end(&mut process, &self.profile);
        }
    }
}

fn end(process: &mut Child, profile: &Path) {
    let _ = process.kill();
    let _ = process.wait();
    let _ = fs::remove_dir_all(profile);
}

fn launch(profile: &Path, flags: &[&str]) -> io::Result<Child> {
    let named = std::env::var("CHROMIUM").ok();
    let programs = named
        .iter()
        .map(String::as_str)
        .chain(PROGRAMS.iter().copied());
    for program in programs {
        let mut command = Command::new(program);
        command
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .args([
                "--disable-dev-shm-usage",
                "--remote-debugging-port=0",
                "--remote-allow-origins=*",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            // What the browser asks on its own account ends at a port where nobody listens, and no name is resolved anywhere.
            .arg("--proxy-server=http://127.0.0.1:9")
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
            .args(flags)
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            outcome => return outcome,
        }
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        "no Chromium: run tools/chromium.sh, or name one in $CHROMIUM",
    ))
}

// Chromium writes its debugging port, and the path of its own session, into the profile.
fn connect(profile: &Path) -> io::Result<WebSocket<TcpStream>> {
    let began = Instant::now();
    loop {
        if let Some((port, path)) = debugging_address(profile) {
            let stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let url = format!("ws://127.0.0.1:{port}{path}");
            let (socket, _) = tungstenite::client(url, stream).map_err(io::Error::other)?;
            return Ok(socket);
        }
        if began.elapsed() > PATIENCE {
            let message = "Chromium did not open its debugging port";
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn debugging_address(profile: &Path) -> Option<(u16, String)> {
    let text = fs::read_to_string(profile.join("DevToolsActivePort")).ok()?;
    let (port, path) = text.split_once('\n')?;
    Some((port.parse().ok()?, path.trim().to_owned()))
}
