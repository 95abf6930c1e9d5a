//! Under which paths an image is served, and which names are not possible.

use std::collections::BTreeMap;

use super::UnacceptableImage;

/// What the server answers itself.
pub const RESERVED: [&str; 4] = ["livez", "readyz", "metrics", "wanted"];

/// What follows the name of a file for its checksum.
pub const CHECKSUM_SUFFIX: &str = ".sha256sum";

/// The longest name; a file system takes 255 bytes, and some of them are ours.
const LONGEST: usize = 200;

/// The paths of an image, without the first slash: that of the proposal (a service for each image), and that of sylva-core.
pub fn routes(key: &str, format: &str, filename: &str) -> [String; 2] {
    [format!("{}/image.{format}", service(key)), filename.to_owned()]
}

/// The service of the proposal's server that has an image: its key with dashes for dots.
pub fn service(key: &str) -> String {
    key.replace('.', "-")
}

/// Whether a key can name a file of the store.
///
/// # Errors
/// It is not one plain path part.
pub fn check_key(key: &str) -> Result<(), UnacceptableImage> {
    match is_plain(key) {
        true => Ok(()),
        false => Err(UnacceptableImage::Name(key.to_owned())),
    }
}

/// Whether an image can be served under its file name.
///
/// # Errors
/// It is not one plain path part, or the server needs it for something else.
pub fn check_filename(name: &str) -> Result<(), UnacceptableImage> {
    match (is_plain(name), RESERVED.contains(&name) || name.ends_with(CHECKSUM_SUFFIX)) {
        (false, _) => Err(UnacceptableImage::Name(name.to_owned())),
        (true, true) => Err(UnacceptableImage::Reserved(name.to_owned())),
        (true, false) => Ok(()),
    }
}

/// Images that would have to be served under a path of another image. `images` are keys with their routes and what tells one
/// content from another.
pub fn conflicts<'a, C: PartialEq + Clone>(
    images: impl IntoIterator<Item = (&'a str, [String; 2], C)>,
) -> BTreeMap<&'a str, UnacceptableImage> {
    let (mut taken, mut conflicts) = (BTreeMap::<String, (&str, C)>::new(), BTreeMap::new());
    for (key, routes, content) in images {
        for route in routes {
            let (other, there) = taken.entry(route.clone()).or_insert_with(|| (key, content.clone()));
            if *there == content {
                continue;
            }
            let beside = |other: &str| {
                let (other, route) = (other.to_owned(), route.clone());
                UnacceptableImage::SameRoute { other, route }
            };
            conflicts.insert(key, beside(other));
            conflicts.insert(*other, beside(key));
        }
    }
    conflicts
}

fn is_plain(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+');
    !name.is_empty() && name.len() <= LONGEST && !name.starts_with('.') && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_plain_part_of_a_path() {
        for good in ["a-0.4.12.raw", "ubuntu_24+x.qcow2", &"a".repeat(200)] {
            assert_eq!(check_filename(good), Ok(()), "{good}");
        }
        let bad =
            ["", ".", "..", ".hidden", "a/b", "../a", "a\\b", "a b", "a\nb", "ä", "a%2e", &"a".repeat(201)];
        for bad in bad {
            assert_eq!(check_filename(bad), Err(UnacceptableImage::Name(bad.to_owned())), "{bad}");
            assert_eq!(check_key(bad), Err(UnacceptableImage::Name(bad.to_owned())), "{bad}");
        }
        for reserved in ["livez", "readyz", "metrics", "wanted", "a.raw.sha256sum"] {
            assert_eq!(check_filename(reserved), Err(UnacceptableImage::Reserved(reserved.to_owned())));
        }
    }

    #[test]
    fn the_urls_of_machines_lead_to_these_routes() {
        use crate::os_image::url::UrlTemplate;

        let (key, file) = ("ubuntu-24.04-plain-rke2-1.31.8", "ubuntu-0.4.12+rke2.raw");
        let attributes =
            [("image-format", "raw"), ("filename", file)].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let path = |template: UrlTemplate| {
            let url = template.url(key, &BTreeMap::from(attributes.clone())).unwrap();
            let url: url::Url = url.parse().unwrap();
            percent_encoding::percent_decode_str(url.path())
                .decode_utf8()
                .unwrap()
                .trim_start_matches('/')
                .to_owned()
        };
        let routes = routes(key, "raw", file);
        assert_eq!([path(UrlTemplate::default()), path(UrlTemplate::by_filename("https", "h"))], routes);
    }

    #[test]
    fn two_contents_for_one_route_are_both_named() {
        let image = |key: &'static str, file: &str, content: u8| (key, routes(key, "raw", file), content);
        assert_eq!(conflicts([image("a", "x.raw", 1), image("b", "x.raw", 1)]).len(), 0, "one content");
        let found = conflicts([image("a", "x.raw", 1), image("b", "x.raw", 2), image("c", "y.raw", 3)]);
        let same = |other: &str, route: &str| UnacceptableImage::SameRoute {
            other: other.to_owned(),
            route: route.to_owned(),
        };
        assert_eq!(found, BTreeMap::from([("a", same("b", "x.raw")), ("b", same("a", "x.raw"))]));
        let found = conflicts([image("a.b", "x.raw", 1), image("a-b", "y.raw", 2)]);
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), ["a-b", "a.b"], "their service is a-b");
    }
}
