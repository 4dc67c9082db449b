//! Progress on the standard error: one changing line on a terminal, one line per stage in a log.

use std::io::{IsTerminal, Write, stderr};

use protocol::events::Progress;

/// Longest stage name shown; it comes from the server.
const STAGE: usize = 40;

/// The progress of one piece of work. What stands on the changing line is wiped at the end.
pub struct Ticker {
    terminal: bool,
    stage: String,
}

impl Default for Ticker {
    fn default() -> Self {
        Self {
            terminal: stderr().is_terminal(),
            stage: String::new(),
        }
    }
}

impl Ticker {
    /// Shows how far a stage is.
    pub fn step(&mut self, stage: &str, text: &str) {
        if self.terminal {
            eprint!("\r\x1b[K{stage}: {text}");
            // Progress that cannot be shown is no reason to stop.
            let _ = stderr().flush();
        } else if stage != self.stage {
            eprintln!("{stage}");
        }
        stage.clone_into(&mut self.stage);
    }

    /// Shows how far an inference is.
    pub fn progress(&mut self, progress: &Progress) {
        // A server must not be able to write control sequences to the terminal.
        let stage: String = progress
            .layer
            .chars()
            .filter(|letter| !letter.is_control())
            .take(STAGE)
            .collect();
        self.progress_of(&stage, progress);
    }

    /// Shows how far an inference is, without its stages.
    pub fn progress_of(&mut self, stage: &str, progress: &Progress) {
        let percent =
            progress.done.min(progress.total) as f64 * 100.0 / progress.total.max(1) as f64;
        let left = progress.eta_ms.map_or_else(String::new, |eta| {
            format!(", {} s left", eta.div_ceil(1000))
        });
        self.step(stage, &format!("{percent:.0} %{left}"));
    }

    /// Leaves a line behind.
    pub fn note(&mut self, text: &str) {
        self.wipe();
        eprintln!("{text}");
    }

    fn wipe(&mut self) {
        if self.terminal && !self.stage.is_empty() {
            eprint!("\r\x1b[K");
        }
        self.stage.clear();
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.wipe();
    }
}
