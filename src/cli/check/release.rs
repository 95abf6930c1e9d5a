//! The release that a file names, looked up as far as a check needs it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::budget::Budget;
use crate::cli::Context;
use crate::cli::args::Lookup;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::local::Local;
use crate::cli::producers::{AskedFile, ReleasesFrom};
use crate::config::{Config, ConfiguredProducer};
use crate::observe::releases::Snapshot;
use crate::plan::{Current, Survey};
use crate::reconcile::Images;
use crate::release::data::ReleaseData as Data;
use crate::release::{ImageKey, Release, Version};
use crate::signature::{Requirement, Unverified, Verdict};
use crate::wiring::Session;

/// What is known of the file's release.
pub(super) struct KnownRelease {
    /// The release; `None` for a file that is pinned to a snapshot.
    pub(super) release: Option<Release>,
    /// The one before it, where it matters.
    pub(super) previous: Option<Release>,
    /// What is to be said of the signatures of its images, as far as they were asked for.
    pub(super) signatures: BTreeMap<ImageKey, Verdict>,
    /// What is required of them.
    pub(super) requirement: Requirement,
}

impl KnownRelease {
    /// Nothing, or what says nothing of signatures.
    fn of(release: Option<Release>, why: Unverified) -> Self {
        let requirement = Requirement::NotRequired(why);
        Self { release, previous: None, signatures: BTreeMap::new(), requirement }
    }
}

/// Looks up the release that the file names. What a retry may change makes it unknown, so that the rest of the file is
/// checked all the same; what a person must change is a failure.
pub(super) fn look_up(
    context: &Context,
    config: Option<&Config>,
    asked: &AskedFile<'_>,
    survey: &Survey,
    lookup: &Lookup,
) -> Result<KnownRelease, Failure> {
    let local = &asked.local;
    let Current::Release(version) = &survey.current else {
        return Ok(KnownRelease::of(None, Unverified::Off));
    };
    let settings = match &asked.source {
        ReleasesFrom::Registry(settings) => settings,
        ReleasesFrom::File(_, known) => return Ok(observed(known.clone(), version, survey)),
    };
    let now = context.environment.now;
    let known = context.online(config, &lookup.reach, async |session| {
        in_registry(session, settings, local, survey, version, now).await
    });
    match known {
        Ok(known) => Ok(known),
        Err(failure) if failure.exit == Exit::Retry => {
            Ok(KnownRelease::of(Some(Release::unknown(version.clone(), failure.sentence())), Unverified::Off))
        }
        Err(failure) => Err(failure),
    }
}

/// What was looked up elsewhere.
fn observed(mut known: Data, version: &Version, survey: &Survey) -> KnownRelease {
    known.settle(&survey.listed());
    let unknown = || Release::unknown(version.clone(), "it is not among the observed releases");
    let release = known.releases.get(version).cloned().unwrap_or_else(unknown);
    let previous = known.version_before(version).and_then(|version| known.releases.get(version)).cloned();
    KnownRelease { previous, ..KnownRelease::of(Some(release), Unverified::FromFile) }
}

async fn in_registry(
    session: &Session<'_>,
    settings: &ConfiguredProducer,
    local: &Local<'_>,
    survey: &Survey,
    version: &Version,
    now: Timestamp,
) -> Result<KnownRelease, Failure> {
    let producer = session.producer(settings).await?;
    let mut snapshot = Snapshot::open(&producer, survey.listed()).await?;
    snapshot.read(version, now).await?;
    if let Some(previous) = snapshot
        .known()
        .version_before(version)
        .cloned()
        .filter(|_| needs_previous(local, survey, &snapshot, version))
    {
        snapshot.read(&previous, now).await?;
    }
    let requirement =
        survey.signature_requirement(producer.keys.as_ref(), local.policy.signatures, &Budget::default())?;
    let signatures =
        snapshot.signed(version, &survey.listed(), requirement.keys(), local.policy.identity).await;
    let mut known = snapshot.into_known();
    let previous = known.version_before(version).cloned().and_then(|version| known.releases.remove(&version));
    Ok(KnownRelease { release: known.releases.remove(version), previous, signatures, requirement })
}

/// Whether something is published and not listed, of which the release before says whether it is new.
fn needs_previous(local: &Local<'_>, survey: &Survey, snapshot: &Snapshot, version: &Version) -> bool {
    let follows = matches!(local.images(survey), Images::Auto | Images::Follow);
    let listed = survey.listed();
    let release = snapshot.known().releases.get(version);
    follows && release.is_some_and(|release| release.artifacts.keys().any(|key| !listed.contains(key)))
}
