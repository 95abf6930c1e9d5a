//! `dibump releases` and `dibump artifacts`: what the registry has. Their JSON is what `plan --observed` reads.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::args::{Artifacts, DemandArg, Lookup, ReleasesArgs, TableFormat};
use super::exit::Exit;
use super::failure::Failure;
use super::reading::{found, looked_up, observed};
use super::{Context, lookup, release_diff};
use crate::disk::releases::ReleasesFile;
use crate::observe::releases::Snapshot;
use crate::release::data::SelectionQuery;
use crate::release::hold::Hold;
use crate::release::policy::{IdentityDemand, Policy};
use crate::release::{Coverage, ImageKey, Naming, Version};
use crate::report;
use crate::report::artifacts::SignedColumn;
use crate::report::releases::Judged;

pub(super) fn releases(context: &Context, args: &ReleasesArgs) -> Result<Exit, Failure> {
    let policy = policy(context, &args.lookup)?;
    if let Some(span) = &args.diff {
        return release_diff::run(context, args, span, &policy);
    }
    let limit = args.limit.and_then(|limit| usize::try_from(limit).ok());
    let now = context.environment.now;
    let verifies = args.lookup.reach.signatures.is_some_and(|demand| demand != DemandArg::Off);
    let ((naming, signed), mut known, registry) = match lookup::observed(&args.lookup)? {
        Some(file) => {
            let naming = lookup::naming(args.lookup.names_pattern.as_deref())?;
            ((naming, BTreeMap::new()), observed(&args.lookup, file)?, None)
        }
        None => {
            let read = async |snapshot: &mut Snapshot| {
                snapshot.read_names().await?;
                let naming = snapshot.naming().clone();
                let query = query(args, &policy, &naming, now);
                let judged = Judged::new(&query, snapshot.known(), limit);
                let shown: Vec<Version> = judged.shown().filter(|_| verifies).cloned().collect();
                let mut signed = BTreeMap::new();
                for version in shown {
                    snapshot.read(&version, now).await?;
                    snapshot.keys().ok_or_else(no_key)?;
                    let verdicts = signed_all(snapshot, &version, policy.identity).await;
                    signed.insert(version, verdicts);
                }
                Ok((naming, signed))
            };
            let (read, known, registry) = looked_up(context, &args.lookup, read)?;
            (read, known, Some(registry))
        }
    };
    let query = query(args, &policy, &naming, now);
    let judged = Judged::new(&query, &known, limit).signed(&signed);
    match args.format {
        TableFormat::Text => context.output.print(&judged.text(context.width()))?,
        TableFormat::Markdown => context.output.print(&judged.markdown())?,
        TableFormat::Json => {
            let words = judged.words();
            known.releases.retain(|version, _| words.iter().any(|(judged, ..)| judged == version));
            let file = ReleasesFile::new(registry, &known).judged(&words).signed(&signed);
            context.output.json(&file)?;
        }
    }
    Ok(Exit::Done)
}

/// What the policy thinks of each release, for a file of which only the release is known.
fn query<'a>(
    args: &'a ReleasesArgs,
    policy: &'a Policy,
    naming: &'a Naming,
    now: Timestamp,
) -> SelectionQuery<'a> {
    static LISTED: BTreeSet<ImageKey> = BTreeSet::new();
    static FOUND: BTreeMap<Version, Vec<Hold>> = BTreeMap::new();
    let current = args.from.as_ref();
    let (listed, found, requires_signatures) = (&LISTED, &FOUND, false);
    SelectionQuery { policy, current, to: None, listed, naming, found, requires_signatures, now }
}

/// The verdict on the signature of every artifact of a release, under the keys that are configured.
async fn signed_all(snapshot: &Snapshot, version: &Version, demand: IdentityDemand) -> SignedColumn {
    let release = snapshot.known().releases.get(version);
    let all = release.into_iter().flat_map(|release| release.artifacts.keys().cloned()).collect();
    snapshot.signed(version, &all, snapshot.keys(), demand).await
}

fn no_key() -> Failure {
    Failure::person(anyhow::anyhow!("no public key is known to check signatures with"))
        .hint("name one with --cosign-key, or under `cosign_public_keys:` of the producer")
}

pub(super) fn artifacts(context: &Context, args: &Artifacts) -> Result<Exit, Failure> {
    let (now, demand) = (context.environment.now, policy(context, &args.lookup)?.identity);
    let wants = args.lookup.reach.signatures != Some(DemandArg::Off);
    let ((signed, naming), mut known, registry) = match lookup::observed(&args.lookup)? {
        Some(file) => {
            let naming = lookup::naming(args.lookup.names_pattern.as_deref())?;
            ((None, naming), observed(&args.lookup, file)?, None)
        }
        None => {
            let read = async |snapshot: &mut Snapshot| {
                snapshot.read(&args.version, now).await?;
                let asked = wants && snapshot.keys().is_some();
                let signed =
                    if asked { Some(signed_all(snapshot, &args.version, demand).await) } else { None };
                Ok((signed, snapshot.naming().clone()))
            };
            let (read, known, registry) = looked_up(context, &args.lookup, read)?;
            (read, known, Some(registry))
        }
    };
    let release = found(&known, &args.version)?;
    let exit = match &release.coverage {
        Coverage::Unknown { .. } => Exit::Retry,
        // Others may exist, and nothing is proven.
        Coverage::Partial { .. } if release.artifacts.is_empty() => Exit::Retry,
        _ => Exit::Done,
    };
    match args.format {
        TableFormat::Text => {
            let text = report::artifacts::text(release, signed.as_ref(), &naming, context.width());
            context.output.print(&text)?
        }
        TableFormat::Markdown => {
            let text = report::artifacts::markdown(release, signed.as_ref(), &naming);
            context.output.print(&text)?
        }
        TableFormat::Json => {
            known.releases.retain(|version, _| version == &args.version);
            let signed = signed.map(|signed| (args.version.clone(), signed)).into_iter().collect();
            context.output.json(&ReleasesFile::new(registry, &known).signed(&signed))?;
        }
    }
    Ok(exit)
}

/// The policy of the flags, laid over that of the configuration's first branch.
fn policy(context: &Context, args: &Lookup) -> Result<Policy, Failure> {
    let config = context.config()?;
    let target = config.as_ref().and_then(|config| config.targets.first());
    let branch = target.and_then(|target| target.branches.first());
    Ok(lookup::policy(args, branch.map(|branch| &branch.policy)))
}
