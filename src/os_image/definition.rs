//! What is said of some machines: mappings laid over each other, and the image that they choose together.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cluster::{IMAGE_KEYS, SELECTOR};
use super::machine_image::Raw;
use super::selector::{EXTRA_KEYS, KEYS};
use super::{Problem, Wrong};
use crate::sylva::{MACHINE_IMAGE_URL, PROVISIONING_HOST, PROVISIONING_SCHEME};
use crate::values::{KeyPath, Rendered};

/// The fields of raw mode beside the URL.
const RAW: [&str; 3] = ["machine_image_format", "machine_image_checksum", "machine_image_checksum_type"];

/// The conditions of a selector, as they are written: regular expressions over attributes.
pub type Selector = BTreeMap<String, String>;

/// How an image is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageChoice {
    /// By its key.
    Key(String),
    /// By what it is.
    Selector(Selector),
    /// By its key, to which a selector must agree.
    Both(String, Selector),
    /// Outright.
    Raw(Raw),
}

/// Where images are served by their file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `http` or `https`.
    pub scheme: String,
    /// The host, and perhaps a port.
    pub host: String,
}

/// The mappings of some machines, each laid over those before.
pub(super) struct Definition<'a> {
    values: Rendered<'a>,
    layers: Vec<KeyPath>,
}

/// What a layer sets, which one it is, and where it stands.
type Set<T> = Option<(usize, KeyPath, T)>;

impl<'a> Definition<'a> {
    pub(super) fn new(values: Rendered<'a>, layers: Vec<KeyPath>) -> Self {
        Self { values, layers }
    }

    /// What chooses the image, and where. The nearer layer decides between an image outright and one of the deployment's.
    pub(super) fn choice(&self) -> Result<Option<(ImageChoice, KeyPath)>, Problem> {
        let (key, selector, url) = (self.key()?, self.selector()?, self.text(MACHINE_IMAGE_URL)?);
        let of_key = key.as_ref().map(|(layer, ..)| *layer);
        let of_images = of_key.max(selector.as_ref().map(|(layer, ..)| *layer));
        match (url, key, selector) {
            (Some((of_url, at, _)), ..) if Some(of_url) == of_images => {
                let expected = "either machine_image_url and what belongs to it, or an image key or selector";
                Err(Wrong::instead("both", expected).at(KeyPath(at.0[..at.0.len() - 1].to_vec())))
            }
            (Some((of_url, at, url)), ..) if Some(of_url) > of_images => {
                Ok(Some((ImageChoice::Raw(self.raw(Some(url))?), at)))
            }
            (_, None, None) => self.forgotten_url(),
            (_, Some((_, at, key)), None) => Ok(Some((ImageChoice::Key(key), at))),
            (_, None, Some((_, at, selector))) => Ok(Some((ImageChoice::Selector(selector), at))),
            (_, Some((of_key, key_at, key)), Some((of_selector, at, selector))) => {
                let at = if of_key > of_selector { key_at } else { at };
                Ok(Some((ImageChoice::Both(key, selector), at)))
            }
        }
    }

    /// Fields of raw mode without the URL. The type alone is a default of the chart.
    fn forgotten_url(&self) -> Result<Option<(ImageChoice, KeyPath)>, Problem> {
        let raw = self.raw(None)?;
        let is_meant = raw.format.is_some() || raw.checksum.is_some();
        let at = self.layers.first().cloned().unwrap_or_default();
        Ok(is_meant.then_some((ImageChoice::Raw(raw), at)))
    }

    /// Where images are served: as the machines, their cluster, or the values say.
    pub(super) fn server(&self, cluster: &KeyPath) -> Result<Option<Server>, Problem> {
        let said = |name: &str| match self.text(name)? {
            Some((.., text)) => Ok(Some(text)),
            None => text_of_cluster(self.values, cluster, &[name]),
        };
        let Some(host) = said(PROVISIONING_HOST)? else { return Ok(None) };
        let scheme = said(PROVISIONING_SCHEME)?.unwrap_or_else(|| "https".to_owned());
        Ok(Some(Server { scheme, host }))
    }

    /// The key, under either of its names.
    fn key(&self) -> Result<Set<String>, Problem> {
        let mut set = None;
        for (index, layer) in self.layers.iter().enumerate() {
            let [newer, older] = IMAGE_KEYS.map(|name| self.values.text(&layer.below(&[name])));
            let (name, key) = match (newer?, older?) {
                (Some(newer), Some(older)) if newer != older => {
                    let expected = "the same as os_image_key, or only one of them";
                    return Err(Wrong::instead("another key", expected).at(layer.below(&[IMAGE_KEYS[0]])));
                }
                (Some(key), _) => (IMAGE_KEYS[0], key),
                (None, Some(key)) => (IMAGE_KEYS[1], key),
                (None, None) => continue,
            };
            set = Some((index, layer.below(&[name]), key));
        }
        Ok(set.filter(|(.., key)| !key.is_empty()))
    }

    /// A text of the last layer that sets it; an empty one takes it away.
    fn text(&self, name: &str) -> Result<Set<String>, Problem> {
        let mut set = None;
        for (index, layer) in self.layers.iter().enumerate() {
            let at = layer.below(&[name]);
            set = self.values.text(&at)?.map(|text| (index, at, text)).or(set);
        }
        Ok(set.filter(|(.., text)| !text.is_empty()))
    }

    fn raw(&self, url: Option<String>) -> Result<Raw, Problem> {
        let [format, checksum, checksum_type] = RAW.map(|name| self.text(name));
        let text = |set: Set<String>| set.map(|(.., text)| text);
        Ok(Raw { url, format: text(format?), checksum: text(checksum?), checksum_type: text(checksum_type?) })
    }

    /// The conditions of all layers, the later ones over the earlier; one without any is none.
    fn selector(&self) -> Result<Set<Selector>, Problem> {
        let (mut written, mut last) = (BTreeMap::new(), 0);
        for (index, layer) in self.layers.iter().enumerate() {
            let at = layer.below(&[SELECTOR]);
            match self.values.at(&at) {
                None => {}
                Some(Value::Object(conditions)) => {
                    last = if conditions.is_empty() { last } else { index };
                    written.extend(conditions.keys().map(|key| (key.as_str(), at.below(&[key]))));
                }
                Some(other) => return Err(Wrong::unexpected(other, "a mapping").at(at)),
            }
        }
        let selector = conditions(self.values, &written)?;
        let at = self.layers.get(last).map(|layer| layer.below(&[SELECTOR])).unwrap_or_default();
        Ok((!written.is_empty()).then_some((last, at, selector)))
    }
}

/// The conditions of a selector, each of which stands at its own place.
///
/// # Errors
/// A key that no image has as an attribute, and a value that is neither a text nor true or false.
pub(super) fn conditions(
    values: Rendered<'_>,
    written: &BTreeMap<&str, KeyPath>,
) -> Result<Selector, Problem> {
    let has_extra = written.contains_key(EXTRA_KEYS);
    let mut selector = Selector::new();
    for (key, at) in written.iter().filter(|(key, _)| **key != EXTRA_KEYS) {
        if !has_extra && !KEYS.contains(key) {
            let expected = "os, os-release, flavor, hardened, k8s-flavor, k8s-version, commit-tag, …";
            return Err(Wrong::instead("not an attribute of an image", expected).at(at.clone()));
        }
        let text = match values.at(at) {
            Some(Value::Bool(flag)) => flag.to_string(),
            None => return Err(Wrong::instead("null", "text, true or false").at(at.clone())),
            Some(_) => values.text(at)?.unwrap_or_default(),
        };
        selector.insert((*key).to_owned(), text);
    }
    Ok(selector)
}

/// What a cluster says, wherever values have their cluster.
pub(super) fn text_of_cluster(
    values: Rendered<'_>,
    at: &KeyPath,
    below: &[&str],
) -> Result<Option<String>, Problem> {
    for cluster in [at.clone(), KeyPath::default().below(&["cluster"]), KeyPath::default()] {
        if let Some(text) = values.text(&cluster.below(below))?.filter(|text| !text.is_empty()) {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    use crate::budget::Budget;

    fn choice(layers: &[Value]) -> String {
        let values = json!({"layers": {"a": layers.first(), "b": layers.get(1), "c": layers.get(2)}});
        let budget = Budget::default();
        let at = KeyPath::default().below(&["layers"]);
        let paths = ["a", "b", "c"].map(|name| at.below(&[name]));
        match Definition::new(Rendered::new(&values, &budget), paths.to_vec()).choice() {
            Ok(None) => "nothing".to_owned(),
            Ok(Some((ImageChoice::Raw(raw), at))) => format!("{at} {}", raw.url.unwrap_or_default()),
            Ok(Some((choice, at))) => format!("{at} {choice:?}"),
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn the_nearer_mapping_is_laid_over_the_wider_ones() {
        let key = |key: &str| json!({"image_key": key});
        let selector = |conditions: Value| json!({"os_image_selector": conditions});
        let url = |url: &str| json!({"machine_image_url": url, "machine_image_format": "raw"});
        for (layers, expected) in [
            (vec![], "nothing"),
            (vec![json!({"machine_image_checksum_type": "sha256"})], "nothing"),
            (vec![key("x"), key("y")], "layers.b.image_key Key(\"y\")"),
            (vec![key("x"), json!({}), json!({"os_image_key": "z"})], "layers.c.os_image_key Key(\"z\")"),
            (vec![key("x"), key("")], "nothing"),
            (vec![selector(json!({}))], "nothing"),
            (
                vec![selector(json!({"os": "a", "hardened": true})), selector(json!({"hardened": false}))],
                r#"layers.b.os_image_selector Selector({"hardened": "false", "os": "a"})"#,
            ),
            (
                vec![key("x"), selector(json!({"os": "a"}))],
                r#"layers.b.os_image_selector Both("x", {"os": "a"})"#,
            ),
            (vec![key("x"), url("u")], "layers.b.machine_image_url u"),
            (vec![url("u"), key("x")], "layers.b.image_key Key(\"x\")"),
        ] {
            assert_eq!(choice(&layers), expected, "{layers:?}");
        }
        let wrong = [
            vec![json!({"image_key": "x", "machine_image_url": "u"})],
            vec![selector(json!({"os": null}))],
            vec![selector(json!({"colour": "red"}))],
            vec![json!({}), selector(json!({"os": 1}))],
            vec![selector(json!("text"))],
        ];
        insta::assert_snapshot!(wrong.map(|layers| choice(&layers)).join("\n"), @"
        `layers.a`: is both (expected either machine_image_url and what belongs to it, or an image key or selector)
        `layers.a.os_image_selector.os`: is null (expected text, true or false)
        `layers.a.os_image_selector.colour`: is not an attribute of an image (expected os, os-release, flavor, hardened, k8s-flavor, k8s-version, commit-tag, …)
        `layers.b.os_image_selector.os`: is a whole number (expected text; write it in quotes)
        `layers.a.os_image_selector`: is text (expected a mapping)
        ");
        let extra = selector(json!({"colour": "red", "_use_extra_keys_": true}));
        assert_eq!(choice(&[extra]), r#"layers.a.os_image_selector Selector({"colour": "red"})"#);
    }
}
