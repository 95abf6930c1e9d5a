//! Which files of a checkout name a release and list its images, and where in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::Checkout;
use super::renovate::Managed;
use crate::plan::project_above;
use crate::release::{Facets, Version};
use crate::sylva::{IMAGES, OS_IMAGES, REGISTRIES, VERSION, versions_of};
use crate::values::{Document, Field, KeyPath};

/// What looks like the name of an image.
static IMAGE_NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[a-z0-9]+-[a-z0-9.-]+-[a-z0-9]+-[0-9]+[-.][0-9]+").ok());

/// The files of a checkout that have to do with images.
pub(super) struct Reading<'c> {
    /// In the order of their paths.
    pub(super) files: Vec<ReadFile<'c>>,
    /// Files that cannot be read and seem to be values files.
    pub(super) notes: Vec<String>,
}

/// A file, and what in it has to do with images.
pub(super) struct ReadFile<'c> {
    pub(super) path: &'c str,
    pub(super) document: Document,
    /// The mappings of image keys.
    pub(super) mappings: Vec<ListedImages>,
    /// Versions that may be of a release of images.
    pub(super) versions: Vec<NamedVersion>,
}

/// A mapping of image keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedImages {
    pub(super) path: KeyPath,
    pub(super) keys: BTreeSet<String>,
}

/// A version that may be of a release of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedVersion {
    pub(super) key: KeyPath,
    /// Where the chart's values begin, as far as the version tells.
    root: KeyPath,
    pub(super) value: Version,
    /// The project of which a custom manager of Renovate says that it is.
    pub(super) project: Option<String>,
}

impl<'c> Reading<'c> {
    pub(super) fn of(checkout: &'c Checkout, managed: &[Managed]) -> Self {
        let mut reading = Self { files: Vec::new(), notes: Vec::new() };
        for (path, bytes) in &checkout.files {
            let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| speaks_of_images(text)) else {
                continue;
            };
            match Document::parse(bytes.clone()) {
                Ok(document) => reading.files.push(ReadFile::new(path, document, managed)),
                Err(error) if seems_to_be_values(text) => reading.notes.push(format!("{path}:{error}")),
                // A template of the chart, or what only mentions an image.
                Err(_) => {}
            }
        }
        reading
    }
}

impl<'c> ReadFile<'c> {
    fn new(path: &'c str, document: Document, managed: &[Managed]) -> Self {
        let here: Vec<&Managed> = managed.iter().filter(|managed| managed.path == path).collect();
        let (mappings, versions) = (mappings(&document), versions(&document, &here));
        Self { path, document, mappings, versions }
    }

    /// Each mapping with the versions that it may be of.
    pub(super) fn pairs<'s>(&'s self) -> impl Iterator<Item = (&'s ListedImages, Vec<&'s NamedVersion>)> {
        let pair = |listed: &'s ListedImages| {
            let near: Vec<&NamedVersion> =
                self.versions.iter().filter(|version| version.root == above(&listed.path)).collect();
            match (near.is_empty(), self.versions.as_slice()) {
                (true, [only]) => (listed, vec![only]),
                _ => (listed, near),
            }
        };
        self.mappings.iter().map(pair).filter(|(_, versions): &(_, Vec<_>)| !versions.is_empty())
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.document.text().as_bytes().to_vec()
    }
}

/// Whether a name is one of an image, by the known schemes.
pub(super) fn is_image(name: &str) -> bool {
    Facets::from_name(name).is_some()
}

fn speaks_of_images(text: &str) -> bool {
    let names = [VERSION, IMAGES[0], IMAGES[1], REGISTRIES];
    names.iter().any(|name| text.contains(name))
        || IMAGE_NAME.as_ref().is_some_and(|name| name.is_match(text))
}

fn seems_to_be_values(text: &str) -> bool {
    let is_key = |line: &str| {
        [VERSION, IMAGES[0], IMAGES[1]]
            .iter()
            .any(|key| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))
    };
    text.lines().any(|line| is_key(line.trim_start()))
}

/// The mappings with the usual names; without any, those whose keys are mostly names of images.
fn mappings(document: &Document) -> Vec<ListedImages> {
    let usual = document.fields_where(|path| path.last().is_some_and(|key| IMAGES.contains(key)));
    let usual: Vec<ListedImages> =
        usual.iter().filter_map(|field| listed(document, key_path(&field.path))).collect();
    if usual.is_empty() { with_names_of_images(document) } else { usual }
}

fn with_names_of_images(document: &Document) -> Vec<ListedImages> {
    let mut counts: BTreeMap<KeyPath, usize> = BTreeMap::new();
    for field in document.fields_where(|path| path.last().is_some_and(|key| is_image(key))) {
        if let [above @ .., _] = field.path.as_slice()
            && above.last().is_some_and(|key| *key != OS_IMAGES)
        {
            *counts.entry(key_path(above)).or_default() += 1;
        }
    }
    let listed = counts.into_iter().filter_map(|(path, count)| Some((listed(document, path)?, count)));
    listed.filter(|(listed, count)| 2 * count > listed.keys.len()).map(|(listed, _)| listed).collect()
}

fn listed(document: &Document, path: KeyPath) -> Option<ListedImages> {
    let mapping = document.mapping(&path).ok().flatten()?;
    Some(ListedImages { keys: mapping.entries.into_iter().map(|entry| entry.key).collect(), path })
}

/// Versions with the usual name, those that registries follow, and those of which Renovate is told that they are a
/// builder's.
fn versions(document: &Document, managed: &[&Managed]) -> Vec<NamedVersion> {
    let fields = document.fields();
    let followed = followed(&fields);
    let mut versions: Vec<NamedVersion> = Vec::new();
    for field in &fields {
        let Some(value) = field.text.and_then(|text| text.parse().ok()) else { continue };
        let key = key_path(&field.path);
        let of_registry = followed.iter().find(|(path, _)| *path == key).map(|(_, root)| root.clone());
        let manager = managed.iter().find(|managed| field.span.contains(&managed.offset));
        let project = manager.map(|managed| managed.project.clone()).filter(|project| is_builder(project));
        let is_usual = || field.path.last() == Some(&VERSION);
        if of_registry.is_some() || is_usual() || project.is_some() || is_commented(document, field, &key) {
            let root = of_registry.unwrap_or_else(|| above(&key));
            versions.push(NamedVersion { key, root, value, project });
        }
    }
    versions
}

/// The versions that the tags of registries read, each with the place where the chart's values begin.
fn followed(fields: &[Field<'_>]) -> Vec<(KeyPath, KeyPath)> {
    let mut followed = Vec::new();
    for field in fields {
        let ([root @ .., REGISTRIES, _, "tag"], Some(tag)) = (field.path.as_slice(), field.text) else {
            continue;
        };
        let root = key_path(root);
        followed.extend(versions_of(tag).map(|path| (root.below(&path.0), root.clone())));
    }
    followed
}

/// Whether a comment for Renovate directly above says that a version is a builder's.
fn is_commented(document: &Document, field: &Field<'_>, key: &KeyPath) -> bool {
    let above = document.line_text(field.key_at.line - 1);
    above.trim_start().starts_with('#')
        && project_above(document, key).is_some_and(|project| is_builder(&project))
}

/// `diskimage-builder`, `kiwi-imagebuilder`
fn is_builder(project: &str) -> bool {
    project.ends_with("builder")
}

pub(super) fn above(path: &KeyPath) -> KeyPath {
    key_path(&path.0[..path.0.len().saturating_sub(1)])
}

fn key_path(path: &[impl AsRef<str>]) -> KeyPath {
    KeyPath(path.iter().map(|key| key.as_ref().to_owned()).collect())
}
