//! How a command fails: an error whose chain is printed once, one hint, and the exit code.

use super::exit::Exit;
use crate::disk::releases::ReleasesFileError;
use crate::disk::values_file::FileError;
use crate::forge::ForgeError;
use crate::observe::releases::ObserveError;
use crate::plan::{PlanError, SurveyError};
use crate::registry::RegistryError;
use crate::report::{BOLD, CYAN, RED, paint, printable};
use crate::run::LookUpError;
use crate::values::ValuesError;
use crate::wiring::WiringError;

/// What a person can do about a registry that refuses us.
pub(super) const CREDENTIALS: &str = "credentials come from DIBUMP_REGISTRY_USERNAME and DIBUMP_REGISTRY_PASSWORD, CI_REGISTRY_* or docker's config.json";
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
}

impl Failure {
    /// A failure that a person must act on.
    pub(super) fn person(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Person, error: error.into(), hint: None }
    }

    /// A wrong command line.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, error: anyhow::anyhow!(message.into()), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A registry that failed before the look-up began.
    pub(super) fn registry(error: RegistryError) -> Self {
        let refused = matches!(error, RegistryError::Refused { .. });
        let exit = if refused { Exit::Person } else { Exit::Retry };
        Self { exit, error: error.into(), hint: None }
    }

    /// A registry that did not answer what was asked of it.
    pub(super) fn unread(error: RegistryError) -> Self {
        let hint = if matches!(error, RegistryError::Refused { .. }) { CREDENTIALS } else { LATER };
        Self::registry(error).hint(hint)
    }

    /// The error's chain and the hint, for stderr.
    pub(super) fn render(&self) -> String {
        let mut text =
            format!("{} {}\n", paint(RED, "error:"), paint(BOLD, printable(&self.error.to_string())));
        let mut said = self.error.to_string();
        for cause in self.error.chain().skip(1) {
            let cause = cause.to_string();
            // Some libraries repeat their source in their own message.
            if !said.contains(&cause) {
                text.push_str(&format!("  caused by: {}\n", printable(&cause)));
            }
            said = cause;
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("{} {hint}\n", paint(CYAN, "hint:")));
        }
        text
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let exit = match error {
            PlanError::Survey(_) | PlanError::Schema { .. } | PlanError::Signatures { .. } => Exit::Person,
            PlanError::Refused { ref refusal, .. } if refusal.is_input_error() => Exit::Person,
            PlanError::Refused { .. }
            | PlanError::LeavesSchema { .. }
            | PlanError::Unsigned { .. }
            | PlanError::Edit { .. } => Exit::Refused,
        };
        let hint = match &error {
            PlanError::Survey(SurveyError::Values { error, .. }) => Some(next_step(error).to_owned()),
            _ => None,
        };
        Self { exit, error: error.into(), hint }
    }
}

/// What a person can do about a values file. The other errors say it themselves.
pub(super) fn next_step(error: &ValuesError) -> &'static str {
    match error {
        ValuesError::TooLarge { .. } => "name the values file itself",
        ValuesError::NotUtf8 { .. } => "save the file as UTF-8",
        ValuesError::Tab { .. } => "indent by spaces",
        ValuesError::Syntax { .. } => "put the YAML right at this place",
        ValuesError::WrittenTwice { .. } | ValuesError::TwoDocuments { .. } => "remove one of them",
        ValuesError::TopLevel { .. } => "name a file of Helm values",
        ValuesError::MergeKey { .. } => "write the merged entries out",
        ValuesError::TooManyAliases { .. } => "write the values out",
        ValuesError::Alias { .. } | ValuesError::Template { .. } | ValuesError::Unexpected { .. } => {
            "write it out there, or name another place with --version-key or --images-key"
        }
    }
}

impl From<LookUpError> for Failure {
    fn from(error: LookUpError) -> Self {
        match error {
            LookUpError::Observe(error) => error.into(),
            LookUpError::Plan(error) => error.into(),
        }
    }
}

impl From<ObserveError> for Failure {
    fn from(error: ObserveError) -> Self {
        let (exit, hint) = match error.is_refusal() {
            true => (Exit::Person, CREDENTIALS),
            false => (Exit::Retry, LATER),
        };
        Self { exit, error: error.into(), hint: Some(hint.to_owned()) }
    }
}

impl From<ForgeError> for Failure {
    fn from(error: ForgeError) -> Self {
        let (exit, hint) = match &error {
            ForgeError::Refused { hint, .. } => (Exit::Person, hint.clone()),
            ForgeError::Rejected { .. } => (Exit::Refused, None),
            ForgeError::NotYet { .. } | ForgeError::Unavailable { .. } | ForgeError::Invalid { .. } => {
                (Exit::Retry, Some(LATER.to_owned()))
            }
        };
        Self { exit, error: error.into(), hint }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::person(error)
    }
}

impl From<ReleasesFileError> for Failure {
    fn from(error: ReleasesFileError) -> Self {
        Self::person(error)
    }
}

impl From<WiringError> for Failure {
    fn from(error: WiringError) -> Self {
        match error {
            WiringError::Cluster(error) => error.into(),
            error => {
                let exit = match error {
                    WiringError::NoTarget { .. } | WiringError::NoKube => Exit::Usage,
                    _ if error.retry_helps() => Exit::Retry,
                    _ => Exit::Person,
                };
                let hint = error.hint().map(str::to_owned);
                Self { exit, error: error.into(), hint }
            }
        }
    }
}
