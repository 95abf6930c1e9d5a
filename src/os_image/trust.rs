//! What is asked of the signatures of enabled images, and by which keys: those of the configuration, else those that the
//! values give to the deployment.

use serde_json::Value;

use super::registries::Values;
use super::{Problem, Published, Wrong};
use crate::release::policy::Demand;
use crate::signature::{Keys, PublicKey};
use crate::values::KeyPath;

/// Where a chart has the key of its OS images, and whether it checks signatures at all (sylva-units, `values.yaml`).
const KEY: [&str; 3] = ["security", "os_images", "cosign_public_key"];
const SKIP: [&str; 3] = ["security", "os_images", "skip_signing_check"];

/// What is asked of the signature of an image.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What is asked.
    pub demand: Demand,
    /// The keys that count; none where nothing is asked.
    pub keys: Option<Keys>,
}

/// What is asked of an image. A key that somebody configured is meant to count; values that have one are those of a
/// deployment that checks by itself, unless they say that it does not.
///
/// # Errors
/// A key that cannot be read, and no key where signatures are demanded.
pub fn asked(
    values: &Value,
    image: &Published,
    demand: Option<Demand>,
    configured: Option<&Keys>,
) -> Result<Asked, Problem> {
    if demand == Some(Demand::Off) {
        return Ok(Asked { demand: Demand::Off, keys: None });
    }
    let (values, path) = (Values(values), path(&KEY));
    let (keys, usual) = match configured {
        Some(keys) => (Some(keys.clone()), Demand::Required),
        None => {
            let skips = values.flag(&self::path(&SKIP))? == Some(true);
            let usual = if skips { Demand::Warn } else { Demand::Required };
            (of_values(values, image, &path)?, usual)
        }
    };
    match (keys, demand) {
        (Some(keys), demand) => Ok(Asked { demand: demand.unwrap_or(usual), keys: Some(keys) }),
        (None, None) => Ok(Asked { demand: Demand::Off, keys: None }),
        (None, Some(_)) => Err(Wrong::NoKey.at(path)),
    }
}

/// The key of the image's registry, else that of all OS images.
fn of_values(values: Values<'_>, image: &Published, path: &KeyPath) -> Result<Option<Keys>, Problem> {
    let text = match &image.cosign_key {
        Some(text) => Some(text.clone()),
        None => values.text(path)?.filter(|text| !text.trim().is_empty()),
    };
    let Some(text) = text else { return Ok(None) };
    let key = PublicKey::from_pem(&text).map_err(|error| Wrong::PublicKey(error).at(path.clone()))?;
    Ok(Keys::new([key]))
}

fn path(keys: &[&str]) -> KeyPath {
    KeyPath(keys.iter().map(|key| (*key).to_owned()).collect())
}
