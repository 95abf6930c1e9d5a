//! Checkouts of git: what they track, where they come from, and where a file stands in one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ending::{Ending, Ends};

/// A tracked file that is larger is left out.
const MAX_BYTES: u64 = 5 << 20;

/// What a checkout tracks.
#[derive(Debug, Clone, Default)]
pub struct Tracked {
    /// The paths of all regular files, from the top.
    pub paths: BTreeSet<String>,
    /// The bytes of those that were wanted.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Those that were wanted and are too large, or cannot be read, each with the reason.
    pub left_out: Vec<String>,
    /// The address of the remote `origin`.
    pub origin: Option<String>,
}

/// Why nothing can be said of a checkout.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// Git could not be started.
    #[error("couldn't run git")]
    NoGit(#[source] std::io::Error),
    /// Git refuses.
    #[error("git {command}: {said}")]
    Git {
        /// What it was asked.
        command: &'static str,
        /// What it said.
        said: String,
    },
    /// The working directory is below the top of the checkout.
    #[error("{} is a folder of a checkout, and paths are relative to its top", .here.display())]
    NotTheTop {
        /// The working directory.
        here: PathBuf,
        /// The top.
        top: PathBuf,
    },
}

impl Ends for CheckoutError {
    fn ending(&self) -> Ending {
        match self {
            Self::NoGit(_) | Self::Git { .. } | Self::NotTheTop { .. } => Ending::Person,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoGit(_) => Some("install git".to_owned()),
            Self::Git { .. } => Some("run in the checkout of a repository".to_owned()),
            Self::NotTheTop { top, .. } => Some(format!("run in {}", top.display())),
        }
    }
}

/// What the checkout of the working directory tracks. Of symbolic links and submodules nothing is read.
///
/// # Errors
/// Git is missing or refuses, or the working directory is not the top of a checkout.
pub fn tracked(wanted: impl Fn(&str) -> bool) -> Result<Tracked, CheckoutError> {
    let top = PathBuf::from(git("rev-parse", &["--show-toplevel"])?.trim_end());
    let here = std::fs::canonicalize(".").unwrap_or_default();
    if std::fs::canonicalize(&top).is_ok_and(|top| top != here) {
        return Err(CheckoutError::NotTheTop { here, top });
    }
    let mut tracked = Tracked { origin: origin(), ..Tracked::default() };
    for entry in git("ls-files", &["--stage", "-z"])?.split('\0') {
        // `100644 <object> <stage>\t<path>`; a conflict lists a file several times.
        let Some((mode, path)) = entry.split_once('\t') else { continue };
        if mode.starts_with("100") && tracked.paths.insert(path.to_owned()) && wanted(path) {
            match super::regular::read(Path::new(path), MAX_BYTES) {
                Ok(bytes) => drop(tracked.files.insert(path.to_owned(), bytes)),
                Err(error) => tracked.left_out.push(format!("{path}: {error}")),
            }
        }
    }
    Ok(tracked)
}

/// The name of the working directory.
pub fn folder_name() -> Option<String> {
    std::fs::canonicalize(".").ok()?.file_name()?.to_str().map(str::to_owned)
}

fn origin() -> Option<String> {
    let address = git("remote", &["get-url", "origin"]).ok()?;
    Some(address.trim().to_owned()).filter(|address| !address.is_empty())
}

/// What git says. A hook that the checkout's own settings name is not run.
fn git(command: &'static str, arguments: &[&str]) -> Result<String, CheckoutError> {
    let output = Command::new("git").args(["-c", "core.fsmonitor=false", command]).args(arguments).output();
    let output = output.map_err(CheckoutError::NoGit)?;
    match output.status.success() {
        // A path that is not UTF-8 matches nothing.
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let said =
                String::from_utf8_lossy(&output.stderr).trim().trim_start_matches("fatal: ").to_owned();
            Err(CheckoutError::Git { command, said })
        }
    }
}

/// The path by which a patch names a file, so that `git apply` finds it: from the working directory where the file is below
/// it, else from the top of the file's checkout, and outside of any checkout from the file's own folder.
pub fn path_in_patch(path: &Path) -> PathBuf {
    let Ok(file) = std::fs::canonicalize(path) else { return path.to_owned() };
    let here = std::fs::canonicalize(".").ok().filter(|here| file.starts_with(here));
    let top = || file.ancestors().skip(1).find(|folder| folder.join(".git").exists());
    let from = here.as_deref().or_else(top).or(file.parent());
    from.and_then(|from| file.strip_prefix(from).ok()).unwrap_or(&file).to_owned()
}
