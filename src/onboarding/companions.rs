//! What goes with a file that names a release: overlays of its mapping, and other files that name its keys. Of several such
//! files the nearest one has them.

use std::collections::BTreeSet;

use super::Checkout;
use super::candidates::{ListedImages, ReadFile, Reading, above, is_image};
use crate::plan::FileSpec;
use crate::reconcile::references::Globs;
use crate::values::Document;

/// From so many files in one folder on, the folder is named in place of the files.
const MANY: usize = 3;

/// A file with a version and a mapping.
pub(super) struct Primary<'r> {
    pub(super) path: &'r str,
    pub(super) listed: &'r ListedImages,
}

/// The files with a version and a mapping, and those that have no version of their own.
pub(super) struct Companions<'r> {
    primaries: Vec<Primary<'r>>,
    others: Vec<&'r ReadFile<'r>>,
}

impl<'r> Companions<'r> {
    pub(super) fn new(reading: &'r Reading<'_>) -> Self {
        let primary =
            |file: &'r ReadFile<'_>| file.pairs().map(|(listed, _)| Primary { path: file.path, listed });
        let primaries = reading.files.iter().flat_map(primary).collect();
        Self { primaries, others: reading.files.iter().filter(|file| file.versions.is_empty()).collect() }
    }

    /// The overlays of a mapping.
    pub(super) fn overlays(&self, path: &str, listed: &ListedImages) -> Vec<FileSpec> {
        let overlay = |file: &&'r ReadFile<'r>| {
            let own = overlaid(file)?;
            let images_key = Some(own.path.clone()).filter(|key| !above(key).0.is_empty());
            let spec = FileSpec { path: file.path.to_owned(), overlay: true, version_key: None, images_key };
            self.owner(file).is_some_and(|owner| owner.is(path, listed)).then_some(spec)
        };
        self.others.iter().filter_map(overlay).collect()
    }

    /// Globs of the files that name keys of a mapping and are no overlays.
    pub(super) fn references(&self, path: &str, listed: &ListedImages, checkout: &Checkout) -> Globs {
        let is_its = |file: &ReadFile<'_>| Some(self.owner(file)?.is(path, listed));
        let others = self.others.iter().filter(|file| overlaid(file).is_none());
        let paths: Vec<&str> =
            others.filter(|file| is_its(file) == Some(true)).map(|file| file.path).collect();
        let globs = self.folder(&paths, is_its, checkout);
        let globs = globs.unwrap_or_else(|| paths.iter().map(|path| globset::escape(path)).collect());
        Globs::new(globs).unwrap_or_default()
    }

    /// The folder of many files, unless that would name a file that is not to be read as values, or goes with another
    /// mapping. A file with a version of its own is left alone anyhow.
    fn folder(
        &self,
        paths: &[&str],
        is_its: impl Fn(&ReadFile<'_>) -> Option<bool>,
        checkout: &Checkout,
    ) -> Option<Vec<String>> {
        let folder = paths.iter().copied().map(folder_of).reduce(common)?;
        if paths.len() < MANY || folder.is_empty() {
            return None;
        }
        let globs = vec![format!("{}/**/*.yaml", globset::escape(folder))];
        let matching = Globs::new(globs.clone()).ok()?;
        let mut matched = checkout.files.iter().filter(|(path, _)| matching.match_path(path));
        let is_harmless = |(path, bytes): (&String, &Vec<u8>)| {
            let known = self.others.iter().find(|file| file.path == path);
            known.is_none_or(|file| is_its(file) != Some(false)) && Document::parse(bytes.clone()).is_ok()
        };
        let all_match = paths.iter().all(|path| matching.match_path(path));
        (all_match && matched.all(is_harmless)).then_some(globs)
    }

    /// The mapping that a file without a version goes with: `None` where it names no keys.
    fn owner(&self, file: &ReadFile<'_>) -> Option<&Primary<'r>> {
        match overlaid(file) {
            Some(own) => self.nearest(file.path, &own.keys),
            None => {
                let all: BTreeSet<&String> =
                    self.primaries.iter().flat_map(|primary| &primary.listed.keys).collect();
                let named = named(&file.document, &all);
                (!named.is_empty()).then(|| self.nearest(file.path, &named)).flatten()
            }
        }
    }

    /// Of the mappings that list most of these keys, the one whose file is nearest; the first of several.
    fn nearest(&self, path: &str, keys: &BTreeSet<String>) -> Option<&Primary<'r>> {
        let nearness = |primary: &&Primary<'r>| {
            let shared = primary.listed.keys.intersection(keys).count();
            (
                shared > 0,
                common(folder_of(path), folder_of(primary.path)).split_terminator('/').count(),
                shared,
            )
        };
        self.primaries.iter().rev().max_by_key(nearness)
    }
}

impl Primary<'_> {
    fn is(&self, path: &str, listed: &ListedImages) -> bool {
        self.path == path && self.listed.path == listed.path
    }
}

/// The mapping of a file without a version, which lists images.
fn overlaid<'f>(file: &'f ReadFile<'_>) -> Option<&'f ListedImages> {
    file.mappings.iter().find(|listed| listed.keys.iter().any(|key| is_image(key)))
}

/// The keys that a file names anywhere.
fn named(document: &Document, keys: &BTreeSet<&String>) -> BTreeSet<String> {
    let is_said = |key: &&&String| {
        document.text().contains(key.as_str())
            && document.texts(|text| text.contains(key.as_str())).next().is_some()
    };
    keys.iter().filter(is_said).map(|key| (*key).clone()).collect()
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder in which both are.
fn common<'p>(one: &'p str, other: &str) -> &'p str {
    let mut end = 0;
    for (a, b) in one.split('/').zip(other.split('/')) {
        if a != b || a.is_empty() {
            break;
        }
        end += a.len() + usize::from(end > 0);
    }
    &one[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_folder_of_two() {
        for (one, other, expected) in [
            ("a/b", "a/b", "a/b"),
            ("a/b/c", "a/b", "a/b"),
            ("a/bc", "a/b", "a"),
            ("", "a", ""),
            ("x", "y", ""),
        ] {
            assert_eq!(common(one, other), expected, "{one} {other}");
        }
    }
}
