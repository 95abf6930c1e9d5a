//! What a server has to offer: by its path an image that is complete, one that is wanted and not complete, or nothing.

use std::collections::BTreeMap;

use super::routes::{CHECKSUM_SUFFIX, service};
use super::{StoredImage, UnwantedImages, WantedImages};

/// All that is served and wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageOffer {
    /// Complete images by their paths.
    complete: BTreeMap<String, StoredImage>,
    /// The keys of wanted images that are not complete, by their paths.
    missing: BTreeMap<String, String>,
    /// The services of wanted images of which the paths are not known.
    unread: BTreeMap<String, String>,
    /// Whether it is known what is wanted.
    is_known: bool,
    /// The wanted images, and whether each is complete.
    pub wanted: BTreeMap<String, bool>,
}

/// What there is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferedImage<'a> {
    /// An image.
    Image(&'a StoredImage),
    /// The checksum of an image, as `sha256sum` writes it.
    Checksum(&'a StoredImage),
    /// An image with this key is wanted, and not complete.
    NotComplete(&'a str),
    /// It is not known yet what is wanted, so this may be.
    NotKnown,
    /// Nothing.
    Unknown,
}

impl ImageOffer {
    /// What is offered of the images that are `stored` whole. What is not wanted any more is served as long as it is there,
    /// also under a key that has something else by now, where that leaves its names free.
    pub fn new(
        wanted: &WantedImages,
        unwanted: &UnwantedImages,
        stored: impl IntoIterator<Item = StoredImage>,
    ) -> Self {
        let mut offer = Self { is_known: true, ..Self::default() };
        let stored: BTreeMap<String, StoredImage> =
            stored.into_iter().map(|image| (image.key.clone(), image)).collect();
        for (key, image) in &stored {
            let is_wanted = wanted.images.contains_key(key);
            let routes = image.routes().into_iter().filter(|_| !is_wanted);
            offer.complete.extend(routes.map(|route| (route, image.clone())));
        }
        for (key, image) in &wanted.images {
            let is_it =
                |stored: &&StoredImage| image.sha256.as_ref().is_none_or(|sha256| *sha256 == stored.sha256);
            let stored = stored.get(key).filter(is_it);
            offer.wanted.insert(key.clone(), stored.is_some());
            match stored {
                Some(stored) => {
                    let routes = stored.routes().into_iter();
                    offer.complete.extend(routes.map(|route| (route, stored.clone())));
                }
                None => {
                    offer.complete.retain(|route, _| !image.routes.contains(route));
                    offer.missing.extend(image.routes.iter().map(|route| (route.clone(), key.clone())));
                    offer.unread.insert(service(key), key.clone());
                }
            }
        }
        for image in unwanted.known() {
            let is_free = |route: &String| !offer.missing.contains_key(route);
            let routes: Vec<String> = image.routes().into_iter().filter(is_free).collect();
            for route in routes {
                offer.complete.entry(route).or_insert_with(|| image.clone());
            }
        }
        offer
    }

    /// The images that are served, by their sha256. Of one that has several keys it is the first.
    pub fn complete(&self) -> BTreeMap<&str, &StoredImage> {
        let mut images: BTreeMap<&str, &StoredImage> = BTreeMap::new();
        for image in self.complete.values() {
            let known = images.entry(&image.sha256).or_insert(image);
            if image.key < known.key {
                *known = image;
            }
        }
        images
    }

    /// What there is at a path, without its first slash.
    pub fn at(&self, path: &str) -> OfferedImage<'_> {
        let (image, is_checksum) = match path.strip_suffix(CHECKSUM_SUFFIX) {
            Some(image) => (image, true),
            None => (path, false),
        };
        let of_service = || {
            let (service, file) = image.split_once('/')?;
            self.unread.get(service).filter(|_| file.starts_with("image."))
        };
        match (self.complete.get(image), is_checksum) {
            (Some(image), false) => OfferedImage::Image(image),
            (Some(image), true) => OfferedImage::Checksum(image),
            (None, _) => match self.missing.get(image).or_else(of_service) {
                Some(key) => OfferedImage::NotComplete(key),
                None if !self.is_known => OfferedImage::NotKnown,
                None => OfferedImage::Unknown,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image_store::index::{IMAGE_SCHEMA, WANTED_SCHEMA, WantedImage};
    use crate::image_store::unwanted::UnwantedImage;

    fn stored(key: &str, sha256: &str) -> StoredImage {
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
            filename: format!("{key}.raw"),
            created: None,
            visible_since: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_is_wanted_and_not_complete_is_not_unknown() {
        let wanted = |key: &str, sha256: Option<&str>, routes: &[&str]| {
            let routes = routes.iter().map(|route| (*route).to_owned()).collect();
            (key.to_owned(), WantedImage { uri: String::new(), sha256: sha256.map(str::to_owned), routes })
        };
        let wanted = WantedImages {
            schema: WANTED_SCHEMA.to_owned(),
            arguments: None,
            images: BTreeMap::from([
                wanted("a.b", Some("1"), &["a-b/image.raw", "a.b.raw"]),
                wanted("changed", Some("3"), &["changed/image.raw", "changed.raw"]),
                wanted("coming", Some("4"), &["coming/image.raw", "coming.raw"]),
                wanted("unread", None, &[]),
            ]),
        };
        let (image, old) = (stored("a.b", "1"), stored("old", "9"));
        // What was under a key before is still served where its names are free.
        let before = StoredImage { filename: "a.b-0.raw".to_owned(), ..stored("a.b", "0") };
        let unwanted = UnwantedImage {
            since: jiff::Timestamp::UNIX_EPOCH,
            size: 1,
            known_as: vec![before.clone(), stored("coming", "0")],
        };
        let unwanted = UnwantedImages {
            images: BTreeMap::from([("0".to_owned(), unwanted)]),
            ..UnwantedImages::default()
        };
        let offer = ImageOffer::new(&wanted, &unwanted, [image.clone(), stored("changed", "2"), old.clone()]);
        for (path, expected) in [
            ("a-b/image.raw", OfferedImage::Image(&image)),
            ("a.b.raw", OfferedImage::Image(&image)),
            ("a.b.raw.sha256sum", OfferedImage::Checksum(&image)),
            ("a-b/image.qcow2", OfferedImage::Unknown),
            ("old.raw", OfferedImage::Image(&old)),
            ("a.b-0.raw", OfferedImage::Image(&before)),
            ("changed/image.raw", OfferedImage::NotComplete("changed")),
            ("changed.raw.sha256sum", OfferedImage::NotComplete("changed")),
            ("coming.raw", OfferedImage::NotComplete("coming")),
            ("unread/image.raw", OfferedImage::NotComplete("unread")),
            ("unread.raw", OfferedImage::Unknown),
            ("", OfferedImage::Unknown),
            ("a-b/", OfferedImage::Unknown),
        ] {
            assert_eq!(offer.at(path), expected, "{path}");
        }
        let complete =
            BTreeMap::from([("a.b", true), ("changed", false), ("coming", false), ("unread", false)]);
        assert_eq!(ImageOffer::default().at("a.b.raw"), OfferedImage::NotKnown, "nothing was read yet");
        assert!(offer.wanted.iter().map(|(key, is)| (key.as_str(), *is)).eq(complete));
        let complete: Vec<(&str, &str)> =
            offer.complete().into_iter().map(|(sha256, image)| (sha256, image.key.as_str())).collect();
        assert_eq!(complete, [("0", "a.b"), ("1", "a.b"), ("9", "old")]);
    }
}
