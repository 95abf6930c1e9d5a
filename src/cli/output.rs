//! stdout is data, stderr is for people. A reader that goes away (`plan | head`) ends the output quietly.

use std::io::Write;

use anstream::{AutoStream, ColorChoice};

use super::args::Color;

/// Where text goes, and whether in colour.
#[derive(Clone)]
pub(super) struct Output {
    choice: ColorChoice,
}

impl Output {
    pub(super) fn new(color: Color) -> Self {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self { choice }
    }

    /// Prints data.
    pub(super) fn print(&self, text: &str) {
        let mut stdout = AutoStream::new(std::io::stdout(), self.choice).lock();
        if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            tracing::debug!(%error, "nobody reads the output");
        }
    }

    /// Prints JSON.
    pub(super) fn json(&self, value: &impl serde::Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.print(&(text + "\n")),
            Err(error) => self.complain(&format!("error: {error}\n")),
        }
    }

    /// Prints something for people.
    pub(super) fn complain(&self, text: &str) {
        let mut stderr = AutoStream::new(std::io::stderr(), self.choice).lock();
        if let Err(error) = stderr.write_all(text.as_bytes()) {
            tracing::debug!(%error, "nobody reads the errors");
        }
    }
}
