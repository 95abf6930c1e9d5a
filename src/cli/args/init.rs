//! `dibump init`.

use std::path::PathBuf;

use clap::Args;

use super::Reach;

/// `dibump init`.
#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    /// Only values files at or below these paths
    pub(in crate::cli) paths: Vec<String>,
    /// The path of the project at its forge, where `origin` does not say it
    #[arg(long, value_name = "GROUP/PROJECT")]
    pub(in crate::cli) project: Option<String>,
    /// Print the files instead of writing them
    #[arg(long)]
    pub(in crate::cli) print: bool,
    /// Open a merge request (pull request) that adds the files, with the token that `run` uses, and write nothing to the
    /// checkout. An open one is updated; one that a person closed stays closed
    #[arg(long)]
    pub(in crate::cli) merge_request: bool,
    /// Leave out the first plan, and so every request to a registry
    #[arg(long)]
    pub(in crate::cli) offline: bool,
    /// Take the releases of the first plan from a file (`releases --format json`) instead of a registry
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    pub(in crate::cli) observed: Vec<PathBuf>,
    /// Assume what is likely instead of asking
    #[arg(short, long)]
    pub(in crate::cli) yes: bool,
    /// Which registry the images are in, where the files do not say it, and how it is spoken to
    #[command(flatten)]
    pub(in crate::cli) reach: Reach,
}
