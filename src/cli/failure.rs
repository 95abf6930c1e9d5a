//! How a command fails: one sentence, one hint, and the exit code.

use std::io::ErrorKind;
use std::path::Path;

use super::exit::Exit;
use crate::ending::{Ending, Ends, sentence};
use crate::release::without_user_info;
use crate::report::{BOLD, CYAN, RED, paint, printable};

/// What is to be said where a retry may help.
pub(super) const LATER: &str = "nothing was changed; a later run may succeed";

/// A command that did not do what was asked.
#[derive(Debug)]
pub(super) struct Failure {
    /// The process ends with this.
    pub(super) exit: Exit,
    /// What happened.
    pub(super) error: anyhow::Error,
    /// What to do next, where there is something to say.
    pub(super) hint: Option<String>,
    /// What is said in place of the error, a line each, where several things are wrong.
    pub(super) several: Vec<String>,
}

impl Failure {
    /// A failure that a person must act on.
    pub(super) fn person(error: impl Into<anyhow::Error>) -> Self {
        Self::ending(Ending::Person, error)
    }

    /// A failure that ends like this.
    pub(super) fn ending(ending: Ending, error: impl Into<anyhow::Error>) -> Self {
        let hint = (ending == Ending::Unknown).then(|| LATER.to_owned());
        Self { exit: ending.into(), error: error.into(), hint, several: Vec::new() }
    }

    /// A folder of images that cannot be used, `action` as in "write to".
    pub(super) fn of_folder(action: &str, folder: &Path, error: std::io::Error) -> Self {
        let hint = match error.kind() {
            ErrorKind::PermissionDenied => Some("run it as a user who has the rights to this file"),
            ErrorKind::ReadOnlyFilesystem => Some("name a folder on a file system that can be written to"),
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => Some("name a folder, and not a file"),
            _ => None,
        };
        let error = anyhow::Error::from(error).context(format!("couldn't {action} {}", folder.display()));
        Self { hint: hint.map(str::to_owned), ..Self::person(error) }
    }

    /// A wrong command line.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        let error = anyhow::anyhow!(message.into());
        Self { exit: Exit::Usage, error, hint: None, several: Vec::new() }
    }

    /// A command line that asks for what there is not.
    pub(super) fn misused(error: impl Ends + Send + Sync + 'static) -> Self {
        Self { exit: Exit::Usage, ..Self::from(error) }
    }

    /// The same with a hint.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What happened as one sentence.
    pub(super) fn sentence(&self) -> String {
        sentence(self.error.as_ref())
    }

    /// The sentence and the hint, for stderr.
    pub(super) fn render(&self) -> String {
        let lines = match self.several.as_slice() {
            [] => vec![self.sentence()],
            several => several.iter().map(|line| without_user_info(line).into_owned()).collect(),
        };
        let lines: Vec<String> = lines.iter().map(|line| paint(BOLD, printable(line))).collect();
        let hint = self.hint.iter().map(|hint| format!("{} {}\n", paint(CYAN, "hint:"), printable(hint)));
        format!("{} {}\n{}", paint(RED, "error:"), lines.join("\n"), hint.collect::<String>())
    }
}

/// Every error that knows how it ends is a failure of a command.
impl<E: Ends + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let (ending, hint, several) = (error.ending(), error.hint(), error.several());
        let failure = Self::ending(ending, error);
        Self { hint: hint.or(failure.hint), several, ..failure }
    }
}
