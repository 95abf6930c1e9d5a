//! The mapping of image keys: dead, repeated, missing and stray entries, and the fixes that are safe.

use std::collections::{HashMap, HashSet};

use super::notes::{Notes, PendingFinding, place};
use super::{CheckInputs, CheckedFile, FindingPlace, Fix, Id, Read};
use crate::reconcile::{Images, Is, Stand, Standing};
use crate::release::{Coverage, Release};
use crate::values::{Change, KeyPath};

/// Judges the mapping of the file that holds the version.
pub(super) fn judge(
    inputs: &CheckInputs<'_>,
    wanted: &Release,
    standing: &Standing<'_>,
    reads: &[Read<'_>],
    notes: &mut Notes,
) {
    judge_entries(&inputs.primary, wanted, standing, reads, notes);
    let unproven = unproven(standing);
    if let (Coverage::Partial { reason }, false) = (&wanted.coverage, unproven.is_empty()) {
        let keys = unproven.join(", ");
        notes.unknown.push(format!("{}, known in part ({reason}): whether it has {keys}", wanted.version));
    }
    for key in &standing.unlisted {
        notes.find(PendingFinding {
            id: Id::UnlistedArtifact,
            place: mapping_place(&inputs.primary),
            subject: key.to_string(),
            message: format!("`{key}` is published with {} and not listed", wanted.version),
            help: Some(match standing.policy {
                Images::All => format!("images: all; `dibump plan --to {} --write` adds it", wanted.version),
                policy => format!(
                    "images: {policy}; list the key, or `dibump plan --images all --to {} --write` adds every image",
                    wanted.version
                ),
            }),
            fix: None,
        });
    }
}

/// Judges an overlay of the mapping.
pub(super) fn judge_overlay(
    file: &CheckedFile<'_>,
    wanted: &Release,
    standing: &Standing<'_>,
    reads: &[Read<'_>],
    notes: &mut Notes,
) {
    judge_entries(file, wanted, standing, reads, notes);
}

/// Judges the mapping of a file that the target does not reconcile: nothing there is put right by itself.
pub(super) fn judge_reference(
    file: &CheckedFile<'_>,
    wanted: &Release,
    standing: &Standing<'_>,
    notes: &mut Notes,
) {
    let before = notes.findings.len();
    judge_entries(file, wanted, standing, &[], notes);
    notes.findings.iter_mut().skip(before).for_each(|finding| finding.fix = None);
}

fn judge_entries(
    file: &CheckedFile<'_>,
    wanted: &Release,
    standing: &Standing<'_>,
    reads: &[Read<'_>],
    notes: &mut Notes,
) {
    let mentions = Mentions::new(file, standing, reads);
    for stand in &standing.entries {
        if let Some(first) = stand.repeats {
            notes.find(repeated(file, standing, stand, first, &mentions));
            continue;
        }
        match &stand.is {
            Is::Dead { nearest, successor } => {
                let is_free = *successor && !mentions.holds(&stand.entry.key);
                let fix = nearest.as_ref().filter(|_| is_free);
                notes.find(PendingFinding {
                    id: Id::DeadKey,
                    place: key_place(file, stand),
                    subject: stand.entry.key.clone(),
                    message: format!("`{}` is not published with {}", stand.entry.key, wanted.version),
                    help: nearest.as_ref().map(|key| match successor {
                        true => format!("the artifact of its series is `{key}`"),
                        false => format!("the nearest that is published is `{key}`"),
                    }),
                    fix: fix.map(|to| rename(file, stand, to.as_str())),
                });
            }
            Is::Stray { registry } => notes.find(PendingFinding {
                id: Id::StrayKey,
                place: key_place(file, stand),
                subject: stand.entry.key.clone(),
                message: format!(
                    "it is not known whether the registry `{registry}` of `{}` is the producer's, and {} does not have it",
                    stand.entry.key, wanted.version
                ),
                help: Some("name the producer's entry of os_images_oci_registries with --registry-key".to_owned()),
                fix: None,
            }),
            Is::Unproven => drop(notes.undecided.insert(Id::DeadKey)),
            Is::Living | Is::Foreign { .. } | Is::Template => {}
        }
    }
}

fn repeated(
    file: &CheckedFile<'_>,
    standing: &Standing<'_>,
    stand: &Stand<'_>,
    first: usize,
    mentions: &Mentions<'_>,
) -> PendingFinding {
    let key = &stand.entry.key;
    let at = standing.entries.get(first).map(|first| first.entry.at.to_string()).unwrap_or_default();
    // Helm takes the last one, so an equal one may still be the last word against a different one between them.
    let equal = !mentions.contradicted.contains(key.as_str());
    PendingFinding {
        id: Id::DuplicateKey,
        place: key_place(file, stand),
        subject: key.clone(),
        message: match equal {
            true => format!("`{key}` is written twice, first at {at}"),
            false => format!("`{key}` is written twice with different values, first at {at}"),
        },
        help: (!equal).then(|| "Helm takes the last one".to_owned()),
        fix: equal.then(|| Fix {
            description: format!("remove the second `{key}`"),
            change: Change::Remove {
                mapping: file.mapping.path.clone(),
                entry: stand.index,
                with_comments_above: false,
            },
            new_key: None,
        }),
    }
}

fn rename(file: &CheckedFile<'_>, stand: &Stand<'_>, to: &str) -> Fix {
    Fix {
        description: format!("rename `{}` to `{to}`", stand.entry.key),
        change: Change::Rename { mapping: file.mapping.path.clone(), entry: stand.index, to: to.to_owned() },
        new_key: Some(to.to_owned()),
    }
}

/// What more there is of the keys of a mapping.
struct Mentions<'a> {
    /// Keys that are written twice with different values: nobody knows which entry is the right one.
    contradicted: HashSet<&'a str>,
    /// Dead keys that stand anywhere but in the mapping: what refers to one would be left behind by a new name.
    elsewhere: HashSet<&'a str>,
}

impl<'a> Mentions<'a> {
    fn new(file: &CheckedFile<'_>, standing: &'a Standing<'_>, reads: &[Read<'_>]) -> Self {
        let mut values = HashMap::new();
        let differs = |stand: &&'a Stand<'_>| {
            let value = &stand.entry.value;
            *values.entry(stand.entry.key.as_str()).or_insert(value) != value
        };
        let contradicted = standing.entries.iter().filter(differs).map(|stand| stand.entry.key.as_str());
        let contradicted = contradicted.collect();
        let dead = standing.entries.iter().filter(|stand| matches!(stand.is, Is::Dead { .. }));
        let dead: HashSet<&str> = dead.map(|stand| stand.entry.key.as_str()).collect();
        let elsewhere = reads.iter().flat_map(|read| elsewhere(&dead, &file.mapping.path, read)).collect();
        Self { contradicted, elsewhere }
    }

    fn holds(&self, key: &str) -> bool {
        self.contradicted.contains(key) || self.elsewhere.contains(key)
    }
}

/// Those of the keys that a file has more often than its mapping at this path.
fn elsewhere<'a>(keys: &HashSet<&'a str>, mapping: &KeyPath, read: &Read<'_>) -> Vec<&'a str> {
    if keys.is_empty() {
        return Vec::new();
    }
    let is_listed = |path: &[&str]| {
        path.split_last().is_some_and(|(key, above)| *above == mapping.0 && keys.contains(key))
    };
    let mut more: HashMap<&str, isize> = HashMap::new();
    read.document
        .texts(|said| keys.contains(said))
        .for_each(|text| *more.entry(text.value).or_default() += 1);
    for field in read.document.fields_where(is_listed) {
        if let Some(key) = field.path.last() {
            *more.entry(key).or_default() -= 1;
        }
    }
    keys.iter().copied().filter(|key| more.get(key).is_some_and(|count| *count > 0)).collect()
}

/// Listed keys that are ours and were neither seen nor denied.
fn unproven(standing: &Standing<'_>) -> Vec<String> {
    let unproven =
        standing.entries.iter().filter(|stand| stand.is == Is::Unproven && stand.repeats.is_none());
    unproven.map(|stand| stand.entry.key.clone()).collect()
}

pub(super) fn key_place(file: &CheckedFile<'_>, stand: &Stand<'_>) -> FindingPlace {
    let key = file.mapping.path.below(&[&stand.entry.key]);
    place(file.path, file.document, key, stand.entry.key_span.clone())
}

pub(super) fn mapping_place(file: &CheckedFile<'_>) -> FindingPlace {
    let path = &file.mapping.path;
    let length = path.0.last().map_or(1, |key| key.chars().count());
    let at = file.document.key_at(path).unwrap_or(file.mapping.at);
    FindingPlace { path: file.path.to_owned(), key: path.clone(), at, length }
}
