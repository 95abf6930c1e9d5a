//! The plan: what a target's files become, and everything that a reviewer should know about it.
//!
//! Keys first, bytes last: [`decide()`] says what becomes of the keys, as often as the gates ask ([`gates`]), and
//! [`write()`] makes the texts once, with what stands beside the files.
//! Pure: the same observation gives the same plan, byte for byte; an unchanged world gives an empty one.

mod decide;
mod decided;
pub mod findings;
pub mod gates;
pub mod images;
mod input;
mod kubernetes_versions;
pub mod os_release;
pub mod producers;
pub mod references;
pub mod schema;
mod signatures;
pub mod signed;
pub mod survey;
mod values_from;
pub mod view;
mod write;
mod written;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use decide::{KeyPlan, Proposal, decide};
pub use decided::Decided;
pub use input::PlanInput;
pub use producers::{
    FileProducer, Mention, generations, producer_of_project, producers, project_above, switched_off,
};
pub use references::{ReferenceFile, ReferenceFiles};
pub use survey::{Current, FileSpec, Parsed, Survey, SurveyError, Surveyed, Target, survey};
pub use values_from::{Lists, WantedLists, lists_of_now, wanted_lists};
pub use view::PlanView;
pub use write::{Beside, write};

use crate::budget::Exceeded;
pub use crate::reconcile::DefaultEnabled;
use crate::reconcile::kubernetes_versions::{MapLine, SetVersion, VersionsNote};
use crate::reconcile::references::References;
use crate::reconcile::values_from::MapError;
pub use crate::reconcile::values_from::{ListAnswer, NoList, SetValue, ValuesFrom, VersionList};
use crate::reconcile::{Reconciliation, Refusal};
use crate::release::Version;
use crate::release::hold::Hold;
use crate::release::selection::Choice;
use crate::signature::RequirementError;
use crate::values::{EditError, KeyPath, Position};
use findings::Findings;
use schema::InvalidSchema;
use signed::Signed;

/// A plan for the files of a target.
#[derive(Debug)]
pub struct Plan {
    /// The version that the files name.
    pub from: Version,
    /// What is planned.
    pub verdict: Planned,
    /// What became of each release.
    pub choice: Choice,
    /// The files, primary first, changed or not; empty when nothing was planned.
    pub files: Vec<PlannedFile>,
    /// Other files that name its keys.
    pub references: ReferenceFiles,
    /// The signatures of the images that the files will list.
    pub signatures: Signed,
    /// What `check` says of the planned files.
    pub findings: Findings,
}

/// One file of the plan.
#[derive(Debug)]
pub struct PlannedFile {
    /// Its path.
    pub path: String,
    /// Its text as it was read.
    pub before: Arc<str>,
    /// Its text as it should be.
    pub after: Arc<str>,
    /// What becomes of its mapping.
    pub reconciliation: Reconciliation,
    /// What becomes of the image keys that it names outside of its mapping.
    pub references: References,
    /// Kubernetes versions elsewhere in the file that become those of the images.
    pub kubernetes_versions: Vec<SetVersion>,
    /// Lines of Kubernetes minors that come and go elsewhere in the file.
    pub kubernetes_lines: Vec<MapLine>,
    /// Values elsewhere in the file that become those of a list.
    pub values: Vec<SetValue>,
    /// What a reviewer should know beside the lists of the reconciliation.
    pub notes: Vec<String>,
    /// Keys that somebody uses, as their values say: so far, and as they will be.
    pub in_use: Vec<(String, String)>,
    /// Rules for Kubernetes versions of which the target's own files have nothing.
    not_found: Vec<VersionsNote>,
}

/// What a plan comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Planned {
    /// The files are in step with the newest release that may be proposed.
    UpToDate,
    /// The version moves.
    Update {
        /// To this release.
        to: Version,
    },
    /// The version stays and the keys are put right.
    Align {
        /// The release that the files name.
        at: Version,
    },
    /// A gate holds every newer release.
    Held {
        /// The gate's name.
        gate: &'static str,
        /// Why, and the way out.
        reason: String,
    },
    /// It could not be told; nothing changes.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The files cannot be worked with.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// What was asked is unsafe.
    #[error("{path}{}: {refusal}", refusal.at().map(|at| format!(":{at}")).unwrap_or_default())]
    Refused {
        /// The file.
        path: String,
        /// Why.
        refusal: Refusal,
    },
    /// Where a producer of the files publishes cannot be told.
    #[error("{place}: {reason}; correct it, or name the registry with --registry or under `producers:`")]
    Producer {
        /// File, line and column.
        place: String,
        /// What is wrong there.
        reason: String,
    },
    /// What `values_from` names cannot follow a list.
    #[error("{path}:{error}; correct it, or `values_from:`, which names `{to}`")]
    Map {
        /// The file.
        path: String,
        /// What is named.
        to: KeyPath,
        /// What is wrong there.
        error: Box<MapError>,
    },
    /// What `values_from` names is not there.
    #[error("{path}{}; correct `values_from:`, which names `{to}`", match found.as_deref() {
        Some((at, above)) => format!(":{at}: `{to}` was not found below `{above}`"),
        None => format!(": `{to}` was not found"),
    })]
    NoMap {
        /// The file.
        path: String,
        /// What is named.
        to: KeyPath,
        /// The longest part of the path that is there.
        found: Option<Box<(Position, KeyPath)>>,
    },
    /// A key would be written that the chart's schema does not allow.
    #[error(
        "{path}:{at}: {schema} does not allow `{key}` ({rule}); adapt the schema first, or `ignore:` this release"
    )]
    LeavesSchema {
        /// The file.
        path: String,
        /// The entry that is renamed, or the mapping.
        at: Position,
        /// The new key.
        key: String,
        /// The schema file.
        schema: String,
        /// The rule that it breaks.
        rule: String,
    },
    /// The chart's schema cannot be read.
    #[error("{path}:{error}; correct it, because Helm cannot read it either")]
    Schema {
        /// The schema file.
        path: String,
        /// Why.
        error: InvalidSchema,
    },
    /// There is more work in a file than anybody asks for, or the time is over.
    #[error("{path}: {error}")]
    Exceeded {
        /// The file.
        path: String,
        /// What is too large.
        error: Exceeded,
    },
    /// What must be signed cannot be told.
    #[error("{path}{}: {error}; {UNTOLD}", at.map(|at| format!(":{at}")).unwrap_or_default())]
    Signatures {
        /// The file.
        path: String,
        /// Where the value to blame stands, or what there is of its path.
        at: Option<Position>,
        /// Why.
        error: RequirementError,
    },
    /// A person named a release whose images are not signed as expected.
    #[error("{version}: {reason}; signatures cannot be overridden")]
    Unsigned {
        /// The release.
        version: String,
        /// Which images, and what is wrong with them.
        reason: String,
    },
    /// The edit cannot be made safely.
    #[error("{path}:{error}")]
    Edit {
        /// The file.
        path: String,
        /// Why.
        error: EditError,
    },
}

/// What a person can do where nothing says what must be signed.
const UNTOLD: &str =
    "name the keys under `cosign_public_keys:` or with --cosign-key, or set `signatures: off`";

impl Plan {
    /// Whether any file changes.
    pub fn is_change(&self) -> bool {
        self.verdict.is_change()
    }

    /// The release that the files will be at.
    pub fn to(&self) -> &Version {
        self.verdict.to(&self.from)
    }

    /// Nothing is planned after all: this holds the release that was.
    fn hold(&mut self, version: &Version, hold: Hold) {
        self.verdict = Planned::held(version, &hold);
        self.choice.hold(version, hold);
        self.files.clear();
        self.references = ReferenceFiles::default();
    }

    /// The content of each changed file, before and after.
    pub fn changes(&self) -> BTreeMap<&str, (&Arc<str>, &Arc<str>)> {
        let changed = self.files.iter().filter(|file| file.before != file.after);
        let changed = changed.map(|file| (file.path.as_str(), (&file.before, &file.after)));
        changed.chain(self.references.changes()).collect()
    }
}

impl Planned {
    /// A release that a gate holds.
    fn held(version: &Version, hold: &Hold) -> Self {
        Self::Held { gate: hold.name(), reason: format!("{version}: {}", hold.told(version)) }
    }

    pub(crate) fn is_change(&self) -> bool {
        matches!(self, Self::Update { .. } | Self::Align { .. })
    }

    /// The release that files at `from` will be at.
    fn to<'a>(&'a self, from: &'a Version) -> &'a Version {
        match self {
            Self::Update { to } => to,
            _ => from,
        }
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UpToDate => f.write_str("up to date"),
            Self::Update { to } => write!(f, "update to {to}"),
            Self::Align { at } => write!(f, "align image keys with {at}"),
            Self::Held { gate, .. } => write!(f, "held ({gate})"),
            Self::Unknown { reason } => write!(f, "unknown: {reason}"),
        }
    }
}
