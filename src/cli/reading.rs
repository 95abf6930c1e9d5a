//! Releases as the commands read them that print releases: from a file, or from the registry.

use std::collections::BTreeSet;
use std::path::Path;

use super::args::Lookup;
use super::failure::Failure;
use super::{Context, lookup};
use crate::observe::releases::Snapshot;
use crate::release::data::ReleaseData;
use crate::release::span::neighbours;
use crate::release::{Release, Version};

/// The releases of `--observed`.
pub(super) fn observed(args: &Lookup, file: &Path) -> Result<ReleaseData, Failure> {
    let mut known = crate::disk::releases::read(file, &lookup::naming(args.names_pattern.as_deref())?)?.known;
    known.settle(&BTreeSet::new());
    Ok(known)
}

/// A release that is known by now. A version that is none is answered with those beside it.
pub(super) fn found<'a>(known: &'a ReleaseData, version: &Version) -> Result<&'a Release, Failure> {
    let is_none = |release: &Release| {
        release.is_empty() && release.others.is_empty() && !known.candidates.contains_key(version)
    };
    if let Some(release) = known.releases.get(version).filter(|release| !is_none(release)) {
        return Ok(release);
    }
    let candidates = known.candidates.keys();
    let failure = Failure::person(anyhow::anyhow!("release {version} was not found"));
    let near: Vec<String> = neighbours(version, candidates).iter().map(ToString::to_string).collect();
    Err(match near.is_empty() {
        true => failure,
        false => failure.hint(format!("the nearest: {}", near.join(", "))),
    })
}

/// What `read` answers, what the look-up knows after it, and the registry that was asked.
pub(super) fn looked_up<T>(
    context: &Context,
    args: &Lookup,
    read: impl AsyncFnOnce(&mut Snapshot) -> Result<T, Failure>,
) -> Result<(T, ReleaseData, String), Failure> {
    let config = context.config()?;
    let settings = lookup::settings(args, config.as_ref(), None)?;
    context.online(config.as_ref(), &args.reach, async |session| {
        let producer = session.producer(&settings).await?;
        let mut snapshot = Snapshot::open(&producer, BTreeSet::new()).await?;
        let answer = read(&mut snapshot).await?;
        Ok((answer, snapshot.into_known(), producer.prefix.to_string()))
    })
}
