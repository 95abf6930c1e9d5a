//! The producers that a target's files name: each entry of `os_images_oci_registries` whose `tag` follows a version of the
//! file, and without such an entry what a comment for Renovate says above the version.
//!
//! An entry whose tag is written out follows no version, and one that is switched off serves no image.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::survey::{Parsed, values_error};
use super::{PlanError, Target};
use crate::budget::{Budget, Counted};
use crate::release::{InvalidPrefix, Prefix, Version};
use crate::signature::requirement::registry_path;
use crate::sylva::{BASE_REGISTRY, BASE_REGISTRY_GROUP, REGISTRIES, TAG, VERSION, versions_of};
use crate::values::{Document, KeyPath, Layer, Rendered, ValueError, excerpt, place};

/// Where Sylva's builders publish unless the values say something else.
const PUBLIC: &str = "oci://registry.gitlab.com";

/// A producer that a target's files name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProducer {
    /// Its name: the last segment of its prefix, or its entry where another one has that name too.
    pub name: String,
    /// Where it publishes.
    pub prefix: Prefix,
    /// Where its version stands.
    pub version_key: KeyPath,
    /// How the file mentions it.
    pub mention: Mention,
    /// File, line and column of that.
    pub place: String,
}

/// How a file mentions a producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mention {
    /// This entry of the registries.
    Registry(String),
    /// A comment above the version, with the name of a project: its registry is assumed.
    Comment(String),
}

/// The producers of a target's files, in the order of the registries.
///
/// # Errors
/// Registries that cannot be read, and a URL that cannot be rendered or is no prefix.
pub fn producers(target: &Target, parsed: &Parsed, budget: &Budget) -> Result<Vec<FileProducer>, PlanError> {
    let files = Files { parsed, layers: parsed.layers() };
    let values = files.values()?;
    let values = Rendered::new(&values, budget);
    let mut followed = HashSet::new();
    let mut followers = files.followers(values)?;
    followers.retain(|follower| follower.is_on && followed.insert(follower.version_key.clone()));
    let mut found = files.producers(values, followers, budget)?;
    let version_key = files.version_key(target);
    if !followed.contains(&version_key)
        && let Some(project) = files.primary().and_then(|file| project_above(file, &version_key))
    {
        found.extend(files.of_project(values, version_key, project)?);
    }
    name_apart(&mut found);
    Ok(found)
}

/// The generations of a target's files, in the order of the registries: the entries whose tag is a release that is written
/// out. Each is at that release by itself, whatever version the file follows.
///
/// # Errors
/// As [`producers`].
pub fn generations(parsed: &Parsed, budget: &Budget) -> Result<Vec<FileProducer>, PlanError> {
    let files = Files { parsed, layers: parsed.layers() };
    let values = files.values()?;
    let values = Rendered::new(&values, budget);
    let written = files.entries(values, |files, name, entry| files.written_tag(name, entry))?;
    let is_on: Vec<Follower<'_>> = written.into_iter().filter(|follower| follower.is_on).collect();
    let names: Vec<String> = is_on.iter().map(|follower| follower.name.to_owned()).collect();
    let found = files.producers(values, is_on, budget)?;
    Ok(found.into_iter().zip(names).map(|(found, name)| FileProducer { name, ..found }).collect())
}

/// The producer of a project that something else than the files names for the version: as if a comment named it.
///
/// # Errors
/// As [`producers`].
pub fn producer_of_project(
    target: &Target,
    parsed: &Parsed,
    project: &str,
    budget: &Budget,
) -> Result<Option<FileProducer>, PlanError> {
    let files = Files { parsed, layers: parsed.layers() };
    let values = files.values()?;
    files.of_project(Rendered::new(&values, budget), files.version_key(target), project.to_owned())
}

/// The versions of a target's files that only entries of the registries follow which are switched off, each with such an
/// entry.
///
/// # Errors
/// Registries that cannot be read.
pub fn switched_off(parsed: &Parsed, budget: &Budget) -> Result<Vec<(String, KeyPath)>, PlanError> {
    let files = Files { parsed, layers: parsed.layers() };
    let values = files.values()?;
    let followers = files.followers(Rendered::new(&values, budget))?;
    let is_on = followers.iter().filter(|follower| follower.is_on);
    let followed: HashSet<&KeyPath> = is_on.map(|follower| &follower.version_key).collect();
    let off = followers.iter().filter(|follower| !followed.contains(&follower.version_key));
    Ok(off.map(|follower| (follower.name.to_owned(), follower.version_key.clone())).collect())
}

/// Two producers of one name are called by their entries.
fn name_apart(producers: &mut [FileProducer]) {
    let mut called: HashMap<String, usize> = HashMap::new();
    for producer in producers.iter() {
        *called.entry(producer.name.clone()).or_default() += 1;
    }
    for producer in producers {
        if let Mention::Registry(entry) = &producer.mention
            && called.get(&producer.name).is_some_and(|count| *count > 1)
        {
            producer.name.clone_from(entry);
        }
    }
}

struct Files<'a> {
    parsed: &'a Parsed,
    /// The file that holds the version first.
    layers: Vec<Layer<'a>>,
}

/// An entry of the registries whose tag follows a version of the first file.
struct Follower<'a> {
    name: &'a str,
    version_key: KeyPath,
    is_on: bool,
}

impl<'a> Files<'a> {
    /// What the files say of registries, as Helm merges them.
    fn values(&self) -> Result<Value, PlanError> {
        let wanted = [REGISTRIES, BASE_REGISTRY].map(|key| KeyPath::default().below(&[key]));
        let values = excerpt(&self.layers, &wanted);
        Ok(values.map_err(|(index, error)| values_error(self.parsed.path(index), error))?)
    }

    fn version_key(&self, target: &Target) -> KeyPath {
        let version_key = target.primary().and_then(|spec| spec.version_key.clone());
        version_key.unwrap_or_else(|| self.root().below(&[VERSION]))
    }

    /// The entries whose tag follows a version of the first file, in their order.
    fn followers<'v>(&self, values: Rendered<'v>) -> Result<Vec<Follower<'v>>, PlanError> {
        self.entries(values, |files, _, entry| files.followed(entry))
    }

    /// The entries of which `version_key` says where their version stands, in their order.
    fn entries<'v>(
        &self,
        values: Rendered<'v>,
        version_key: impl Fn(&Self, &str, &Value) -> Option<KeyPath>,
    ) -> Result<Vec<Follower<'v>>, PlanError> {
        let registries = values.mapping(&KeyPath::default().below(&[REGISTRIES]));
        let registries = registries.map_err(|error| self.unread(error))?;
        let mut followers = Vec::new();
        for (name, entry) in registries {
            let Some(version_key) = version_key(self, name, entry) else { continue };
            let enabled = values.flag(&registry_path(name).below(&["enabled"]));
            let is_on = enabled.map_err(|error| self.unread(error))? != Some(false);
            followers.push((self.position(name), Follower { name, version_key, is_on }));
        }
        followers.sort_by_key(|(place, _)| *place);
        Ok(followers.into_iter().map(|(_, follower)| follower).collect())
    }

    /// The version of the first file that an entry's tag reads.
    fn followed(&self, entry: &Value) -> Option<KeyPath> {
        let tag = entry.get(TAG).and_then(Value::as_str)?;
        let keys = versions_of(tag).map(|path| self.root().below(&path.0));
        let mut keys = keys.filter(|key| self.primary().is_some_and(|file| file.key_at(key).is_some()));
        keys.next()
    }

    /// The tag of an entry, where it is a release that is written out in the first file.
    fn written_tag(&self, name: &str, entry: &Value) -> Option<KeyPath> {
        let _: Version = entry.get(TAG)?.as_str()?.parse().ok()?;
        let key = self.root().below(&[REGISTRIES, name, TAG]);
        self.primary()?.key_at(&key).map(|_| key)
    }

    /// Each is looked up in a registry, so that a file may name only so many.
    fn producers(
        &self,
        values: Rendered<'_>,
        followers: Vec<Follower<'_>>,
        budget: &Budget,
    ) -> Result<Vec<FileProducer>, PlanError> {
        let exceeded = |error| PlanError::Exceeded { path: self.parsed.path(0).to_owned(), error };
        budget.spend(Counted::Producers, followers.len() as u64).map_err(exceeded)?;
        followers.into_iter().map(|it| self.producer(values, it.name, it.version_key)).collect()
    }

    fn producer(
        &self,
        values: Rendered<'_>,
        name: &str,
        version_key: KeyPath,
    ) -> Result<FileProducer, PlanError> {
        let at = registry_path(name).below(&["url"]);
        let url = values.required(&at).map_err(|error| self.unread(error))?;
        let url = Some(url.clone()).filter(|url| url.starts_with("oci://")).ok_or(InvalidPrefix(url));
        let prefix = url.and_then(|url| url.parse::<Prefix>());
        let prefix = prefix.map_err(|error| self.wrong(&at, &error.to_string()))?;
        let mention = Mention::Registry(name.to_owned());
        Ok(FileProducer {
            name: prefix.producer().to_owned(),
            prefix,
            version_key,
            mention,
            place: self.place(&at),
        })
    }

    /// The producer of a project: an address of a registry, a path below the base registry, or a project of GitLab's public
    /// registry.
    fn of_project(
        &self,
        values: Rendered<'_>,
        version_key: KeyPath,
        project: String,
    ) -> Result<Option<FileProducer>, PlanError> {
        let Some(file) = self.primary() else { return Ok(None) };
        let base = KeyPath::default().below(&[BASE_REGISTRY]);
        let base = values.text(&base).map_err(|error| self.unread(error))?;
        let below = project.strip_prefix(BASE_REGISTRY_GROUP).and_then(|path| path.strip_prefix('/'));
        let is_address = project.split('/').next().is_some_and(|first| first.contains(['.', ':']));
        let url = match (base.filter(|base| base.starts_with("oci://")), below) {
            (Some(base), Some(below)) => format!("{}/{below}", base.trim_end_matches('/')),
            _ if is_address => format!("oci://{project}"),
            _ => format!("{PUBLIC}/{project}"),
        };
        let place = match file.key_at(&version_key) {
            Some(at) => format!("{}:{at}", self.parsed.path(0)),
            None => self.parsed.path(0).to_owned(),
        };
        // A name that makes no prefix says nothing of a registry.
        let Ok(prefix) = url.parse::<Prefix>() else { return Ok(None) };
        let name = prefix.producer().to_owned();
        Ok(Some(FileProducer { name, prefix, version_key, mention: Mention::Comment(project), place }))
    }

    fn primary(&self) -> Option<&'a Document> {
        self.layers.first().map(|layer| layer.document)
    }

    fn root(&self) -> &'a KeyPath {
        static TOP: KeyPath = KeyPath(Vec::new());
        self.layers.first().map_or(&TOP, |layer| layer.root)
    }

    /// Where an entry stands: by the file, then by the line.
    fn position(&self, name: &str) -> (usize, usize) {
        place(&self.layers, &registry_path(name)).map_or((usize::MAX, 0), |(file, at)| (file, at.line))
    }

    fn place(&self, at: &KeyPath) -> String {
        match place(&self.layers, at) {
            Some((index, at)) => format!("{}:{at}", self.parsed.path(index)),
            None => self.parsed.path(0).to_owned(),
        }
    }

    fn unread(&self, error: ValueError) -> PlanError {
        self.wrong(&error.at.clone(), &error.to_string())
    }

    fn wrong(&self, at: &KeyPath, reason: &str) -> PlanError {
        PlanError::Producer { place: self.place(at), reason: reason.to_owned() }
    }
}

/// The project that a comment for Renovate (`# renovate: depName=…`) names, in the comment lines directly above a key.
pub fn project_above(file: &Document, key: &KeyPath) -> Option<String> {
    let line = file.key_at(key)?.line;
    let above: Vec<&str> = file.text().lines().take(line.saturating_sub(1)).collect();
    let comments = above.iter().rev().map(|line| line.trim()).take_while(|line| line.starts_with('#'));
    let mut named = comments.filter_map(|line| {
        let said = line.trim_start_matches('#').trim_start().strip_prefix("renovate:")?;
        said.split_whitespace().find_map(|word| word.strip_prefix("depName="))
    });
    named.next().map(str::to_owned)
}
