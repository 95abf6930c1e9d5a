//! The log on stderr.

use std::fmt;
use std::io::IsTerminal as _;

use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, format};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::args::{Global, LogFormat};
use crate::http::WAITS;
use crate::release::one_line;

/// Starts the log. Warnings are shown unless `--quiet`, waits only to people at a terminal; each request with `-v`, the
/// headers of answers with `-vv`, and what the libraries log with `-vvv`.
pub(super) fn start(global: &Global) {
    let own = |level| Targets::new().with_target("dibump", level);
    let targets = match (global.quiet, global.verbose) {
        (true, _) => Targets::new(),
        (false, 0) if std::io::stderr().is_terminal() => own(LevelFilter::WARN),
        (false, 0) => own(LevelFilter::WARN).with_target(WAITS, LevelFilter::OFF),
        (false, 1) => own(LevelFilter::DEBUG),
        (false, 2) => own(LevelFilter::TRACE),
        (false, _) => own(LevelFilter::TRACE).with_default(LevelFilter::DEBUG),
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let started = match global.log_format {
        LogFormat::Text => {
            let layer = layer.event_format(OneLine(format().with_target(false).without_time()));
            tracing_subscriber::registry().with(layer.with_filter(targets)).try_init()
        }
        LogFormat::Json => tracing_subscriber::registry().with(layer.json().with_filter(targets)).try_init(),
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
