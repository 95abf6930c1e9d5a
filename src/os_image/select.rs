//! Which images the values enable, as the charts decide it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::registries::{Generations, ImageRegistry, cosign_key, has_generations, registry};
use super::wanted::EntryRule;
use super::{Form, ImageOrigin, OsImage, Problem, Published, Wrong};
use crate::release::{ImageKey, Prefix, Tag};
use crate::sylva::{COSIGN_KEY, DIB_IMAGE, IMAGE_REGISTRY_KEY, OS_IMAGES, REGISTRY_FIELD};
use crate::values::{KeyPath, Rendered};

/// The field of a rendered image with the address of its artifact.
const URI: &str = "uri";
/// What that address looks like.
const ARTIFACT: &str = "oci://registry/path/image:tag";

/// What the values enable.
#[derive(Debug, Clone, PartialEq)]
pub struct EnabledImages {
    /// The form of the values.
    pub form: Form,
    /// The images, by their keys.
    pub images: Vec<OsImage>,
    /// What cannot be used; while there is any, the images are not all.
    pub problems: Vec<Problem>,
}

/// The form that values have; `None` where they have neither mapping.
///
/// # Errors
/// Both mappings are there.
pub fn form(values: Rendered<'_>) -> Result<Option<Form>, BothForms> {
    let has = |form: Form| values.values().get(form.mapping()).is_some_and(|mapping| !mapping.is_null());
    match (has(Form::Proposal), has(Form::SylvaCore)) {
        (true, true) => Err(BothForms),
        (true, false) => Ok(Some(Form::Proposal)),
        (false, true) if has_generations(values) => Ok(Some(Form::Sylva16)),
        (false, true) => Ok(Some(Form::SylvaCore)),
        (false, false) => Ok(None),
    }
}

/// Values that have both forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the values have diskimage_builder_os_images and sylva_diskimagebuilder_images; say which with --form"
)]
pub struct BothForms;

/// The images that values of a form enable, and the user's own ones. `fallback` is the registry of entries that name
/// none.
pub fn select(values: Rendered<'_>, form: Form, fallback: Option<&Prefix>) -> EnabledImages {
    let (images, generations) = (BTreeMap::new(), OnceCell::new());
    let mut selecting = Selecting { values, generations, images, problems: Vec::new() };
    selecting.all(form, fallback);
    EnabledImages { form, images: selecting.images.into_values().collect(), problems: selecting.problems }
}

struct Selecting<'a> {
    values: Rendered<'a>,
    generations: OnceCell<Result<Generations, Problem>>,
    images: BTreeMap<String, OsImage>,
    problems: Vec<Problem>,
}

impl Selecting<'_> {
    fn all(&mut self, form: Form, fallback: Option<&Prefix>) {
        let path = KeyPath(vec![form.mapping().to_owned()]);
        let Some(entries) = self.noted(self.values.mapping(&path).map_err(Problem::from)) else { return };
        let Some(rule) = self.noted(EntryRule::of(self.values, form, &entries)) else { return };
        let mut known = BTreeSet::new();
        for (key, entry) in entries {
            let at = path.below(&[key]);
            if let Some(rendered) = self.wanted(key, entry, &at, &rule, &mut known) {
                let images = self.images(rendered, &at, form, fallback);
                self.noted(images).into_iter().flatten().for_each(|image| self.add(image));
            }
        }
        self.own(&rule, &mut known);
        self.problems.extend(rule.lacking(&known));
    }

    /// The key of an entry that is wanted. What is not wanted may be anything.
    fn wanted(
        &mut self,
        key: &str,
        entry: &Value,
        at: &KeyPath,
        rule: &EntryRule,
        known: &mut BTreeSet<String>,
    ) -> Option<String> {
        if !entry.is_object() {
            self.problems.push(Wrong::unexpected(entry, "a mapping").at(at.clone()));
            return None;
        }
        let rendered = self.values.render(key, at).map_err(Problem::from);
        known.extend(rendered.as_ref().ok().cloned());
        let name = rendered.as_deref().unwrap_or(key);
        let is_wanted = self.noted(rule.wants(self.values, at, name)) == Some(true);
        if is_wanted { self.noted(rendered) } else { None }
    }

    /// The image of an entry, and with generations one of each of those; none where its registry is switched off.
    fn images(
        &self,
        key: String,
        at: &KeyPath,
        form: Form,
        fallback: Option<&Prefix>,
    ) -> Result<Vec<OsImage>, Problem> {
        let name = self.values.text(&at.below(&[REGISTRY_FIELD]))?.filter(|name| !name.is_empty());
        let Some(registry) = registry(self.values, name.as_deref(), fallback, at)? else {
            return Ok(Vec::new());
        };
        let name = registry.name().map(str::to_owned);
        let Some(name) = name.filter(|_| form == Form::Sylva16) else {
            return Ok(vec![image(key, at, registry)?]);
        };
        let generations = self.generations.get_or_init(|| Generations::of(self.values));
        let others = generations.as_ref().map_err(Problem::clone)?.of_registry(&name, &registry).to_vec();
        let own = OsImage { generation: None, ..of_registry(&name, image(key.clone(), at, registry)?) };
        let other = |(name, registry): (String, _)| Ok(of_registry(&name, image(key.clone(), at, registry)?));
        std::iter::once(Ok(own)).chain(others.into_iter().map(other)).collect()
    }

    fn own(&mut self, rule: &EntryRule, known: &mut BTreeSet<String>) {
        let path = KeyPath(vec![OS_IMAGES.to_owned()]);
        let Some(entries) = self.noted(self.values.mapping(&path).map_err(Problem::from)) else { return };
        for (key, entry) in entries {
            let at = path.below(&[key]);
            let Some(key) = self.noted(self.values.render(key, &at).map_err(Problem::from)) else { continue };
            known.insert(key.clone());
            if rule.wants_own(&key) {
                let image = self.own_image(key, entry, &at);
                if let Some(image) = self.noted(image) {
                    self.add(image);
                }
            }
        }
    }

    /// The user's own image, or one that a chart has rendered before and that is an artifact like any other.
    fn own_image(&self, key: String, entry: &Value, at: &KeyPath) -> Result<OsImage, Problem> {
        if entry.is_object() && self.values.flag(&at.below(&[DIB_IMAGE]))? == Some(true) {
            let origin = ImageOrigin::Published(self.rendered_image(entry, at)?);
            return Ok(OsImage { key, at: at.clone(), origin, generation: None });
        }
        match self.values.render_all(entry, at)? {
            Value::Object(properties) => {
                let origin = ImageOrigin::Own(properties);
                Ok(OsImage { key, at: at.clone(), origin, generation: None })
            }
            other => Err(Wrong::unexpected(&other, "a mapping").at(at.clone())),
        }
    }

    /// The artifact that the `uri` of a rendered image names.
    fn rendered_image(&self, entry: &Value, at: &KeyPath) -> Result<Published, Problem> {
        let uri_at = at.below(&[URI]);
        let uri = self.values.required(&uri_at)?;
        let (prefix, key, tag) = artifact(&uri).ok_or_else(|| {
            Wrong::instead("not the address of an image in a registry", ARTIFACT).at(uri_at)
        })?;
        let mut more = Map::new();
        for (name, value) in entry.as_object().into_iter().flatten() {
            if ![URI, DIB_IMAGE, COSIGN_KEY].contains(&name.as_str()) {
                more.insert(name.clone(), self.values.render_all(value, &at.below(&[name]))?);
            }
        }
        let (registries, cosign_key) = (vec![at.clone()], cosign_key(self.values, at));
        Ok(Published { prefix, key, tag, registries, cosign_key, more })
    }

    /// Two entries of one mapping that say the same are one image: a template beside the key that it gives.
    fn add(&mut self, image: OsImage) {
        match self.images.get(&image.key) {
            Some(other) if other.origin != image.origin || image.published().is_none() => {
                let wrong = Wrong::Repeated { key: image.key, other: other.at.clone() };
                self.problems.push(wrong.at(image.at));
            }
            Some(_) => {}
            None => drop(self.images.insert(image.key.clone(), image)),
        }
    }

    fn noted<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.problems.push(problem)).ok()
    }
}

/// The image of an entry in a registry.
fn image(key: String, at: &KeyPath, registry: ImageRegistry) -> Result<OsImage, Problem> {
    let published = Published {
        prefix: registry.prefix,
        key: key.parse().map_err(|error| Wrong::Key(error).at(at.clone()))?,
        tag: registry.tag,
        registries: registry.entries,
        cosign_key: registry.cosign_key,
        more: Map::new(),
    };
    let origin = ImageOrigin::Published(published);
    Ok(OsImage { key, at: at.clone(), origin, generation: None })
}

/// The same as the chart names it where registries have generations.
fn of_registry(name: &str, mut image: OsImage) -> OsImage {
    if let ImageOrigin::Published(published) = &mut image.origin {
        published.more.insert(IMAGE_REGISTRY_KEY.to_owned(), name.into());
    }
    OsImage { key: format!("{name}--{}", image.key), generation: Some(name.to_owned()), ..image }
}

/// The parts of `oci://registry/path/image:tag`.
pub fn artifact(uri: &str) -> Option<(Prefix, ImageKey, Tag)> {
    let (repository, tag) = uri.strip_prefix("oci://")?.rsplit_once(':')?;
    let (prefix, key) = repository.rsplit_once('/')?;
    Some((prefix.parse().ok()?, key.parse().ok()?, tag.parse().ok()?))
}
