//! What the text for the reviewer says of a plan.

use std::collections::{BTreeMap, BTreeSet};

use super::Job;
use crate::merge_request::text::{FileSummary, Image, KeyChange, Summary};
use crate::observe::releases::{Producer, Snapshot};
use crate::plan::{Plan, PlannedFile};
use crate::release::choice::{Known, Verdict};
use crate::release::policy::Exclusion;
use crate::release::{Artifact, Coverage, Digest, Naming, Release};

pub(super) fn summary(job: &Job, producer: &Producer, snapshot: &Snapshot<'_>, plan: &Plan) -> Summary {
    let known = snapshot.known();
    let wanted = known.releases.get(plan.to());
    Summary {
        producer: job.producer.clone(),
        prefix: producer.prefix.to_string(),
        from: Some(plan.from.clone()),
        to: plan.to().clone(),
        files: plan.files.iter().map(|file| file_summary(file, plan, known, &producer.naming)).collect(),
        following: super::references::following(plan),
        signatures: None,
        warnings: warnings(plan),
        unchecked: wanted.into_iter().filter_map(unchecked).collect(),
        others: others(plan),
        digests: wanted.map(|release| digests(release, plan)).unwrap_or_default(),
        release_notes: snapshot
            .note(plan.to())
            .map(|note| note.description.clone())
            .filter(|text| !text.is_empty()),
        reproduce: reproduce(job, producer, plan),
    }
}

fn file_summary(file: &PlannedFile, plan: &Plan, known: &Known, naming: &Naming) -> FileSummary {
    let reconciliation = &file.reconciliation;
    let image = |key: &str| Some(image(key, plan, known, naming));
    let renamed = reconciliation.renamed.iter().map(|renamed| KeyChange {
        from: image(&renamed.from),
        to: image(renamed.to.as_str()),
        ..KeyChange::default()
    });
    let added = reconciliation
        .added
        .iter()
        .map(|added| KeyChange { to: image(added.key.as_str()), ..KeyChange::default() });
    let removed = reconciliation.removed.iter().map(|removed| KeyChange {
        from: image(&removed.key),
        why: Some(removed.why.to_string()),
        enabled: removed.enabled,
        ..KeyChange::default()
    });
    FileSummary {
        path: file.path.clone(),
        policy: Some((reconciliation.policy.to_string(), reconciliation.because.to_string())),
        changes: renamed.chain(added).chain(removed).collect(),
        kept: reconciliation.kept.len(),
        suggested: reconciliation.suggested.iter().map(|suggested| suggested.key.to_string()).collect(),
    }
}

/// A key and what it stands for: from its artifact in the new release or the old one, else from its name.
fn image(key: &str, plan: &Plan, known: &Known, naming: &Naming) -> Image {
    let artifact = |release: &Release| {
        let found = release.artifacts.values().find(|artifact| artifact.key.as_str() == key);
        found.and_then(|artifact: &Artifact| artifact.facets.clone())
    };
    let releases = [plan.to(), &plan.from].map(|version| known.releases.get(version));
    let facets = releases.into_iter().flatten().find_map(artifact).or_else(|| naming.facets(key));
    Image { key: key.to_owned(), facets }
}

/// What a reviewer should look at: notes of the reconciliation and of the edit, and a choice against the policy.
fn warnings(plan: &Plan) -> Vec<String> {
    let forced = plan.choice.verdicts.iter().filter_map(|(version, verdict)| match verdict {
        Verdict::Forced(_) => Some(format!("{version} is {verdict}")),
        _ => None,
    });
    let notes = plan.files.iter().flat_map(|file| file.notes.iter().cloned());
    forced.chain(notes).chain(plan.references.notes()).collect()
}

fn unchecked(release: &Release) -> Option<String> {
    match &release.coverage {
        Coverage::Complete => None,
        Coverage::Partial { reason } | Coverage::Unknown { reason } => {
            Some(format!("whether {} has more artifacts: {reason}", release.version))
        }
    }
}

/// Newer releases that are held or excluded; older ones are no news.
fn others(plan: &Plan) -> Vec<(crate::release::Version, String)> {
    let newer =
        plan.choice.verdicts.iter().filter(|(version, _)| *version > plan.from && version != plan.to());
    let told = newer.filter(|(_, verdict)| !matches!(verdict, Verdict::Excluded(Exclusion::Prerelease)));
    told.map(|(version, verdict)| (version.clone(), verdict.to_string())).collect()
}

/// Of the images that the files will list: what the bot vouches for, and compares with later.
fn digests(release: &Release, plan: &Plan) -> BTreeMap<String, Digest> {
    let listed: BTreeSet<&str> =
        plan.files.iter().flat_map(|file| file.reconciliation.listed_after()).collect();
    let is_listed = |artifact: &&Artifact| listed.contains(artifact.key.as_str());
    let digest = |artifact: &Artifact| Some((artifact.key.to_string(), artifact.digest.clone()?));
    release.artifacts.values().filter(is_listed).filter_map(digest).collect()
}

fn reproduce(job: &Job, producer: &Producer, plan: &Plan) -> String {
    let path = plan.files.first().map(|file| file.path.as_str()).unwrap_or_default();
    let plain_http = if producer.plain_http { " --plain-http" } else { "" };
    format!(
        "dibump plan {path} --registry {}{plain_http} --images {} --from {} --to {}{}",
        producer.prefix,
        job.target.images,
        plan.from,
        plan.to(),
        super::references::flags(&job.target)
    )
}
