//! Whose a version is, and what it becomes: where several flavors share a text, the old version decides.

use std::collections::BTreeSet;

use super::places::FoundVersion;
use super::token::VersionToken;
use super::{ImagesBothSides, RKE2};

/// What becomes of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum VersionAction {
    /// It is right, or no image tells.
    Right,
    /// It becomes that of the images of a flavor.
    Becomes(String, String),
    /// It stays, for this reason.
    Stays(String),
}

/// What becomes of a version that may be of one of `flavors`; `beside` are all versions of its text.
pub(super) fn fate(
    found: &FoundVersion<'_>,
    flavors: &BTreeSet<&str>,
    beside: &[VersionToken<'_>],
    images: &ImagesBothSides<'_>,
) -> VersionAction {
    let token = &found.token;
    let alive = images.flavors(token.minor);
    let candidates = candidates(found, flavors, beside).into_iter().filter(|flavor| alive.contains(flavor));
    let candidates: BTreeSet<&str> = candidates.collect();
    let is_right = |flavor: &&str| images.version(flavor, token) == Ok(Some(token.text.to_owned()));
    let had: BTreeSet<&str> = candidates.iter().copied().filter(|flavor| images.had(flavor, token)).collect();
    if !had.is_empty() {
        return becomes(&had, token, images);
    }
    if candidates.iter().any(is_right) {
        return VersionAction::Right;
    }
    let mut rivals = beside.iter().filter(|other| is_rival(token, other)).peekable();
    let one = if candidates.len() == 1 { candidates.first() } else { None };
    match one {
        None if candidates.is_empty() => VersionAction::Right,
        None => VersionAction::Stays(format!(
            "its flavor is not known, because no image of {} had it",
            words(&candidates)
        )),
        Some(_) if rivals.peek().is_none() => becomes(&candidates, token, images),
        // The other one is this flavor's, so this one is somebody else's.
        Some(flavor) if rivals.any(|other| images.had(flavor, other)) => VersionAction::Right,
        Some(_) => VersionAction::Stays("another version of this kind stands beside it".to_owned()),
    }
}

/// The flavors that a version may be of by the way in which it is written and by the keys that lead to it. Only rke2 has
/// versions with a revision, and beside such a one a version without is another flavor's.
fn candidates<'f>(
    found: &FoundVersion<'_>,
    flavors: &BTreeSet<&'f str>,
    beside: &[VersionToken<'_>],
) -> BTreeSet<&'f str> {
    let named: BTreeSet<&str> =
        flavors.iter().copied().filter(|flavor| found.path.contains(flavor)).collect();
    let flavors = if named.is_empty() { flavors.clone() } else { named };
    let revised = |other: &VersionToken<'_>| other.minor == found.token.minor && other.is_rke2();
    let (rke2, others): (BTreeSet<&str>, _) = flavors.iter().copied().partition(|flavor| *flavor == RKE2);
    match () {
        () if found.token.is_rke2() => rke2,
        () if beside.iter().any(revised) => others,
        // A rule for another flavor means versions without a revision.
        () if !found.flavors.is_empty() && !others.is_empty() => others,
        () => flavors,
    }
}

/// Whether another version of the same text may be of the same flavor.
fn is_rival(token: &VersionToken<'_>, other: &VersionToken<'_>) -> bool {
    other.minor == token.minor && other.is_rke2() == token.is_rke2() && other.text != token.text
}

/// What the images of flavors make of a version that all of them had.
fn becomes(
    flavors: &BTreeSet<&str>,
    token: &VersionToken<'_>,
    images: &ImagesBothSides<'_>,
) -> VersionAction {
    let mut targets: Vec<(&str, String)> = Vec::new();
    for flavor in flavors {
        match images.version(flavor, token) {
            Ok(Some(to)) => targets.push((flavor, to)),
            Ok(None) => {}
            Err(why) => return VersionAction::Stays(why),
        }
    }
    let Some((flavor, to)) = targets.first().cloned() else { return VersionAction::Right };
    if targets.iter().any(|(_, other)| *other != to) {
        let each = targets.iter().map(|(flavor, to)| format!("{flavor} goes to {to}"));
        return VersionAction::Stays(format!(
            "{} had it, and {}",
            words(flavors),
            each.collect::<Vec<_>>().join(", ")
        ));
    }
    if to == token.text { VersionAction::Right } else { VersionAction::Becomes(flavor.to_owned(), to) }
}

fn words(flavors: &BTreeSet<&str>) -> String {
    flavors.iter().copied().collect::<Vec<_>>().join(" and ")
}
