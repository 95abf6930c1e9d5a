//! The log on stderr.

use std::fmt;
use std::io::IsTerminal as _;

use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, format};
use tracing_subscriber::registry::LookupSpan;

use super::args::{Global, LogFormat};
use crate::http::WAITS;
use crate::release::one_line;

/// Starts the log. Warnings are shown unless `--quiet`, waits only to people at a terminal; each request with `-v`, the
/// headers of answers with `-vv`, and what the libraries log with `-vvv`.
pub(super) fn start(global: &Global) {
    let filter = match (global.quiet, global.verbose) {
        (true, _) => "off".to_owned(),
        (false, 0) if std::io::stderr().is_terminal() => "off,dibump=warn".to_owned(),
        (false, 0) => format!("off,dibump=warn,{WAITS}=off"),
        (false, 1) => "off,dibump=debug".to_owned(),
        (false, 2) => "off,dibump=trace".to_owned(),
        (false, _) => "debug,dibump=trace".to_owned(),
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
