//! Which image takes the place of which when a release follows another: within a line, the newest follows the newest.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Facets, Line};

/// Pairs what went with what came. Only within a line; within an OS release first, then across; the newest with the
/// newest. Equals are paired in the order in which they are given. What finds no partner is left out.
pub fn pair_lines<'f, A, B>(
    gone: impl Iterator<Item = (A, &'f Facets)>,
    came: impl Iterator<Item = (B, &'f Facets)>,
) -> Vec<(A, B)> {
    let mut came = by_line(came);
    let lines = by_line(gone).into_iter();
    lines.flat_map(|(line, gone)| pair(gone, came.remove(&line).unwrap_or_default())).collect()
}

fn by_line<'f, T>(all: impl Iterator<Item = (T, &'f Facets)>) -> BTreeMap<Line, Vec<(T, &'f Facets)>> {
    let mut lines: BTreeMap<Line, Vec<_>> = BTreeMap::new();
    for (one, facets) in all {
        lines.entry(facets.line()).or_default().push((one, facets));
    }
    for line in lines.values_mut() {
        line.sort_by(|(_, a), (_, b)| newest_first(a, b));
    }
    lines
}

fn pair<A, B>(gone: Vec<(A, &Facets)>, mut came: Vec<(B, &Facets)>) -> Vec<(A, B)> {
    let mut pairs = Vec::new();
    let mut alone = Vec::new();
    for (old, facets) in gone {
        match came.iter().position(|(_, other)| other.same_os_release(facets)) {
            Some(found) => pairs.push((old, came.remove(found).0)),
            None => alone.push(old),
        }
    }
    pairs.extend(alone.into_iter().zip(came.into_iter().map(|(new, _)| new)));
    pairs
}

/// The order within a line: the newest OS release first, then the highest patch and revision.
pub fn newest_first(a: &Facets, b: &Facets) -> Ordering {
    compare_os_releases(&b.os_release, &a.os_release).then_with(|| compare_k8s(b, a))
}

/// Kubernetes versions from low to high; a revision counts by its numbers (`rke2r2` before `rke2r10`).
pub fn compare_k8s(a: &Facets, b: &Facets) -> Ordering {
    let (a, b) = (&a.k8s_version, &b.k8s_version);
    let revision = |text: &Option<String>| text.as_deref().map(natural);
    (a.minor, a.patch)
        .cmp(&(b.minor, b.patch))
        .then_with(|| revision(&a.revision).cmp(&revision(&b.revision)))
}

/// OS releases from old to new: numbers by value, code names by the alphabet (`jammy` before `noble`).
pub fn compare_os_releases(a: &str, b: &str) -> Ordering {
    natural(a).cmp(&natural(b))
}

/// Text as its words and numbers, so that `15-10` is above `15.6`.
fn natural(text: &str) -> Vec<(u64, String)> {
    let mut parts: Vec<(u64, String)> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        let mut rest = word;
        while let Some(first) = rest.chars().next() {
            let same = |c: char| c.is_ascii_digit() == first.is_ascii_digit();
            let (part, tail) = rest.split_at(rest.find(|c| !same(c)).unwrap_or(rest.len()));
            parts.push(part.parse().map_or((0, part.to_owned()), |number| (number, String::new())));
            rest = tail;
        }
    }
    parts
}
