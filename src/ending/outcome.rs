//! How a target of a run ends, by the same table.

use super::{Ending, Ends, sentence};
use crate::merge_request::Outcome;

impl Outcome {
    /// How a target ends that met an error.
    pub fn of(error: &impl Ends) -> Self {
        let why = match error.hint() {
            Some(hint) => format!("{}; {hint}", sentence(error).trim_end_matches('.')),
            None => sentence(error),
        };
        match error.ending() {
            Ending::Unknown => Self::Unknown(why),
            Ending::Refused => Self::Refused(why),
            Ending::Person => Self::Failed(why),
            Ending::Bug => Self::Bug(why),
        }
    }

    /// How the target ended; `None` where nothing went wrong.
    pub fn ending(&self) -> Option<Ending> {
        match self {
            Self::Unknown(_) => Some(Ending::Unknown),
            Self::Refused(_) => Some(Ending::Refused),
            Self::Failed(_) | Self::NoTarget(_) => Some(Ending::Person),
            Self::Bug(_) => Some(Ending::Bug),
            Self::UpToDate
            | Self::Created
            | Self::Merged
            | Self::Updated
            | Self::Unchanged
            | Self::Held(_)
            | Self::NotScheduled
            | Self::Limited
            | Self::EditedByOthers
            | Self::ClosedByOthers
            | Self::Closed(_)
            | Self::Reopened
            | Self::WouldCreate
            | Self::WouldUpdate
            | Self::WouldClose => None,
        }
    }
}
