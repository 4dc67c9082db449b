//! Progress on the standard error: a bar on a terminal, one line per stage in a log.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressStyle};
use protocol::events::Progress;

use crate::report::one_line;

/// Longest stage name shown; it comes from the server.
const STAGE: usize = 40;

const BYTES: &str = "{msg} [{bar:24}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
const WORK: &str = "{msg} [{bar:24}] {percent} %{prefix}";

/// The progress of one piece of work. The bar is wiped at the end.
#[derive(Default)]
pub struct Ticker {
    bar: Option<ProgressBar>,
    stage: String,
}

impl Ticker {
    /// Shows how much of an upload is done.
    pub fn bytes(&mut self, stage: &str, text: &str, done: u64, total: u64) {
        if let Some(bar) = self.bar(stage, BYTES) {
            bar.set_length(total);
            bar.set_message(text.to_owned());
            bar.set_position(done);
        }
    }

    /// Shows how far an inference is.
    pub fn progress(&mut self, progress: &Progress) {
        // A server must not be able to write control sequences to the terminal.
        let stage: String = one_line(&progress.layer).chars().take(STAGE).collect();
        self.progress_of(&stage, progress);
    }

    /// Shows how far an inference is, without its stages.
    pub fn progress_of(&mut self, stage: &str, progress: &Progress) {
        if let Some(bar) = self.bar(stage, WORK) {
            let left = progress.eta_ms.map_or_else(String::new, |eta| {
                format!(", {} s left", eta.div_ceil(1000))
            });
            bar.set_length(progress.total.max(1));
            bar.set_message(stage.to_owned());
            bar.set_prefix(left);
            bar.set_position(progress.done.min(progress.total));
        }
    }

    /// Leaves a line behind.
    pub fn note(&mut self, text: &str) {
        self.wipe();
        eprintln!("{text}");
    }

    fn bar(&mut self, stage: &str, template: &str) -> Option<&ProgressBar> {
        if !stderr().is_terminal() {
            if stage != self.stage {
                eprintln!("{stage}");
                stage.clone_into(&mut self.stage);
            }
            return None;
        }
        Some(self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template(template);
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(1).with_style(style.progress_chars("=> "))
        }))
    }

    fn wipe(&mut self) {
        self.stage.clear();
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.wipe();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bars_can_be_drawn() {
        for template in [BYTES, WORK] {
            ProgressStyle::with_template(template).unwrap();
        }
    }
}
