//! The log on stderr.

use tracing_subscriber::EnvFilter;

use super::args::{Global, LogFormat};

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
        LogFormat::Text => builder.with_target(false).without_time().try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    // A second start in one process (a test) keeps the first log.
    drop(started);
}
