//! The files of a target, each parsed once, whatever is asked of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{FileSpec, SurveyError, Target, values_error};
use crate::sylva::REGISTRIES;
use crate::values::{Document, KeyPath, Layer};

/// The files of a target, parsed.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// By their paths, in the order of the target, the one that holds the version first.
    files: Vec<ParsedFile>,
}

#[derive(Debug, Clone)]
struct ParsedFile {
    path: String,
    document: Arc<Document>,
    /// Where the chart's values begin.
    root: KeyPath,
}

impl Parsed {
    /// Parses the files of a target.
    ///
    /// # Errors
    /// A file that is missing, or is not a values file.
    pub fn new(target: &Target, mut contents: BTreeMap<String, Vec<u8>>) -> Result<Self, SurveyError> {
        let parse = |spec: &FileSpec| {
            let path = spec.path.clone();
            let bytes = contents.remove(&path).ok_or_else(|| SurveyError::Missing { path: path.clone() })?;
            let document = Document::parse(bytes).map_err(|error| values_error(&path, error))?;
            let key = spec.images_key.as_ref().or(spec.version_key.as_ref());
            let root = key.map(root_above).unwrap_or_default();
            Ok(ParsedFile { path, document: Arc::new(document), root })
        };
        let mut files = target.files.iter().map(parse).collect::<Result<Vec<_>, SurveyError>>()?;
        if let Some(primary) = target.files.iter().position(|spec| !spec.overlay) {
            files[..=primary].rotate_right(1);
        }
        Ok(Self { files })
    }

    /// Whether the files still have these contents.
    pub fn is_of(&self, contents: &BTreeMap<String, Vec<u8>>) -> bool {
        let has = |file: &ParsedFile| {
            contents.get(&file.path).is_some_and(|bytes| *bytes == file.document.text().as_bytes())
        };
        self.files.iter().all(has)
    }

    /// The files as Helm merges them, the one that holds the version first.
    pub(in crate::plan) fn layers(&self) -> Vec<Layer<'_>> {
        self.files.iter().map(|file| Layer { document: &file.document, root: &file.root }).collect()
    }

    /// The path of a layer.
    pub(in crate::plan) fn path(&self, layer: usize) -> &str {
        self.files.get(layer).map(|file| file.path.as_str()).unwrap_or_default()
    }

    /// The text of a file.
    pub(in crate::plan) fn document(&self, spec: &FileSpec) -> Result<Arc<Document>, SurveyError> {
        let file = self.files.iter().find(|file| file.path == spec.path);
        let missing = || SurveyError::Missing { path: spec.path.clone() };
        file.map(|file| Arc::clone(&file.document)).ok_or_else(missing)
    }
}

/// Where the chart's values begin in whose mapping of images, version or entry of the registries a path leads.
pub(in crate::plan) fn root_above(key: &KeyPath) -> KeyPath {
    let registries = key.0.iter().position(|step| step == REGISTRIES);
    let end = registries.unwrap_or(key.0.len().saturating_sub(1));
    KeyPath(key.0.iter().take(end).cloned().collect())
}
