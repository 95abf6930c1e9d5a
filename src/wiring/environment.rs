//! The process's surroundings, read once: everything else takes them as a value.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::WiringError;

/// The variable that says when the command begins, so that a decision can be made as of another time. It is for tests.
const NOW: &str = "DIBUMP_NOW";

/// Environment variables and the time at the start.
#[derive(Clone)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// When the command began.
    pub now: Timestamp,
    /// How far this clock is ahead of the machine's.
    ahead: SignedDuration,
}

/// `DIBUMP_NOW` is not a time.
#[derive(Debug, thiserror::Error)]
#[error("invalid time `{0}` in {NOW}: expected something like 2026-05-04T03:02:01Z")]
pub struct InvalidNow(String);

impl Environment {
    /// Variables and time as somebody gives them.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>, now: Timestamp) -> Self {
        Self { variables: variables.into_iter().collect(), now, ahead: SignedDuration::ZERO }
    }

    /// The environment of this process. Variables that are not UTF-8 are left out.
    ///
    /// # Errors
    /// `DIBUMP_NOW` is set, and not to a time.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads environment and clock")]
    pub fn of_process() -> Result<Self, InvalidNow> {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let found = Self::new(std::env::vars_os().filter_map(text), Timestamp::now());
        match found.get(NOW) {
            None => Ok(found),
            Some(text) => {
                let now: Timestamp = text.parse().map_err(|_| InvalidNow(text))?;
                Ok(Self { now, ahead: now.duration_since(found.now), ..found })
            }
        }
    }

    /// The same at another time, for whoever lives longer than one command.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self { now, ..self.clone() }
    }

    /// What time it is by now. A time that was given moves on, too.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads environment and clock")]
    pub fn clock(&self) -> Timestamp {
        Timestamp::now().checked_add(self.ahead).unwrap_or(Timestamp::MAX)
    }

    /// A variable without the blanks and line ends around it, which come along when a secret is pasted or read from a
    /// file; an empty one counts as not set, as CI systems set them.
    pub fn get(&self, name: &str) -> Option<String> {
        let value = self.variables.get(name)?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Where the cache is unless a folder is named: the user's folder for such things. In a pipeline it would not be kept,
    /// and some other job of that user might find it.
    pub fn cache_dir(&self) -> Option<PathBuf> {
        let absolute = |path: String| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
        let own = self.get("XDG_CACHE_HOME").and_then(absolute);
        let usual = || self.get("HOME").and_then(absolute).map(|home| home.join(".cache"));
        let is_pipeline = self.get("CI").is_some();
        own.or_else(usual).filter(|_| !is_pipeline).map(|folder| folder.join("dibump"))
    }

    /// A variable that the configuration names.
    pub(super) fn required(&self, name: &str) -> Result<String, WiringError> {
        let reason = "is not set; the configuration names it";
        self.get(name).ok_or_else(|| WiringError::Variable { variable: name.to_owned(), reason })
    }
}

impl std::fmt::Debug for Environment {
    /// Values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}
