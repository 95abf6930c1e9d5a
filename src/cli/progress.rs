//! Progress, on a terminal only: how many requests were answered, or how much was downloaded, since that is what takes the
//! time.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Context;
use crate::http::Transport;
use crate::release::Size;

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
                shown.set_message(message(&transport, shown.elapsed()));
                shown.tick();
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        Self(Some((bar, ticking)))
    }
}

/// How far it is: images are told by their bytes, and everything else by requests.
fn message(transport: &Transport, elapsed: Duration) -> String {
    match transport.streamed() {
        0 => format!("looking up releases: {} requests", transport.requests().values().sum::<u64>()),
        bytes => format!("downloading: {}, {}/s", Size(bytes), Size(bytes / elapsed.as_secs().max(1))),
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
