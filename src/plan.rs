//! The plan: what a target's files become, and everything that a reviewer should know about it.
//!
//! Pure: the same observation gives the same plan, byte for byte; an unchanged world gives an empty one.

pub mod gates;
mod kubernetes_versions;
pub mod os_release;
pub mod references;
pub mod schema;
mod signatures;
pub mod survey;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::reconcile::kubernetes_versions::{Coupled, KubernetesVersions, Note, SetVersion};
use crate::reconcile::references::{References, Releases};
use crate::reconcile::{self, Departure, Images, Inputs, Reconciliation, Refusal};
use crate::release::choice::{Choice, Known, Verdict};
use crate::release::{Coverage, Naming, Release, Version};
use crate::signature::RequirementError;
use crate::values::{Change, EditError, EditNote, KeyPath, Mapping, Position};
use gates::Signed;
pub use references::{ReferenceFile, ReferenceFiles};
use schema::{Answer, InvalidSchema, Schema};
pub use survey::{Current, FileSpec, Survey, SurveyError, Surveyed, Target, survey};

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
    /// What a reviewer should know beside the lists of the reconciliation.
    pub notes: Vec<String>,
    /// Keys that somebody uses, as their values say: so far, and as they will be.
    pub in_use: Vec<(String, String)>,
    /// Rules for Kubernetes versions of which the target's own files have nothing.
    not_found: Vec<Note>,
    /// Where the mapping stands.
    mapping: (KeyPath, Position),
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
    #[error("{path}:{error}; put it right, for Helm cannot read it either")]
    Schema {
        /// The schema file.
        path: String,
        /// Why.
        error: InvalidSchema,
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
    /// A person named a release whose images are not signed as demanded.
    #[error("{version}: {reason}; nobody's word makes up for a signature")]
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

/// What a plan is made of, beside what was looked up.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What the files say.
    pub survey: &'a Survey,
    /// Which keys the mapping lists.
    pub images: Images,
    /// Which Kubernetes versions elsewhere in the files follow the images.
    pub kubernetes_versions: &'a KubernetesVersions,
    /// How names are read.
    pub naming: &'a Naming,
    /// Whether a person named the release to go to, which ends a pin.
    pub forced: bool,
}

/// A release that a plan may go to: it has artifacts, and they are known.
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'a>(&'a Release);

impl<'a> Proposal<'a> {
    /// The only way to a plan: an empty or unknown release gives no proposal.
    pub fn new(release: &'a Release) -> Option<Self> {
        let unknown = matches!(release.coverage, Coverage::Unknown { .. });
        (!unknown && !release.artifacts.is_empty()).then_some(Self(release))
    }
}

/// Makes the plan.
pub fn plan(request: Request<'_>, known: &Known, choice: Choice) -> Result<Plan, PlanError> {
    let from = request.survey.version().clone();
    if let Current::Pinned(version) = &request.survey.current
        && !request.forced
    {
        let reason =
            format!("the file is pinned to {version}, which is no release; --to or --from ends that");
        return Ok(Plan {
            from,
            verdict: Planned::Held { gate: "pinned", reason },
            choice,
            files: Vec::new(),
            signatures: Signed::NotAsked(None),
            references: ReferenceFiles::default(),
        });
    }
    let nothing = |verdict, choice| {
        Ok(Plan {
            from: from.clone(),
            verdict,
            choice,
            files: Vec::new(),
            signatures: Signed::NotAsked(None),
            references: ReferenceFiles::default(),
        })
    };
    if let Some(reason) = unknown(&choice) {
        return nothing(Planned::Unknown { reason }, choice);
    }
    let proposed = choice.proposed.as_ref().and_then(|version| known.releases.get(version));
    let Some(proposal) = proposed.and_then(Proposal::new) else {
        let verdict = held(&choice).unwrap_or_else(|| not_published(proposed, &from));
        return nothing(verdict, choice);
    };
    let files = files(request, known.releases.get(&from), proposal)?;
    let verdict = verdict(&from, proposal, &files, &choice);
    let (signatures, references) = (Signed::NotAsked(None), ReferenceFiles::default());
    Ok(Plan { from, verdict, choice, files, signatures, references })
}

fn files(
    request: Request<'_>,
    current: Option<&Release>,
    proposal: Proposal<'_>,
) -> Result<Vec<PlannedFile>, PlanError> {
    let Request { survey, images, naming, .. } = request;
    let wanted = proposal.0;
    let inputs = Inputs {
        mapping: &survey.primary.mapping,
        ownership: &survey.ownership,
        current,
        wanted,
        images,
        naming,
    };
    let primary = reconcile::reconcile(inputs).map_err(|refusal| refused(&survey.primary, refusal))?;
    let moves = primary.version_may_move && survey.version() != &wanted.version;
    let version = survey
        .primary
        .version
        .as_ref()
        .filter(|_| moves)
        .map(|(path, _)| Change::SetScalar { path: path.clone(), value: wanted.version.to_string() });
    let ownership = survey.ownership.settled_by(&survey.primary.mapping);
    let overlays = survey.overlays.iter().map(|overlay| {
        let inputs = Inputs { mapping: &overlay.mapping, ownership: &ownership, ..inputs };
        reconcile::overlay(inputs, &primary).map_err(|refusal| refused(overlay, refusal))
    });
    let overlays = overlays.collect::<Result<Vec<_>, _>>()?;
    let done: Vec<Reconciliation> = std::iter::once(primary).chain(overlays).collect();
    let coupled = kubernetes_versions::own(request, current, wanted, &done);
    let releases = Releases { current, wanted, naming, ownership: &ownership };
    let references = references::own(survey, releases, &done);
    let versions = std::iter::once(version).chain(std::iter::repeat(None));
    let each = survey.files().zip(done).zip(references).zip(coupled).zip(versions);
    each.map(|((((file, done), references), coupled), version)| {
        edit(file, done, references, coupled, version)
    })
    .collect()
}

fn edit(
    file: &Surveyed,
    reconciliation: Reconciliation,
    references: References,
    coupled: Coupled,
    version: Option<Change>,
) -> Result<PlannedFile, PlanError> {
    let keys = reconciliation.changes.iter().chain(&references.changes).cloned();
    let changes: Vec<Change> = version.into_iter().chain(keys).chain(coupled.changes).collect();
    let before = file.document.shared_text();
    let mut notes: Vec<String> = reconciliation.notes.iter().map(ToString::to_string).collect();
    notes.extend(references.notes(&file.path));
    notes.extend(coupled.notes.iter().map(ToString::to_string));
    let after = if changes.is_empty() {
        before.clone()
    } else {
        let edited = file.document.edit(&changes);
        let edited = edited.map_err(|error| PlanError::Edit { path: file.path.clone(), error })?;
        // The reconciliation itself says which comments above an entry stay, and why.
        let below = edited.notes.iter().filter(|note| matches!(note, EditNote::CommentBelowStays { .. }));
        notes.extend(below.map(ToString::to_string));
        edited.text.into()
    };
    let mapping = (file.mapping.path.clone(), file.mapping.at);
    let in_use = in_use(&file.mapping, &reconciliation);
    let (path, kubernetes_versions) = (file.path.clone(), coupled.set);
    Ok(PlannedFile {
        path,
        before,
        after,
        reconciliation,
        references,
        kubernetes_versions,
        notes,
        in_use,
        not_found: coupled.not_found,
        mapping,
    })
}

/// The keys that are enabled, and what becomes of them; those that go without a successor are not among them.
fn in_use(mapping: &Mapping, reconciliation: &Reconciliation) -> Vec<(String, String)> {
    let enabled: BTreeSet<&str> =
        mapping.entries.iter().filter(|entry| entry.is_enabled()).map(|entry| entry.key.as_str()).collect();
    let kept = reconciliation.kept.iter().map(|kept| (kept.key.clone(), kept.key.clone()));
    let renamed = reconciliation.renamed.iter().map(|renamed| (renamed.from.clone(), renamed.to.to_string()));
    let superseded = reconciliation.removed.iter().filter_map(|removed| match &removed.why {
        Departure::Superseded { by } => Some((removed.key.clone(), by.to_string())),
        _ => None,
    });
    kept.chain(renamed).chain(superseded).filter(|(from, _)| enabled.contains(from.as_str())).collect()
}

fn verdict(from: &Version, proposal: Proposal<'_>, files: &[PlannedFile], choice: &Choice) -> Planned {
    let to = &proposal.0.version;
    if let Some(held) = stuck(files) {
        return held;
    }
    if files.iter().all(|file| file.before == file.after) {
        return held(choice).unwrap_or(Planned::UpToDate);
    }
    if from == to { Planned::Align { at: to.clone() } } else { Planned::Update { to: to.clone() } }
}

/// A release that is known in part, and would leave listed keys dead, moves nothing.
fn stuck(files: &[PlannedFile]) -> Option<Planned> {
    let stuck = files.iter().find(|file| !file.reconciliation.version_may_move)?;
    let dead: Vec<&str> = stuck.reconciliation.dead.iter().map(|dead| dead.key.as_str()).collect();
    let reason = format!("the release is known in part, and nothing proven replaces {}", dead.join(", "));
    Some(Planned::Unknown { reason })
}

fn unknown(choice: &Choice) -> Option<String> {
    choice.verdicts.iter().find_map(|(version, verdict)| match verdict {
        Verdict::Unknown(reason) => Some(format!("{version}: {reason}")),
        _ => None,
    })
}

/// The newest hold: what a person may want to end.
fn held(choice: &Choice) -> Option<Planned> {
    choice.verdicts.iter().find_map(|(version, verdict)| match verdict {
        Verdict::Held(hold) => {
            let reason = format!("{version}: {hold}; {}", hold.way_out(version));
            Some(Planned::Held { gate: hold.gate(), reason })
        }
        _ => None,
    })
}

/// The release that the file names could not be read, or has no artifact, and there is nothing newer.
fn not_published(current: Option<&Release>, from: &Version) -> Planned {
    match current.map(|release| &release.coverage) {
        Some(Coverage::Unknown { reason } | Coverage::Partial { reason }) => {
            Planned::Unknown { reason: format!("{from}: {reason}") }
        }
        _ => {
            Planned::Held { gate: "empty", reason: format!("{from}, which the file names, has no artifact") }
        }
    }
}

fn refused(file: &Surveyed, refusal: Refusal) -> PlanError {
    PlanError::Refused { path: file.path.clone(), refusal }
}

impl Plan {
    /// Whether any file changes.
    pub fn is_change(&self) -> bool {
        matches!(self.verdict, Planned::Update { .. } | Planned::Align { .. })
    }

    /// The schema files that have a say: beside each file that gets new keys.
    pub fn schemas(&self) -> Vec<String> {
        let gets_keys = |file: &&PlannedFile| self.is_change() && file.new_keys().next().is_some();
        self.files.iter().filter(gets_keys).map(|file| schema::path_of(&file.path)).collect()
    }

    /// Refuses new keys that a chart's schema does not allow; what could not be judged becomes a note. `schemas` has the
    /// bytes of the files of [`Plan::schemas`] that exist.
    pub fn obey(&mut self, schemas: &BTreeMap<String, Vec<u8>>) -> Result<(), PlanError> {
        for file in &mut self.files {
            let path = schema::path_of(&file.path);
            let Some(bytes) = schemas.get(&path) else { continue };
            let schema =
                Schema::parse(bytes).map_err(|error| PlanError::Schema { path: path.clone(), error })?;
            file.obey(&schema, &path)?;
        }
        Ok(())
    }

    /// The release that the files will be at.
    pub fn to(&self) -> &Version {
        match &self.verdict {
            Planned::Update { to } => to,
            _ => &self.from,
        }
    }

    /// The content of each changed file, before and after.
    pub fn changes(&self) -> BTreeMap<&str, (&Arc<str>, &Arc<str>)> {
        let changed = self.files.iter().filter(|file| file.before != file.after);
        let changed = changed.map(|file| (file.path.as_str(), (&file.before, &file.after)));
        changed.chain(self.references.changes()).collect()
    }
}

impl PlannedFile {
    /// Keys that were not there, each with the entry that gets it, or the mapping.
    fn new_keys(&self) -> impl Iterator<Item = (&str, Position)> {
        let renamed = self.reconciliation.renamed.iter().map(|renamed| (renamed.to.as_str(), renamed.at));
        let added = self.reconciliation.added.iter().map(|added| (added.key.as_str(), self.mapping.1));
        renamed.chain(added)
    }

    fn obey(&mut self, schema: &Schema, schema_path: &str) -> Result<(), PlanError> {
        let mut unjudged = None;
        for (key, at) in self.new_keys() {
            match schema.allows(&self.mapping.0, key) {
                Answer::Allowed => {}
                Answer::Unjudged(keyword) => unjudged = Some(keyword),
                Answer::Forbidden(rule) => {
                    let (path, key, schema) = (self.path.clone(), key.to_owned(), schema_path.to_owned());
                    return Err(PlanError::LeavesSchema { path, at, key, schema, rule });
                }
            }
        }
        let note = |keyword| format!("whether {schema_path} allows the new keys was not judged: {keyword}");
        self.notes.extend(unjudged.map(note));
        Ok(())
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UpToDate => f.write_str("up-to-date"),
            Self::Update { to } => write!(f, "update to {to}"),
            Self::Align { at } => write!(f, "align image keys with {at}"),
            Self::Held { gate, .. } => write!(f, "held({gate})"),
            Self::Unknown { reason } => write!(f, "unknown({reason})"),
        }
    }
}
