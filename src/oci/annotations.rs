//! The annotations of a manifest: text by name, and not more of it than an image has to say.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::allowance::{Allowance, Allowed, too_many};
use crate::registry::RegistryError;

/// The most annotations of a manifest; images of Sylva have about 20.
const MOST: usize = 1_000;

/// The most bytes of them.
const MOST_BYTES: usize = 256 << 10;

/// What keeping one costs beside its text.
const OVERHEAD: usize = 100;

/// Annotations as they were sent. Values may be anything until they were looked at, so that the error can name the key.
#[derive(Debug, Default)]
pub(super) struct Annotations {
    kept: BTreeMap<String, Value>,
    count: usize,
}

/// Why annotations are not taken.
pub(super) enum Untaken {
    /// They are wrong.
    Wrong(String),
    /// There are too many of them in this manifest.
    TooMany(String),
    /// There are too many of them in all manifests.
    UsedUp(RegistryError),
}

impl Annotations {
    /// What they say.
    pub(super) fn texts(self, allowance: &Allowance) -> Result<BTreeMap<String, String>, Untaken> {
        if self.count > MOST {
            return Err(Untaken::TooMany(too_many(MOST, "annotations")));
        }
        let mut texts = BTreeMap::new();
        let mut bytes = 0;
        for (name, value) in self.kept {
            let Value::String(text) = value else {
                return Err(Untaken::Wrong(format!("the annotation {name} is not text")));
            };
            bytes += name.len() + text.len();
            texts.insert(name, text);
        }
        if bytes > MOST_BYTES {
            return Err(Untaken::TooMany(too_many(MOST_BYTES, "bytes of annotations")));
        }
        let taken = allowance.take(Allowed::Annotations, bytes + OVERHEAD * texts.len());
        taken.map(|()| texts).map_err(Untaken::UsedUp)
    }
}

impl<'de> Deserialize<'de> for Annotations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Names)
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Annotations;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("annotations by their names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Annotations, A::Error> {
        let mut annotations = Annotations::default();
        while annotations.count < MOST {
            let Some((name, value)) = map.next_entry()? else { return Ok(annotations) };
            annotations.kept.insert(name, value);
            annotations.count += 1;
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            annotations.count += 1;
        }
        Ok(annotations)
    }
}
