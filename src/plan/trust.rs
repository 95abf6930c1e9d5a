//! What is asked of signatures, and by which keys: those of the configuration, else the one that the values file itself
//! gives to the deployment.

use serde_json::{Map, Value};

use crate::release::policy::Demand;
use crate::signature::{Keys, PublicKey};
use crate::template;

use super::survey::{REGISTRIES, Survey};

/// Where a chart has the key of its OS images, and whether it checks signatures at all (sylva-units, `values.yaml`).
const KEY: [&str; 3] = ["security", "os_images", "cosign_public_key"];
const SKIP: [&str; 3] = ["security", "os_images", "skip_signing_check"];
/// The key of one registry, in its entry of `os_images_oci_registries`.
const REGISTRY_KEY: &str = "cosign_publickey";

/// What is asked of signatures, and by which keys.
#[derive(Debug, Clone)]
pub struct Trust {
    /// What is asked.
    pub demand: Demand,
    /// The keys that count; without any, nothing is asked.
    pub keys: Option<Keys>,
    /// Why nothing is asked, where somebody might expect it.
    pub unasked: Option<String>,
}

/// Signatures are required, and no key is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("signatures are required, and {reason}; name a key under `cosign_public_keys:` or with --cosign-key")]
pub struct NoKey {
    /// Why no key is known.
    pub reason: String,
}

impl Trust {
    /// Nothing is asked.
    pub fn unasked(reason: impl Into<String>) -> Self {
        Self { demand: Demand::Off, keys: None, unasked: Some(reason.into()) }
    }

    /// What a target asks. A key that somebody configured is meant to count; a deployment that has one checks by itself,
    /// unless it says that it does not.
    ///
    /// # Errors
    /// If signatures are demanded and there is no key, or none that can be read.
    pub fn of(demand: Option<Demand>, configured: Option<&Keys>, survey: &Survey) -> Result<Self, NoKey> {
        if demand == Some(Demand::Off) {
            return Ok(Self { demand: Demand::Off, keys: None, unasked: None });
        }
        let (keys, usual) = match configured {
            Some(keys) => (Ok(keys.clone()), Demand::Required),
            None => (of_values(survey), if skips(survey) { Demand::Warn } else { Demand::Required }),
        };
        match (keys, demand) {
            (Ok(keys), demand) => {
                Ok(Self { demand: demand.unwrap_or(usual), keys: Some(keys), unasked: None })
            }
            (Err(reason), Some(_)) => Err(NoKey { reason }),
            (Err(reason), None) => Ok(Self::unasked(reason)),
        }
    }
}

/// The key of our registry's entry, else that of all OS images.
fn of_values(survey: &Survey) -> Result<Keys, String> {
    let (document, root) = (&survey.primary.document, &survey.root);
    let entries = survey.ownership.registries().map(|name| root.below(&[REGISTRIES, name, REGISTRY_KEY]));
    for path in entries.chain([root.below(&KEY)]) {
        let text = match document.value(&path) {
            Ok(Some(Value::String(text))) if !text.trim().is_empty() => text,
            Ok(_) => continue,
            Err(error) => return Err(format!("{path} cannot be read ({error})")),
        };
        let text = resolved(survey, &text).map_err(|error| format!("{path} cannot be resolved ({error})"))?;
        let key = PublicKey::from_pem(&text).map_err(|error| format!("{path} is no key ({error})"))?;
        return Keys::new([key]).ok_or_else(|| "no public key is known".to_owned());
    }
    Err("no public key is known".to_owned())
}

fn skips(survey: &Survey) -> bool {
    matches!(survey.primary.document.value(&survey.root.below(&SKIP)), Ok(Some(Value::Bool(true))))
}

/// A template as the chart would render it from this file, of which only the values that it names are read.
fn resolved(survey: &Survey, text: &str) -> Result<String, template::TemplateError> {
    let mut values = Map::new();
    for named in template::paths(text) {
        if let Ok(Some(value)) = survey.primary.document.value(&survey.root.below(&named)) {
            insert(&mut values, &named, value);
        }
    }
    template::render(text, &Value::Object(values))
}

fn insert(into: &mut Map<String, Value>, path: &[String], value: Value) {
    let [key, rest @ ..] = path else { return };
    if rest.is_empty() {
        into.insert(key.clone(), value);
    } else if let Value::Object(below) = into.entry(key).or_insert_with(|| Value::Object(Map::new())) {
        insert(below, rest, value);
    }
}
