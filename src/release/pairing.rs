//! Which image takes the place of which when a release follows another: within a line, the newest follows the newest.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};

use super::Facets;
use super::facets::OfLine;

/// Pairs what went with what came. Only within a line; within an OS release first, then across; the newest with the
/// newest. Equals are paired in the order in which they are given. What finds no partner is left out.
pub fn pair_lines<'f, A, B>(
    gone: impl Iterator<Item = (A, &'f Facets)>,
    came: impl Iterator<Item = (B, &'f Facets)>,
) -> Vec<(A, B)> {
    let mut came = ByLine::new(came).0.into_iter().peekable();
    let pairs = |gone: OneLine<'_, A>| {
        while came.next_if(|came| came.line() < gone.line()).is_some() {}
        let came = came.next_if(|came| came.line() == gone.line());
        came.map_or_else(Vec::new, |came| gone.paired(came))
    };
    ByLine::new(gone).0.into_iter().flat_map(pairs).collect()
}

/// Of more lines than this none is alike; a release has some dozens.
const MOST_LINES: usize = 200;

/// Images by their line: what is asked of one line looks at no other.
#[derive(Debug)]
pub struct ByLine<'f, T>(Vec<OneLine<'f, T>>);

/// The images of a line: at least one.
#[derive(Debug)]
struct OneLine<'f, T> {
    /// The newest first.
    images: Vec<(T, &'f Facets)>,
    /// Where those of each OS release stand.
    of_release: BTreeMap<Cow<'f, str>, VecDeque<usize>>,
}

impl<'f, T> ByLine<'f, T> {
    /// Sorts them; equals keep the order in which they are given.
    pub fn new(all: impl Iterator<Item = (T, &'f Facets)>) -> Self {
        let mut all: Vec<(T, &Facets)> = all.collect();
        all.sort_by(|(_, a), (_, b)| a.of_line().cmp(&b.of_line()).then_with(|| newest_first(a, b)));
        let mut lines: Vec<OneLine<'_, T>> = Vec::new();
        for (one, facets) in all {
            match lines.last_mut().filter(|last| last.line() == Some(facets.of_line())) {
                Some(last) => last.push(one, facets),
                None => lines.push(OneLine::new(one, facets)),
            }
        }
        Self(lines)
    }

    /// The image of the same line that may take the place of one: the newest of its OS release, else the newest.
    pub fn best(&self, of: &Facets) -> Option<&(T, &'f Facets)> {
        self.of_line(of)?.best(of)
    }

    /// The image that is nearest to one: of its line, else of the next line of its family, else of another family, if
    /// there are few enough to look at all of them.
    pub fn nearest(&self, to: &Facets) -> Option<&(T, &'f Facets)> {
        let line = to.of_line();
        let of_family = |one: &&OneLine<'_, T>| one.line().is_some_and(|one| one.family() == line.family());
        let at = self.0.partition_point(|one| one.line() < Some(line));
        let below = self.0[..at].last().filter(of_family);
        let above = self.0.get(at).filter(of_family);
        let own: Vec<_> = match self.of_line(to) {
            Some(own) => vec![own],
            None => below.into_iter().chain(above).collect(),
        };
        let lines = match own.is_empty() {
            true if self.0.len() <= MOST_LINES => self.0.iter().collect(),
            _ => own,
        };
        let best = lines.into_iter().filter_map(|line| line.best(to));
        best.min_by(|(_, a), (_, b)| unlike(to, a).cmp(&unlike(to, b)).then_with(|| nearest_first(to, a, b)))
    }

    /// The images of the same line.
    pub fn beside(&self, facets: &Facets) -> &[(T, &'f Facets)] {
        self.of_line(facets).map(|line| line.images.as_slice()).unwrap_or_default()
    }

    fn of_line(&self, facets: &Facets) -> Option<&OneLine<'f, T>> {
        let line = Some(facets.of_line());
        self.0.binary_search_by(|one| one.line().cmp(&line)).ok().map(|at| &self.0[at])
    }
}

impl<'f, T> OneLine<'f, T> {
    fn new(first: T, facets: &'f Facets) -> Self {
        let mut line = Self { images: Vec::new(), of_release: BTreeMap::new() };
        line.push(first, facets);
        line
    }

    /// Takes one that is no newer than those it has.
    fn push(&mut self, one: T, facets: &'f Facets) {
        self.of_release.entry(facets.comparable_os_release()).or_default().push_back(self.images.len());
        self.images.push((one, facets));
    }

    fn line(&self) -> Option<OfLine<'f>> {
        self.images.first().map(|(_, facets)| facets.of_line())
    }

    fn best(&self, of: &Facets) -> Option<&(T, &'f Facets)> {
        let own = self.of_release.get(&*of.comparable_os_release()).and_then(VecDeque::front);
        self.images.get(own.copied().unwrap_or_default())
    }

    fn paired<B>(self, mut came: OneLine<'_, B>) -> Vec<(T, B)> {
        let mut new: Vec<Option<B>> = came.images.into_iter().map(|(one, _)| Some(one)).collect();
        let (mut pairs, mut alone) = (Vec::new(), Vec::new());
        for (old, facets) in self.images {
            let same = came.of_release.get_mut(&*facets.comparable_os_release());
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
