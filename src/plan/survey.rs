//! What the files of a target say before anything is looked up: the version, the mapping, whose entries they are.

mod parsed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::check::{CheckedFile, Severities};
use crate::reconcile::kubernetes_versions::KubernetesVersions;
use crate::reconcile::references::Globs;
use crate::reconcile::values_from::ValuesFrom;
use crate::reconcile::{DefaultEnabled, Images, Ownership};
use crate::release::{ImageKey, Version};
use crate::sylva::{IMAGES, REGISTRIES, REGISTRY_FIELD, VERSION, generation_at};
use crate::values::{Document, KeyPath, Mapping, Position, Scalar, TextsAt, ValuesError};
use parsed::root_above;

pub use parsed::Parsed;

/// Written less alike than this, nobody meant the other name.
const ALIKE: f64 = 0.8;

/// The files that are kept in step with one producer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// The files; the first that is no overlay holds the version.
    pub files: Vec<FileSpec>,
    /// Which keys the mapping lists.
    pub images: Images,
    /// What becomes of `default_enabled` where something newer comes in.
    pub default_enabled: DefaultEnabled,
    /// The entry of `os_images_oci_registries` whose images are ours, where the file does not say.
    pub registry_key: Option<String>,
    /// Which Kubernetes versions elsewhere in the files follow the images.
    pub kubernetes_versions: KubernetesVersions,
    /// Which values follow the Kubernetes versions of the images by lists of others.
    pub values_from: Vec<ValuesFrom>,
    /// Which other files of the project may name image keys.
    pub references: Globs,
    /// How severe each kind of finding is that `check` has.
    pub severities: Severities,
}

impl Target {
    /// The file that holds the version.
    pub fn primary(&self) -> Option<&FileSpec> {
        self.files.iter().find(|file| !file.overlay)
    }
}

impl Target {
    /// The same files with their version at this place. Where that is the tag of a registry, only the tag moves: no image is
    /// listed for its sake, and nothing else of the files follows.
    #[must_use]
    pub fn at(mut self, version_key: KeyPath) -> Self {
        if generation_at(&version_key).is_some() {
            self.images = Images::Listed;
            self.kubernetes_versions = KubernetesVersions::Rules(Vec::new());
            self.values_from = Vec::new();
            self.references = Globs::default();
            self.registry_key = None;
        }
        if let Some(primary) = self.files.iter_mut().find(|file| !file.overlay) {
            primary.version_key = Some(version_key);
        }
        self
    }

    /// Whether its version is the tag of a registry.
    pub fn is_generation(&self) -> bool {
        self.primary().is_some_and(|file| generation_at(&file.version_place()).is_some())
    }

    /// Whether both are of the same files, each with a version of its own in them: then they go together. A generation goes
    /// by itself.
    pub fn goes_with(&self, other: &Self) -> bool {
        let files = |target: &Self| {
            target.files.iter().map(|file| (file.path.clone(), file.overlay)).collect::<Vec<_>>()
        };
        let version = |target: &Self| target.primary().map(FileSpec::version_place);
        let is_generation = self.is_generation() || other.is_generation();
        files(self) == files(other) && version(self) != version(other) && !is_generation
    }
}

/// One file of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSpec {
    /// Its path, in the project or on this machine.
    pub path: String,
    /// Whether it only overlays the mapping (a deployment's `enabled: true`).
    pub overlay: bool,
    /// Where the version stands; its usual name at the top level by default.
    pub version_key: Option<KeyPath>,
    /// Where the mapping stands; one of its usual names at the top level by default.
    pub images_key: Option<KeyPath>,
}

impl FileSpec {
    /// Where its version stands, or would.
    pub fn version_place(&self) -> KeyPath {
        self.version_key.clone().unwrap_or_else(|| KeyPath(vec![VERSION.to_owned()]))
    }
}

/// What the files of a target say.
#[derive(Debug)]
pub struct Survey {
    /// The file that holds version and mapping.
    pub primary: Surveyed,
    /// Overlays of its mapping.
    pub overlays: Vec<Surveyed>,
    /// The release that the files are at.
    pub current: Current,
    /// Whose entries those of the mapping are.
    pub ownership: Ownership,
}

/// One file and where its version and mapping stand.
#[derive(Debug)]
pub struct Surveyed {
    /// Its path.
    pub path: String,
    /// Its text with spans.
    pub document: Arc<Document>,
    /// The version, where the file has one.
    pub version: Option<(KeyPath, Scalar)>,
    /// The mapping of image keys.
    pub mapping: Mapping,
    /// Where the chart's values begin: at the top, or below `spec.values` of a HelmRelease.
    pub root: KeyPath,
}

/// The release that the files are at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Current {
    /// A release.
    Release(Version),
    /// A snapshot (`0.0.0-git-098dca5b`): somebody pinned the file to something that is no release.
    Pinned(Version),
}

/// Why the files say nothing that we can work with.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// A file is missing from what was read.
    #[error("{path} does not exist")]
    Missing {
        /// Its path.
        path: String,
    },
    /// A file cannot be read as a values file.
    #[error("{path}:{error}")]
    Values {
        /// Its path.
        path: String,
        /// Where and why, beginning with line and column where there are any.
        error: ValuesError,
    },
    /// There is no version.
    #[error(
        "{path}: `{key}` was not found; name the version's place with `version_key` (--version-key), or the release with \
         --from"
    )]
    NoVersion {
        /// The file.
        path: String,
        /// Where it was looked for.
        key: KeyPath,
    },
    /// The version is no version.
    #[error("{path}:{at}: {error}; set a release, or name one with --from")]
    NotAVersion {
        /// The file.
        path: String,
        /// Where it stands.
        at: Position,
        /// What is wrong with it.
        error: crate::release::InvalidVersion,
    },
    /// There is no mapping.
    #[error(
        "{path}: neither `{}` nor `{}` was found; name the mapping's place with `images_key` (--images-key)",
        IMAGES[0], IMAGES[1]
    )]
    NoMapping {
        /// The file.
        path: String,
    },
    /// The mapping that was named does not exist.
    #[error("{path}: `{key}` was not found")]
    NoSuchMapping {
        /// The file.
        path: String,
        /// Where it was looked for.
        key: KeyPath,
    },
    /// There are both mappings.
    #[error(
        "{path}: there are both `{}` ({}) and `{}` ({}); say which one with `images_key` (--images-key)",
        IMAGES[0], at[0], IMAGES[1], at[1]
    )]
    TwoMappings {
        /// The file.
        path: String,
        /// Where they stand.
        at: [Position; 2],
    },
    /// The files name registries, and the one that was named is not among them.
    #[error("{path}: `{REGISTRIES}.{name}` was not found, and no image names it{}; correct `registry_key` (--registry-key)", among(.name, .known))]
    NoSuchRegistry {
        /// The file.
        path: String,
        /// The name.
        name: String,
        /// The registries that there are.
        known: Vec<String>,
    },
    /// A target without a file that holds the version.
    #[error("the target has no file but overlays")]
    OnlyOverlays,
}

impl Parsed {
    /// What the files say. `from` is a person's word for the current release, where it is given.
    ///
    /// # Errors
    /// A version or a mapping that is missing or cannot be read.
    pub fn survey(
        &self,
        target: &Target,
        from: Option<&Version>,
        prereleases: bool,
    ) -> Result<Survey, SurveyError> {
        let mut primary = None;
        let mut overlays = Vec::new();
        for spec in &target.files {
            let surveyed = read(spec, self.document(spec)?)?;
            match &primary {
                None if !spec.overlay => primary = Some((spec, surveyed)),
                _ => overlays.push(surveyed),
            }
        }
        let (spec, primary) = primary.ok_or(SurveyError::OnlyOverlays)?;
        let current = current(spec, &primary, from, prereleases)?;
        let ownership = match &target.registry_key {
            Some(name) => registry_called(name, &primary, &overlays)?,
            None => Ownership::from_values(registries(&primary)?.as_ref(), &spec.version_place()),
        };
        Ok(Survey { primary, overlays, current, ownership })
    }
}

/// Reads what the files say. `from` is a person's word for the current release, where it is given.
pub fn survey(
    target: &Target,
    contents: BTreeMap<String, Vec<u8>>,
    from: Option<&Version>,
    prereleases: bool,
) -> Result<Survey, SurveyError> {
    Parsed::new(target, contents)?.survey(target, from, prereleases)
}

fn registries(file: &Surveyed) -> Result<Option<Value>, SurveyError> {
    let registries = file.document.value(&file.root.below(&[REGISTRIES]));
    registries.map_err(|error| values_error(&file.path, error))
}

/// The registry that a person named. Where the files name registries, as entries of their own or of one of their images, it
/// must be one of them; where they name none, they leave that to the chart.
fn registry_called(name: &str, primary: &Surveyed, overlays: &[Surveyed]) -> Result<Ownership, SurveyError> {
    let mut known = BTreeSet::new();
    for file in std::iter::once(primary).chain(overlays) {
        let registries = registries(file)?;
        known.extend(registries.iter().filter_map(Value::as_object).flat_map(|map| map.keys().cloned()));
        let fields = file.mapping.entries.iter().map(|entry| &entry.value[REGISTRY_FIELD]);
        known.extend(fields.filter_map(Value::as_str).map(str::to_owned));
    }
    match known.is_empty() || known.contains(name) {
        true => Ok(Ownership::of_registry(name).in_values(registries(primary)?.as_ref())),
        false => Err(SurveyError::NoSuchRegistry {
            path: primary.path.clone(),
            name: name.to_owned(),
            known: known.into_iter().collect(),
        }),
    }
}

fn read(spec: &FileSpec, document: Arc<Document>) -> Result<Surveyed, SurveyError> {
    let failed = |error| values_error(&spec.path, error);
    let key = spec.version_place();
    let version = if spec.overlay { None } else { document.scalar(&key).map_err(failed)? };
    let mapping = match &spec.images_key {
        Some(key) => document.mapping(key).map_err(failed)?.ok_or_else(|| {
            let none = SurveyError::NoSuchMapping { path: spec.path.clone(), key: key.clone() };
            elsewhere(&spec.path, &document, key).unwrap_or(none)
        })?,
        None => usual_mapping(spec, &document)?,
    };
    let version = version.map(|scalar| (key, scalar));
    let root = root_above(version.as_ref().map_or(&mapping.path, |(key, _)| key));
    Ok(Surveyed { path: spec.path.clone(), version, mapping, root, document })
}

fn usual_mapping(spec: &FileSpec, document: &Document) -> Result<Mapping, SurveyError> {
    let find = |key: &str| {
        let path = KeyPath(vec![key.to_owned()]);
        document.mapping(&path).map_err(|error| values_error(&spec.path, error))
    };
    let path = spec.path.clone();
    match (find(IMAGES[0])?, find(IMAGES[1])?) {
        (Some(one), Some(other)) => Err(SurveyError::TwoMappings { path, at: [one.at, other.at] }),
        (Some(mapping), None) | (None, Some(mapping)) => Ok(mapping),
        (None, None) => {
            let inside = IMAGES.iter().find_map(|key| document.text_with(key));
            Err(inside.map_or(SurveyError::NoMapping { path }, |error| values_error(&spec.path, error)))
        }
    }
}

fn current(
    spec: &FileSpec,
    primary: &Surveyed,
    from: Option<&Version>,
    prereleases: bool,
) -> Result<Current, SurveyError> {
    let version = match (from, &primary.version) {
        (Some(from), _) => from.clone(),
        (None, Some((_, scalar))) => scalar.value.parse().map_err(|error| SurveyError::NotAVersion {
            path: primary.path.clone(),
            at: scalar.at,
            error,
        })?,
        (None, None) => {
            let key = spec.version_place();
            let elsewhere = elsewhere(&primary.path, &primary.document, &key);
            return Err(elsewhere.unwrap_or(SurveyError::NoVersion { path: primary.path.clone(), key }));
        }
    };
    let pinned = version.is_prerelease() && !prereleases && from.is_none();
    Ok(if pinned { Current::Pinned(version) } else { Current::Release(version) })
}

/// What is in the way of a path at which nothing was found, or the text that holds its key.
fn elsewhere(path: &str, document: &Document, key: &KeyPath) -> Option<SurveyError> {
    let obstacle = document.obstacle(key);
    let error = obstacle.or_else(|| key.0.last().and_then(|key| document.text_with(key)))?;
    Some(values_error(path, error))
}

fn among(name: &str, known: &[String]) -> String {
    let likeness = |other: &&String| strsim::jaro_winkler(name, other);
    let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let meant = nearest.filter(|nearest| likeness(nearest) >= ALIKE);
    let meant = meant.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default();
    format!(" (there are {}{meant})", known.join(", "))
}

pub(super) fn values_error(path: &str, error: ValuesError) -> SurveyError {
    SurveyError::Values { path: path.to_owned(), error }
}

impl Surveyed {
    /// The file as `check` takes it.
    pub fn as_file(&self) -> CheckedFile<'_> {
        let Self { path, document, version, mapping, .. } = self;
        CheckedFile { path, document, version: version.as_ref(), mapping }
    }

    /// The same file with another text: version and mapping are where they were.
    pub(super) fn reread(&self, document: Arc<Document>) -> Result<Self, SurveyError> {
        let failed = |error| values_error(&self.path, error);
        let version = match &self.version {
            Some((key, _)) => document.scalar(key).map_err(failed)?.map(|scalar| (key.clone(), scalar)),
            None => None,
        };
        let key = &self.mapping.path;
        let mapping = document.mapping(key).map_err(failed)?;
        let missing = || SurveyError::NoSuchMapping { path: self.path.clone(), key: key.clone() };
        let (path, root) = (self.path.clone(), self.root.clone());
        Ok(Self { path, version, mapping: mapping.ok_or_else(missing)?, root, document })
    }
}

impl Survey {
    /// The files, the one that holds the version first.
    pub fn files(&self) -> impl Iterator<Item = &Surveyed> {
        std::iter::once(&self.primary).chain(&self.overlays)
    }

    /// The keys that the files list, as far as they can be image keys: the registry is always asked for them.
    pub fn listed(&self) -> BTreeSet<ImageKey> {
        self.files()
            .flat_map(|file| &file.mapping.entries)
            .filter_map(|entry| entry.key.parse().ok())
            .collect()
    }

    /// Registries whose images follow a version that the files hold, ours or another builder's; one with a tag that is
    /// written out is at a release of its own.
    pub(super) fn follows_a_version(&self, registry: &str) -> bool {
        let path = self.primary.root.below(&[REGISTRIES, registry, "tag"]);
        let tag = self.primary.document.texts_at(&path).ok().flatten();
        matches!(tag, None | Some(TextsAt::Entries(_)))
            || matches!(tag, Some(TextsAt::One(text)) if text.value.contains("{{"))
    }

    /// The version that the files name, release or not.
    pub fn version(&self) -> &Version {
        match &self.current {
            Current::Release(version) | Current::Pinned(version) => version,
        }
    }
}
