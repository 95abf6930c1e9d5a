//! stdout is data, stderr is for people. A reader that goes away (`plan | head`) ends the output quietly; data that cannot
//! be written is an error.

use std::io::{ErrorKind, Write};

use anstream::{AutoStream, ColorChoice};

use super::args::Color;
use super::failure::Failure;
use crate::report;

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
    pub(super) fn print(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = AutoStream::new(std::io::stdout(), self.choice).lock();
        written(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
    }

    /// Prints JSON.
    pub(super) fn json(&self, value: &impl serde::Serialize) -> Result<(), Failure> {
        self.print(&report::json::text(value).map_err(Failure::person)?)
    }

    /// Prints something for people.
    pub(super) fn complain(&self, text: &str) {
        let mut stderr = AutoStream::new(std::io::stderr(), self.choice).lock();
        if let Err(error) = stderr.write_all(text.as_bytes()) {
            tracing::debug!(%error, "the errors cannot be written");
        }
    }
}

/// What came of writing to stdout.
pub(super) fn written(result: std::io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::person(anyhow::Error::new(error).context("couldn't write the output")))
        }
        _ => Ok(()),
    }
}
