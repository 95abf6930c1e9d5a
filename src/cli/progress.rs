//! Progress, on a terminal only: how many requests were answered, since that is what takes the time.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Context;
use crate::http::Transport;

/// A line on stderr that goes away with this value.
pub(super) struct Progress(Option<(ProgressBar, tokio::task::JoinHandle<()>)>);

impl Progress {
    /// Begins to show what `transport` has done.
    pub(super) fn start(context: &Context, transport: &Transport) -> Self {
        if context.global.quiet || context.global.verbose > 0 || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        let (shown, transport) = (bar.clone(), transport.clone());
        let ticking = tokio::spawn(async move {
            loop {
                let answered: u64 = transport.requests().values().sum();
                shown.set_message(format!("looking up releases: {answered} requests"));
                shown.tick();
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        Self(Some((bar, ticking)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((bar, ticking)) = self.0.take() {
            ticking.abort();
            bar.finish_and_clear();
        }
    }
}
