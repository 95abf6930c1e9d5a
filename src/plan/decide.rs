//! What becomes of the keys: the release to go to, and each change of each file, without its bytes.

use super::signed::Signed;
use super::{Current, PlanError, PlanInput, Planned, Surveyed, kubernetes_versions, references};
use crate::reconcile::kubernetes_versions::Coupled;
use crate::reconcile::references::{BothReleases, References};
use crate::reconcile::values_from::FollowedMap;
use crate::reconcile::{self, Inputs, Reconciliation, Refusal};
use crate::release::data::ReleaseData;
use crate::release::hold::Hold;
use crate::release::selection::{Choice, SelectionVerdict};
use crate::release::{Coverage, Release, Version};
use crate::values::{Change, Scalar};

/// A plan of keys.
#[derive(Debug)]
pub struct KeyPlan {
    /// The version that the files name.
    pub from: Version,
    /// What is planned.
    pub verdict: Planned,
    /// What became of each release.
    pub choice: Choice,
    /// The signatures of the images that the files will list.
    pub signatures: Signed,
    /// The files, primary first; empty when nothing was planned.
    pub(super) files: Vec<FileKeys>,
}

/// What becomes of the keys of one file.
#[derive(Debug)]
pub(super) struct FileKeys {
    /// The version, where it moves.
    pub(super) version: Option<Change>,
    /// The mapping.
    pub(super) reconciliation: Reconciliation,
    /// Names of image keys outside of the mapping.
    pub(super) references: References,
    /// Kubernetes versions.
    pub(super) coupled: Coupled,
    /// Values of lists.
    pub(super) values: FollowedMap,
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

/// Decides what becomes of the keys.
///
/// # Errors
/// Files that cannot be brought in step safely.
pub fn decide(input: &PlanInput<'_>, known: &ReleaseData, choice: Choice) -> Result<KeyPlan, PlanError> {
    let from = input.survey.version();
    let proposed = choice.proposed.as_ref().and_then(|version| known.releases.get(version));
    let (verdict, files) = match (unplanned(input, &choice), proposed.and_then(Proposal::new)) {
        (Some(verdict), _) => (verdict, Vec::new()),
        (None, None) => (held(&choice).unwrap_or_else(|| not_published(proposed, from)), Vec::new()),
        (None, Some(proposal)) => {
            let files = files(input, known.releases.get(from), proposal)?;
            (verdict(from, &proposal.0.version, &files, &choice), files)
        }
    };
    Ok(KeyPlan { from: from.clone(), verdict, choice, signatures: Signed::NotAsked(None), files })
}

/// Why nothing is planned, whatever the release has.
fn unplanned(input: &PlanInput<'_>, choice: &Choice) -> Option<Planned> {
    match &input.survey.current {
        Current::Pinned(version) if input.is_pinned() => {
            let reason =
                format!("the file is pinned to {version}, which is not a release; --to or --from ends that");
            Some(Planned::Held { gate: "pinned", reason })
        }
        _ => unknown(choice).map(|reason| Planned::Unknown { reason }),
    }
}

fn files(
    input: &PlanInput<'_>,
    current: Option<&Release>,
    proposal: Proposal<'_>,
) -> Result<Vec<FileKeys>, PlanError> {
    let PlanInput { survey, images, naming, .. } = *input;
    let wanted = proposal.0;
    let (mapping, ownership) = (&survey.primary.mapping, &survey.ownership);
    let default_enabled = input.default_enabled;
    let inputs = Inputs { mapping, ownership, current, wanted, images, default_enabled, naming };
    let primary = reconcile::reconcile(inputs).map_err(|refusal| refused(&survey.primary, refusal))?;
    // What is written, which a person's word for the current release may contradict.
    let differs = |written: &Scalar| written.value.parse().ok().as_ref() != Some(&wanted.version);
    let version = survey.primary.version.as_ref();
    let version = version.filter(|(_, written)| primary.version_may_move && differs(written));
    let version =
        version.map(|(path, _)| Change::SetScalar { path: path.clone(), value: wanted.version.to_string() });
    let ownership = survey.ownership.settled_by(mapping);
    let overlays = survey.overlays.iter().map(|overlay| {
        let inputs = Inputs { mapping: &overlay.mapping, ownership: &ownership, ..inputs };
        reconcile::overlay(inputs, &primary).map_err(|refusal| refused(overlay, refusal))
    });
    let overlays = overlays.collect::<Result<Vec<_>, _>>()?;
    let mut done: Vec<Reconciliation> = std::iter::once(primary).chain(overlays).collect();
    let held = done.iter().any(|mapping| !mapping.version_may_move);
    if held {
        // What one file holds, holds all of them: they are one deployment.
        done.iter_mut().for_each(|mapping| mapping.changes.clear());
    }
    let coupled = kubernetes_versions::own(input, current, wanted, &done);
    let references =
        references::own(survey, BothReleases { current, wanted, naming, ownership: &ownership }, &done);
    let versions = std::iter::once(version.filter(|_| !held)).chain(std::iter::repeat(None));
    let each = versions.zip(done).zip(references).zip(coupled);
    let keys = |(((version, reconciliation), references), coupled)| FileKeys {
        version,
        reconciliation,
        references,
        coupled,
        values: FollowedMap::default(),
    };
    Ok(each.map(keys).collect())
}

fn verdict(from: &Version, to: &Version, files: &[FileKeys], choice: &Choice) -> Planned {
    if let Some(held) = stuck(files) {
        return held;
    }
    if files.iter().all(|file| file.changes().next().is_none()) {
        return held(choice).unwrap_or(Planned::UpToDate);
    }
    if from == to { Planned::Align { at: to.clone() } } else { Planned::Update { to: to.clone() } }
}

/// A release that is known in part, and would leave listed keys dead, moves nothing.
fn stuck(files: &[FileKeys]) -> Option<Planned> {
    let stuck = files.iter().find(|file| !file.reconciliation.version_may_move)?;
    let dead: Vec<&str> = stuck.reconciliation.dead.iter().map(|dead| dead.key.as_str()).collect();
    let reason = format!("the release is known in part, and nothing proven replaces {}", dead.join(", "));
    Some(Planned::Unknown { reason })
}

fn unknown(choice: &Choice) -> Option<String> {
    choice.verdicts.iter().find_map(|(version, verdict)| match verdict {
        SelectionVerdict::Unknown(reason) => Some(format!("{version}: {reason}")),
        _ => None,
    })
}

/// The newest hold: what a person may want to end.
fn held(choice: &Choice) -> Option<Planned> {
    choice.verdicts.iter().find_map(|(version, verdict)| match verdict {
        SelectionVerdict::Held(hold) => Some(Planned::held(version, hold)),
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

impl KeyPlan {
    /// Whether any file changes.
    pub fn is_change(&self) -> bool {
        self.verdict.is_change()
    }

    /// The release that the files will be at.
    pub fn to(&self) -> &Version {
        self.verdict.to(&self.from)
    }

    /// What becomes of each mapping, the primary file's first.
    pub fn reconciliations(&self) -> impl Iterator<Item = &Reconciliation> + Clone {
        self.files.iter().map(|file| &file.reconciliation)
    }

    /// Kubernetes versions become these, and what is planned is what that makes of it.
    pub(super) fn couple(&mut self, coupled: Vec<Coupled>) {
        let Some(to) = self.files.first().map(|file| file.reconciliation.version.clone()) else { return };
        self.files.iter_mut().zip(coupled).for_each(|(file, coupled)| file.coupled = coupled);
        self.verdict = verdict(&self.from, &to, &self.files, &self.choice);
    }

    /// Values follow lists.
    pub(super) fn follow(&mut self, values: Vec<FollowedMap>) {
        self.files.iter_mut().zip(values).for_each(|(file, values)| file.values = values);
    }

    /// Nothing is planned after all: this holds the release that was.
    pub(super) fn hold(&mut self, hold: Hold) {
        let version = self.to().clone();
        self.verdict = Planned::held(&version, &hold);
        self.choice.hold(&version, hold);
        self.files.clear();
    }

    /// Nothing can be told after all.
    pub fn become_unknown(&mut self, reason: String) {
        self.verdict = Planned::Unknown { reason };
        self.files.clear();
    }
}

impl FileKeys {
    /// Everything that is to be written, in the order in which an edit takes it.
    pub(super) fn changes(&self) -> impl Iterator<Item = &Change> {
        let keys = self.reconciliation.changes.iter().chain(&self.references.changes);
        self.version.iter().chain(keys).chain(&self.coupled.changes).chain(&self.values.changes)
    }

    /// Whether keys come in that were not there.
    pub(super) fn adds_keys(&self) -> bool {
        !self.reconciliation.renamed.is_empty() || !self.reconciliation.added.is_empty()
    }
}
