//! Which image takes the place of which when a release follows another: within a line, the newest follows the newest.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};

use super::{Facets, Line};

/// Pairs what went with what came. Only within a line; within an OS release first, then across; the newest with the
/// newest. Equals are paired in the order in which they are given. What finds no partner is left out.
pub fn pair_lines<'f, A, B>(
    gone: impl Iterator<Item = (A, &'f Facets)>,
    came: impl Iterator<Item = (B, &'f Facets)>,
) -> Vec<(A, B)> {
    let mut came = ByLine::new(came);
    let lines = ByLine::new(gone).0.into_iter();
    lines
        .flat_map(|(line, gone)| came.0.remove(&line).map_or_else(Vec::new, |came| gone.paired(came)))
        .collect()
}

/// Of more lines than this none is alike; a release has some dozens.
const MOST_LINES: usize = 200;

/// Images by their line: what is asked of one line looks at no other.
#[derive(Debug)]
pub struct ByLine<'f, T>(BTreeMap<Line, OneLine<'f, T>>);

/// The images of a line.
#[derive(Debug)]
struct OneLine<'f, T> {
    /// The newest first.
    images: Vec<(T, &'f Facets)>,
    /// Where those of each OS release stand.
    of_release: BTreeMap<String, VecDeque<usize>>,
}

impl<'f, T> ByLine<'f, T> {
    /// Sorts them; equals keep the order in which they are given.
    pub fn new(all: impl Iterator<Item = (T, &'f Facets)>) -> Self {
        let mut lines: BTreeMap<Line, Vec<_>> = BTreeMap::new();
        for (one, facets) in all {
            lines.entry(facets.line()).or_default().push((one, facets));
        }
        Self(lines.into_iter().map(|(line, images)| (line, OneLine::new(images))).collect())
    }

    /// The image of the same line that may take the place of one: the newest of its OS release, else the newest.
    pub fn best(&self, of: &Facets) -> Option<&(T, &'f Facets)> {
        self.0.get(&of.line())?.best(of)
    }

    /// The image that is nearest to one: of its line, else of the next line of its family, else of another family, if
    /// there are few enough to look at all of them.
    pub fn nearest(&self, to: &Facets) -> Option<&(T, &'f Facets)> {
        let line = to.line();
        let of_family = |(other, _): &(&Line, _)| other.family == line.family;
        let below = self.0.range(..=&line).next_back().filter(of_family);
        let above = self.0.range(&line..).next().filter(of_family);
        let own: Vec<_> = below.into_iter().chain(above).map(|(_, line)| line).collect();
        let lines: Vec<_> = match own.is_empty() {
            true if self.0.len() <= MOST_LINES => self.0.values().collect(),
            _ => own,
        };
        let best = lines.into_iter().filter_map(|line| line.best(to));
        best.min_by(|(_, a), (_, b)| unlike(to, a).cmp(&unlike(to, b)).then_with(|| nearest_first(to, a, b)))
    }

    /// The images of a line.
    pub fn of_line(&self, line: &Line) -> &[(T, &'f Facets)] {
        self.0.get(line).map(|line| line.images.as_slice()).unwrap_or_default()
    }
}

impl<'f, T> OneLine<'f, T> {
    fn new(mut images: Vec<(T, &'f Facets)>) -> Self {
        images.sort_by(|(_, a), (_, b)| newest_first(a, b));
        let mut of_release: BTreeMap<String, VecDeque<usize>> = BTreeMap::new();
        for (at, (_, facets)) in images.iter().enumerate() {
            of_release.entry(facets.comparable_os_release()).or_default().push_back(at);
        }
        Self { images, of_release }
    }

    fn best(&self, of: &Facets) -> Option<&(T, &'f Facets)> {
        let own = self.of_release.get(&of.comparable_os_release()).and_then(VecDeque::front);
        self.images.get(own.copied().unwrap_or_default())
    }

    fn paired<B>(self, mut came: OneLine<'_, B>) -> Vec<(T, B)> {
        let mut new: Vec<Option<B>> = came.images.into_iter().map(|(one, _)| Some(one)).collect();
        let (mut pairs, mut alone) = (Vec::new(), Vec::new());
        for (old, facets) in self.images {
            let same = came.of_release.get_mut(&facets.comparable_os_release());
            match same.and_then(VecDeque::pop_front).and_then(|at| new[at].take()) {
                Some(found) => pairs.push((old, found)),
                None => alone.push(old),
            }
        }
        pairs.extend(alone.into_iter().zip(new.into_iter().flatten()));
        pairs
    }
}

/// How unlike two images are: another family first, by its parts, then how far their Kubernetes minors are apart.
fn unlike(a: &Facets, b: &Facets) -> (usize, u64, u64) {
    let parts = [a.k8s_flavor != b.k8s_flavor, a.os != b.os, a.flavor != b.flavor];
    let (a, b) = (a.k8s_version.minor, b.k8s_version.minor);
    (parts.iter().filter(|differs| **differs).count(), a.0.abs_diff(b.0), a.1.abs_diff(b.1))
}

/// The order of images that may take the place of one: its OS release first, then the newest.
fn nearest_first(to: &Facets, a: &Facets, b: &Facets) -> Ordering {
    let far = |facets: &Facets| !facets.same_os_release(to);
    far(a).cmp(&far(b)).then_with(|| newest_first(a, b))
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
