//! The log on stderr.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, format};
use tracing_subscriber::registry::LookupSpan;

use super::args::{Global, LogFormat};
use crate::release::one_line;

/// Starts the log. Warnings are shown unless `--quiet`; what others log is shown from `-vv` on.
pub(super) fn start(global: &Global) {
    let filter = match (global.quiet, global.verbose) {
        (true, _) => "off",
        (false, 0) => "warn",
        (false, 1) => "warn,dibump=debug",
        (false, _) => "debug,dibump=trace",
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(false);
    let started = match global.log_format {
        LogFormat::Text => {
            builder.event_format(OneLine(format().with_target(false).without_time())).try_init()
        }
        LogFormat::Json => builder.json().try_init(),
    };
    // A second start in one process (a test) keeps the first log.
    drop(started);
}

/// An event is one line, whatever a server wrote into it. JSON escapes by itself.
struct OneLine<F>(F);

impl<S, N, F> FormatEvent<S, N> for OneLine<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut text = String::new();
        self.0.format_event(context, Writer::new(&mut text), event)?;
        writeln!(writer, "{}", one_line(text.trim_end()))
    }
}
