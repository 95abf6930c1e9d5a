//! Files, and what is to become of them.

use super::{Ending, Ends};
use crate::budget::Exceeded;
use crate::plan::{PlanError, SurveyError};
use crate::reconcile::Refusal;
use crate::signature::RequirementError;
use crate::values::{EditError, ValuesError};

impl Ends for PlanError {
    fn ending(&self) -> Ending {
        match self {
            Self::Survey(error) => error.ending(),
            Self::Refused { refusal, .. } => refusal.ending(),
            Self::Edit { error, .. } => error.ending(),
            Self::Signatures { error, .. } => error.ending(),
            Self::Exceeded { error, .. } => error.ending(),
            Self::Schema { .. } | Self::Producer { .. } | Self::Map { .. } | Self::NoMap { .. } => {
                Ending::Person
            }
            Self::LeavesSchema { .. } | Self::Unsigned { .. } => Ending::Refused,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Survey(error) => error.hint(),
            _ => None,
        }
    }
}

/// Time that is over comes again; what is too large stays so, and to work on it is unsafe.
impl Ends for Exceeded {
    fn ending(&self) -> Ending {
        match self {
            Self::TooLarge { .. } => Ending::Refused,
            Self::OutOfTime => Ending::Unknown,
        }
    }
}

impl Ends for SurveyError {
    fn ending(&self) -> Ending {
        match self {
            Self::Values { error, .. } => error.ending(),
            Self::Missing { .. }
            | Self::NoVersion { .. }
            | Self::NotAVersion { .. }
            | Self::NoMapping { .. }
            | Self::NoSuchMapping { .. }
            | Self::TwoMappings { .. }
            | Self::NoSuchRegistry { .. }
            | Self::OnlyOverlays => Ending::Person,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Values { error, .. } => error.hint(),
            _ => None,
        }
    }
}

/// What must be signed stays untold until a person names the keys.
impl Ends for RequirementError {
    fn ending(&self) -> Ending {
        self.exceeded().map_or(Ending::Person, Exceeded::ending)
    }
}

/// What cannot be read stays so until a person mends the file.
impl Ends for ValuesError {
    fn ending(&self) -> Ending {
        Ending::Person
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::TooLarge { .. } => "name the values file itself",
            Self::NotUtf8 { .. } => "save the file as UTF-8",
            Self::LfsPointer => {
                "run `git lfs pull`, or keep the file in Git itself: a bot reads it from there"
            }
            Self::Tab { .. } => "indent by spaces",
            Self::TemplateLine { .. } => {
                "name the file that the template generates, or put the action in quotes"
            }
            Self::Syntax { .. } => "fix the YAML syntax here",
            Self::WrittenTwice { .. } | Self::TwoDocuments { .. } => "remove one of them",
            Self::TopLevel { .. } => "name a file of Helm values",
            Self::MergeKey { .. } => "write the merged entries out",
            Self::TooManyAliases { .. } => "write the values out",
            Self::ThroughList { .. } => "keep version and mapping below keys, outside of lists",
            Self::ThroughText { .. } => {
                "write the values as a mapping (in an Argo CD Application: `valuesObject` instead of `values`)"
            }
            Self::Encrypted { .. } => "exclude it from encryption, for example with `unencrypted_regex`",
            Self::Alias { .. } | Self::Template { .. } | Self::Unexpected { .. } => {
                "write it out there, or name another place with `version_key` or `images_key`"
            }
        };
        Some(hint.to_owned())
    }
}

impl Ends for Refusal {
    fn ending(&self) -> Ending {
        match self {
            // The file itself is wrong, whatever was asked of it.
            Self::WrittenTwice { .. } => Ending::Person,
            Self::EmptiesTheMapping { .. }
            | Self::KeysOfUnknownRegistry { .. }
            | Self::AnchorUsedElsewhere { .. } => Ending::Refused,
        }
    }
}

impl Ends for EditError {
    fn ending(&self) -> Ending {
        match self {
            Self::Values(error) => error.ending(),
            Self::WrittenTwice { .. } => Ending::Person,
            // Ways of writing that cannot be edited, or not be proven to be edited rightly.
            Self::EmptiesMapping { .. }
            | Self::AnchorUsedElsewhere { .. }
            | Self::CopiesAlias { .. }
            | Self::Layout { .. }
            | Self::Unreadable { .. }
            | Self::NoSecondReader { .. }
            | Self::ReadOtherwise { .. }
            | Self::NotAsPlanned { .. } => Ending::Refused,
            // Only sops may change these.
            Self::Sops { .. } | Self::Encrypted { .. } => Ending::Refused,
            // Whatever the file says, no plan may ask for these.
            Self::NoSuchKey { .. }
            | Self::NoSuchEntry { .. }
            | Self::Contradiction { .. }
            | Self::ChangedTwice { .. }
            | Self::Overlap(_)
            | Self::OutsideTheRanges => Ending::Bug,
        }
    }
}
