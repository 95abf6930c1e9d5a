//! What a file that names image keys says of itself: a version of its own, keys that it lists, whose these are.

use std::collections::{BTreeMap, BTreeSet};

use crate::reconcile::{Ownership, ownership};
use crate::sylva::{OS_IMAGES, REGISTRY_FIELD};
use crate::values::{Document, Field, Position};

/// How a target calls what a file may have too, at whatever depth.
#[derive(Debug, Clone, Copy)]
pub struct KeysHere<'a> {
    /// The names of the version.
    pub version: &'a [&'a str],
    /// The names of the mapping of image keys.
    pub mapping: &'a [&'a str],
}

/// What a file says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Here<'a> {
    /// Where it names a version of its own: its images are of that release, whatever the target does.
    pub version: Option<Position>,
    /// Keys that its own mapping of image keys lists, as ours.
    pub listed: BTreeSet<&'a str>,
    /// Keys that its own mapping lists of other registries, and these.
    pub(super) foreign: BTreeMap<&'a str, &'a str>,
    /// Keys of the user's own images.
    pub(super) own_images: BTreeSet<&'a str>,
}

/// The keys of the user's own images in a file.
pub fn own_images(document: &Document) -> BTreeSet<&str> {
    let fields = document.fields_where(is_own_image);
    fields.iter().filter_map(|field| field.path.last().copied()).collect()
}

fn is_own_image(path: &[&str]) -> bool {
    matches!(path, [.., OS_IMAGES, _])
}

impl<'a> Here<'a> {
    /// Reads a file that the target does not reconcile.
    pub fn read(document: &'a Document, keys: KeysHere<'_>, ours: &Ownership) -> Self {
        let is_below = |path: &[&str], names: &[&str], depth: usize| {
            path.len().checked_sub(depth + 1).is_some_and(|at| names.contains(&path[at]))
        };
        let is_version = |path: &[&str]| is_below(path, keys.version, 0);
        let is_entry = |path: &[&str]| is_below(path, keys.mapping, 1);
        let is_registry =
            |path: &[&str]| is_below(path, keys.mapping, 2) && path.last() == Some(&REGISTRY_FIELD);
        let fields = document.fields_where(|path| {
            is_version(path) || is_entry(path) || is_registry(path) || is_own_image(path)
        });
        let mut here = Self::default();
        for field in &fields {
            let path = field.path.as_slice();
            match path {
                _ if is_version(path) => here.version = here.version.or(version(field)),
                [.., key] if is_entry(path) => drop(here.listed.insert(*key)),
                [.., key] if is_own_image(path) => drop(here.own_images.insert(*key)),
                [.., key, _] => {
                    // Where nothing says which registry is ours, nobody else's is told either.
                    let is_theirs = |name: &&str| {
                        ours.registries().next().is_some() && ours.registries().all(|our| our != *name)
                    };
                    let theirs = field.text.filter(is_theirs);
                    here.foreign.extend(theirs.map(|registry| (*key, registry)));
                }
                _ => {}
            }
        }
        here.listed.retain(|key| !here.foreign.contains_key(key) && !ownership::is_template(key));
        here
    }
}

/// Where a field names a version; a template hands another one on.
fn version(field: &Field<'_>) -> Option<Position> {
    let text = field.text.filter(|text| !matches!(*text, "" | "~" | "null") && !ownership::is_template(text));
    text.map(|_| field.at)
}
