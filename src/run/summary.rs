//! What the text for the reviewer says of a plan.

use std::collections::BTreeSet;

use super::Job;
use crate::merge_request::text::{
    FileSummary, FindingsSummary, Image, ImageRow, KeyChange, OsReleases, Summary,
};
use crate::observe::releases::{Producer, Snapshot};
use crate::plan::findings::{Findings, told};
use crate::plan::signed::Checked;
use crate::plan::{Plan, PlannedFile};
use crate::release::data::Known;
use crate::release::policy::Exclusion;
use crate::release::selection::Verdict;
use crate::release::{Artifact, Coverage, Naming, Release, Size, Version};

pub(super) fn summary(job: &Job, producer: &Producer, snapshot: &Snapshot, plan: &Plan) -> Summary {
    let known = snapshot.known();
    let wanted = known.releases.get(plan.to());
    let told = Told { plan, known, naming: &producer.naming };
    Summary {
        producer: job.producer.clone(),
        prefix: producer.prefix.to_string(),
        from: Some(plan.from.clone()),
        to: plan.to().clone(),
        files: plan.files.iter().map(|file| told.file(file)).collect(),
        os_releases: OsReleases {
            changes: plan.os_changes().iter().map(ToString::to_string).collect(),
            is_unexpected: plan.has_unexpected_os_change(&job.policy),
        },
        findings: findings(&plan.findings),
        following: super::references::following(plan),
        missing: plan.choice.overdue().map(|missing| missing.items()).unwrap_or_default(),
        complete: wanted.and_then(|release| complete(release, plan, known)),
        signatures: plan.signatures.sentence(),
        warnings: warnings(plan),
        unchecked: wanted.into_iter().filter_map(unchecked).collect(),
        rolls: told.rolls(),
        others: others(plan),
        images: wanted.map(|release| images(release, plan)).unwrap_or_default(),
        release_notes: release_notes(snapshot, plan),
        reproduce: reproduce(job, producer, plan),
    }
}

/// Keys of a plan as a reviewer is told of them.
struct Told<'a> {
    plan: &'a Plan,
    known: &'a Known,
    naming: &'a Naming,
}

impl Told<'_> {
    fn file(&self, file: &PlannedFile) -> FileSummary {
        let reconciliation = &file.reconciliation;
        let renamed = reconciliation.renamed.iter().map(|renamed| KeyChange {
            from: self.before(&renamed.from),
            to: self.after(renamed.to.as_str()),
            ..KeyChange::default()
        });
        let added = reconciliation
            .added
            .iter()
            .map(|added| KeyChange { to: self.after(added.key.as_str()), ..KeyChange::default() });
        let removed = reconciliation.removed.iter().map(|removed| KeyChange {
            from: self.before(&removed.key),
            why: Some(removed.why.to_string()),
            enabled: removed.enabled,
            ..KeyChange::default()
        });
        let kept = reconciliation.kept.iter().map(|kept| KeyChange {
            from: self.before(&kept.key),
            to: self.after(&kept.key),
            ..KeyChange::default()
        });
        FileSummary {
            path: file.path.clone(),
            policy: Some((reconciliation.policy.to_string(), reconciliation.because.to_string())),
            changes: renamed.chain(added).chain(removed).collect(),
            kept: kept.collect(),
            suggested: reconciliation.suggested.iter().map(|suggested| suggested.key.to_string()).collect(),
        }
    }

    /// A key as it stands for in the release so far, else by its name.
    fn before(&self, key: &str) -> Option<Image> {
        self.image(key, &self.plan.from)
    }

    /// A key as it stands for in the new release.
    fn after(&self, key: &str) -> Option<Image> {
        self.image(key, self.plan.to())
    }

    fn image(&self, key: &str, version: &Version) -> Option<Image> {
        let facets = self.artifact(key, version).and_then(|artifact| artifact.facets.clone());
        Some(Image { key: key.to_owned(), facets: facets.or_else(|| self.naming.facets(key)) })
    }

    fn artifact(&self, key: &str, version: &Version) -> Option<&Artifact> {
        let release = self.known.releases.get(version)?;
        release.artifacts.values().find(|artifact| artifact.key.as_str() == key)
    }

    /// Images in use whose content changes, or may: where a digest is not known, nothing says that it stays.
    fn rolls(&self) -> Vec<KeyChange> {
        let digest = |key: &str, version| self.artifact(key, version)?.digest.clone();
        let stays = |from: &str, to: &str| {
            let before = digest(from, &self.plan.from);
            before.is_some() && before == digest(to, self.plan.to())
        };
        let in_use: BTreeSet<&(String, String)> =
            self.plan.files.iter().flat_map(|file| &file.in_use).collect();
        let rolling = in_use.into_iter().filter(|(from, to)| !stays(from, to));
        let change = |(from, to): &(String, String)| KeyChange {
            from: self.before(from),
            to: self.after(to),
            ..KeyChange::default()
        };
        rolling.map(change).collect()
    }
}

fn findings(found: &Findings) -> FindingsSummary {
    FindingsSummary {
        errors: found.new_errors().map(told).collect(),
        warnings: found.new_warnings().map(told).collect(),
        resolved: found.difference.resolved.iter().map(told).collect(),
        not_checked: found.not_checked.clone(),
    }
}

/// Whether the release is whole, as far as anything tells.
fn complete(release: &Release, plan: &Plan, known: &Known) -> Option<String> {
    let count = release.artifacts.len();
    let images = if count == 1 { "1 image".to_owned() } else { format!("{count} images") };
    if !release.is_complete() {
        return None;
    }
    if plan.choice.overdue().is_some() {
        return Some(format!("{images} so far, and it was waited for the rest long enough"));
    }
    Some(match known.lines_before(&release.version) {
        Some((previous, _)) => format!("{images}, and no line is missing that {previous} had"),
        None => format!("{images}; no earlier release to compare it with"),
    })
}

/// What a reviewer should look at: rules that did not decide, and notes of the reconciliation and of the edit.
fn warnings(plan: &Plan) -> Vec<String> {
    let despite = plan.choice.verdicts.iter().filter_map(|(version, verdict)| match verdict {
        Verdict::Despite(_) => Some(format!("{version} is {verdict}")),
        _ => None,
    });
    let unsigned = plan
        .signatures
        .checked()
        .into_iter()
        .flat_map(Checked::faults)
        .map(|(key, verdict)| format!("{key} is {verdict}"));
    let notes = plan.files.iter().flat_map(|file| file.notes.iter().cloned());
    despite.chain(unsigned).chain(notes).chain(plan.references.notes()).collect()
}

fn unchecked(release: &Release) -> Option<String> {
    match &release.coverage {
        Coverage::Complete => None,
        Coverage::Partial { reason } | Coverage::Unknown { reason } => {
            Some(format!("whether {} has more artifacts: {reason}", release.version))
        }
    }
}

/// Newer releases that are held, and those on the way that are passed over; older ones are no news.
fn others(plan: &Plan) -> Vec<(Version, String)> {
    let newer =
        plan.choice.verdicts.iter().filter(|(version, _)| *version > plan.from && version != plan.to());
    let told = newer.filter(|(_, verdict)| !matches!(verdict, Verdict::Excluded(Exclusion::Prerelease)));
    let say = |(version, verdict): &(Version, Verdict)| match verdict {
        Verdict::Held(hold) => format!("{verdict}; {}", hold.remedy(version)),
        _ => verdict.to_string(),
    };
    told.map(|other| (other.0.clone(), say(other))).collect()
}

/// The images that the files will list: what the bot vouches for, and compares with later.
fn images(release: &Release, plan: &Plan) -> Vec<ImageRow> {
    let listed: BTreeSet<&str> =
        plan.files.iter().flat_map(|file| file.reconciliation.listed_after()).collect();
    let is_listed = |artifact: &&Artifact| listed.contains(artifact.key.as_str());
    let row = |artifact: &Artifact| ImageRow {
        key: artifact.key.to_string(),
        digest: artifact.digest.clone(),
        size: artifact.size.map(Size),
        signature: plan
            .signatures
            .checked()
            .and_then(|checked| checked.verdicts.get(&artifact.key))
            .map(ToString::to_string),
    };
    release.artifacts.values().filter(is_listed).map(row).collect()
}

/// The notes of every release on the way, newest first: who skips releases takes on what all of them changed.
fn release_notes(snapshot: &Snapshot, plan: &Plan) -> Vec<(Version, String)> {
    let on_the_way = |version: &&Version| **version > plan.from && *version <= plan.to();
    let versions = snapshot.known().candidates.keys().rev().filter(on_the_way);
    let note = |version: &Version| Some((version.clone(), snapshot.note(version)?.description.clone()));
    versions.filter_map(note).filter(|(_, text)| !text.trim().is_empty()).collect()
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
