//! Images that are stored and not wanted: since when, and what becomes of each.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::index::PACKED;
use super::{StoredImage, WantedImages};
use crate::os_image::used::UsedImages;

/// The shape's name and version of [`UnwantedImages`].
pub const UNWANTED_SCHEMA: &str = "dibump.unwanted/1";

/// The file that says what is stored and not wanted.
pub const UNWANTED: &str = "unwanted.json";

/// What is stored and not wanted, by its sha256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnwantedImages {
    /// `dibump.unwanted/1`.
    pub schema: String,
    /// The images.
    pub images: BTreeMap<String, UnwantedImage>,
}

/// One image that is not wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnwantedImage {
    /// Since when it is known not to be wanted.
    pub since: Timestamp,
    /// Its bytes.
    pub size: u64,
    /// What was said of it when it was wanted; it is served under these names until it is removed.
    pub known_as: Vec<StoredImage>,
}

/// What becomes of an image that is not wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnwantedFate {
    /// It goes.
    Removed,
    /// A machine uses it.
    Used,
    /// It was wanted until recently: it stays until then.
    Recent {
        /// When it may go.
        until: Timestamp,
    },
    /// It stays, because nothing is removed.
    Spared,
}

/// Which images that are not wanted may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalRule {
    /// The images of machines.
    pub used: UsedImages,
    /// How long an image stays that is not wanted any more.
    pub grace: SignedDuration,
    /// The time.
    pub now: Timestamp,
}

impl Default for UnwantedImages {
    fn default() -> Self {
        Self { schema: UNWANTED_SCHEMA.to_owned(), images: BTreeMap::new() }
    }
}

impl UnwantedImages {
    /// What is not wanted of the files that are there (`blobs`: their bytes by their names) and of what is said of them. What
    /// was known `before` stays known. An image whose manifest could not be read may be what is stored under its key.
    pub fn new(
        before: &Self,
        wanted: &WantedImages,
        stored: &[StoredImage],
        blobs: &BTreeMap<String, u64>,
        now: Timestamp,
    ) -> Self {
        let unread = |image: &&StoredImage| {
            wanted.images.get(&image.key).is_some_and(|wanted| wanted.sha256.is_none())
        };
        let maybe = stored.iter().filter(unread).map(|image| image.sha256.as_str());
        let known = wanted.images.values().filter_map(|image| image.sha256.as_deref());
        let wanted: BTreeSet<&str> = known.chain(maybe).collect();
        let mut files: BTreeMap<&str, u64> = BTreeMap::new();
        for (name, size) in blobs {
            *files.entry(name.strip_suffix(PACKED).unwrap_or(name)).or_default() += size;
        }
        let image = |(sha256, size): (&&str, &u64)| {
            let old = before.images.get(*sha256);
            let mut known_as = old.map(|old| old.known_as.clone()).unwrap_or_default();
            for image in stored.iter().filter(|image| image.sha256 == **sha256) {
                known_as.retain(|known| known.routes() != image.routes());
                known_as.push(image.clone());
            }
            let since = old.map_or(now, |old| old.since.min(now));
            ((*sha256).to_owned(), UnwantedImage { since, size: *size, known_as })
        };
        let unwanted = files.iter().filter(|(sha256, _)| !wanted.contains(*sha256));
        Self { schema: UNWANTED_SCHEMA.to_owned(), images: unwanted.map(image).collect() }
    }

    /// What becomes of each image, by its sha256; without a rule nothing goes.
    pub fn fates(&self, rule: Option<&RemovalRule>) -> BTreeMap<String, UnwantedFate> {
        let fate = |(sha256, image): (&String, &UnwantedImage)| {
            let fate = rule.map_or(UnwantedFate::Spared, |rule| rule.fate(sha256, image));
            (sha256.clone(), fate)
        };
        self.images.iter().map(fate).collect()
    }

    /// The images that are still served under their old names.
    pub fn known(&self) -> impl Iterator<Item = &StoredImage> {
        self.images.values().flat_map(|image| &image.known_as)
    }
}

impl RemovalRule {
    fn fate(&self, sha256: &str, image: &UnwantedImage) -> UnwantedFate {
        let routes: Vec<[String; 2]> = image.known_as.iter().map(StoredImage::routes).collect();
        if self.used.has(sha256, routes.iter().flatten().map(String::as_str)) {
            return UnwantedFate::Used;
        }
        match image.since.checked_add(self.grace) {
            Ok(until) if until <= self.now => UnwantedFate::Removed,
            Ok(until) => UnwantedFate::Recent { until },
            Err(_) => UnwantedFate::Recent { until: Timestamp::MAX },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image_store::index::{IMAGE_SCHEMA, WANTED_SCHEMA, WantedImage};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn stored(key: &str, sha256: &str, filename: &str) -> StoredImage {
        StoredImage {
            schema: IMAGE_SCHEMA.to_owned(),
            key: key.to_owned(),
            uri: String::new(),
            manifest: None,
            layer: None,
            sha256: sha256.to_owned(),
            size: 1,
            packed_size: None,
            format: "raw".to_owned(),
            filename: filename.to_owned(),
            created: None,
            visible_since: at(0),
        }
    }

    fn wanted(images: &[(&str, Option<&str>)]) -> WantedImages {
        let image = |(key, sha256): &(&str, Option<&str>)| {
            let sha256 = sha256.map(str::to_owned);
            ((*key).to_owned(), WantedImage { uri: String::new(), sha256, routes: Vec::new() })
        };
        WantedImages {
            schema: WANTED_SCHEMA.to_owned(),
            arguments: None,
            images: images.iter().map(image).collect(),
        }
    }

    #[test]
    fn what_stops_being_wanted_is_known_since_then_and_by_its_old_names() {
        let stored = [stored("a", "1", "a-1.raw"), stored("b", "2", "b.raw"), stored("c", "3", "c.raw")];
        let blobs = ["1", "2", "3", "4"].map(|sha256| (sha256.to_owned(), 7)).into();
        let wanted = wanted(&[("a", Some("9")), ("b", None)]);
        let first = UnwantedImages::new(&UnwantedImages::default(), &wanted, &stored, &blobs, at(10));
        assert_eq!(first.images.keys().collect::<Vec<_>>(), ["1", "3", "4"], "2 may be what is wanted as b");
        assert_eq!(first.images["1"].known_as, stored[..1]);
        // Under the key is something else now, and what was there before is still known.
        let later = UnwantedImages::new(&first, &wanted, &stored[1..], &blobs, at(20));
        assert_eq!(later.images["1"], first.images["1"]);
        assert_eq!(later.images["4"], UnwantedImage { since: at(10), size: 7, known_as: Vec::new() });
    }

    #[test]
    fn only_what_is_old_and_not_used_goes() {
        let stored = [stored("a", "1", "a.raw"), stored("b", "2", "b.raw"), stored("c", "3", "c.raw")];
        let blobs = ["1", "2", "3"].map(|sha256| (sha256.to_owned(), 7)).into();
        let unwanted = UnwantedImages::new(&UnwantedImages::default(), &wanted(&[]), &stored, &blobs, at(10));
        let machine = serde_json::json!({"spec": {"image": {"url": "http://h/b.raw", "checksum": "3"}}});
        let used = UsedImages::of_objects(&[machine]);
        let rule =
            |now| RemovalRule { used: used.clone(), grace: SignedDuration::from_secs(5), now: at(now) };
        let fates = |now| unwanted.fates(Some(&rule(now))).into_values().collect::<Vec<_>>();
        let recent = UnwantedFate::Recent { until: at(15) };
        assert_eq!(fates(14), [recent, UnwantedFate::Used, UnwantedFate::Used]);
        assert_eq!(fates(15), [UnwantedFate::Removed, UnwantedFate::Used, UnwantedFate::Used]);
        assert!(unwanted.fates(None).into_values().all(|fate| fate == UnwantedFate::Spared));
    }
}
