//! The command lines of a run: once, and as a daemon.

use clap::{Args, ValueEnum};

use super::{FileOutput, duration, output, pause};
use crate::cli::serve::ListenAddress;
use crate::run::Shard;

/// `dibump run`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Run {
    /// Stop before anything is written
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Only the targets of this project; can be given several times
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) project: Vec<String>,
    /// Only the i-th of n parts of the targets, from 1 [default: as GitLab's `parallel:` or a Kubernetes Job says]
    #[arg(long, value_name = "I/N")]
    pub(in crate::cli) shard: Option<Shard>,
    /// The form of the output
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: RunFormat,
    /// Also write a report to a file, in the form of --format or another one (`markdown=summary.md`)
    #[arg(long, value_name = "[FORMAT=]FILE", value_parser = output::<RunFormat>)]
    pub(in crate::cli) output: Vec<FileOutput<RunFormat>>,
    /// With --dry-run, exit with 10 when an update is pending
    #[arg(long, requires = "dry_run")]
    pub(in crate::cli) detailed_exitcode: bool,
}

/// `dibump serve`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Serve {
    /// Where health, metrics and triggers are served: an address with a port, or unix:PATH
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(in crate::cli) listen: ListenAddress,
    /// Serve over TLS with this certificate (PEM, with the intermediate ones); it is read again when the file changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(in crate::cli) tls_cert: Option<std::path::PathBuf>,
    /// The private key of --tls-cert (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(in crate::cli) tls_key: Option<std::path::PathBuf>,
    /// The least time between the starts of two runs
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = pause)]
    pub(in crate::cli) every: std::time::Duration,
    /// Delay each run by up to this long, so that many daemons do not start at once
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub(in crate::cli) jitter: std::time::Duration,
    /// Stop before anything is written
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Only the i-th of n parts of the targets, from 1
    #[arg(long, value_name = "I/N")]
    pub(in crate::cli) shard: Option<Shard>,
}

/// The forms of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum RunFormat {
    /// For people
    #[default]
    Text,
    /// For programs; the shape is documented and versioned
    Json,
    /// What needs attention, for a job's page: `$GITHUB_STEP_SUMMARY`
    Markdown,
    /// Links to merge requests beside a job, as GitLab's report `annotations`
    Annotations,
    /// Variables for later jobs: GitLab's report `dotenv`, `$GITHUB_OUTPUT`
    Dotenv,
}
