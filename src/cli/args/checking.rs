//! `dibump check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{FileOutput, TargetFileArgs, output};

/// `dibump check`.
#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArgs {
    /// More values files, each checked by itself
    #[arg(index = 2, value_name = "VALUES", requires = "values")]
    pub(in crate::cli) more: Vec<PathBuf>,
    /// The files of one deployment, checked as Helm merges them: the chart's own first, then those that override it
    #[arg(short = 'f', long = "values", value_name = "FILE", conflicts_with_all = ["values", "references", "fix"])]
    pub(in crate::cli) deployment: Vec<PathBuf>,
    /// How severe a kind of finding is: ID=error, ID=warn or ID=off
    #[arg(long, value_name = "ID=SEVERITY", value_parser = crate::check::severity_setting)]
    pub(in crate::cli) severity: Vec<(crate::check::Id, Option<crate::check::Severity>)>,
    /// Fix what has one safe answer: a dead key whose series has one artifact, a key written twice with the same value
    #[arg(long)]
    pub(in crate::cli) fix: bool,
    /// The form of the output
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: CheckFormat,
    /// Also write a report to a file, in the form of --format or another one (`sarif=check.sarif`)
    #[arg(long, value_name = "[FORMAT=]FILE", value_parser = output::<CheckFormat>)]
    pub(in crate::cli) output: Vec<FileOutput<CheckFormat>>,
    /// Exit with 0 whatever is found
    #[arg(long)]
    pub(in crate::cli) exit_zero: bool,
    /// The files
    #[command(flatten)]
    pub(in crate::cli) files: TargetFileArgs,
}

/// The forms of a check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CheckFormat {
    /// For people, with the lines of the file
    #[default]
    Text,
    /// For programs; the shape is documented and versioned
    Json,
    /// GitLab's report of code quality
    CodeQuality,
    /// SARIF 2.1.0, as GitHub reads it
    Sarif,
    /// JUnit XML
    Junit,
    /// A table for a comment
    Markdown,
}
