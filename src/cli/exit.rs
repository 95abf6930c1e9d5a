//! Exit codes: documented API, one per class of what the reader should do next.

use std::process::ExitCode;

use crate::ending::Ending;

/// How a command ended. Where several targets end differently, the first of bug, person, refused, retry wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, nothing to do, or held by policy.
    Done,
    /// An update is pending, and `--detailed-exitcode` was given.
    Pending,
    /// Could not tell: network, time-out, 5xx, rate limit, cut answers. A retry may help.
    Retry,
    /// `check` found an error.
    Found,
    /// Unsafe as asked; nothing was written.
    Refused,
    /// A person must act: configuration, input file, credentials refused.
    Person,
    /// A mistake of ours.
    Bug,
    /// The command line is wrong.
    Usage,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Exit {
    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Bug => 1,
            Self::Usage => 2,
            Self::Person => 3,
            Self::Retry => 4,
            Self::Refused => 5,
            Self::Pending | Self::Found => 10,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<Ending> for Exit {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Unknown => Self::Retry,
            Ending::Refused => Self::Refused,
            Ending::Person => Self::Person,
            Ending::Bug => Self::Bug,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
