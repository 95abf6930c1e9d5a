//! The ConfigMap by which charts know which images are served.

use std::collections::BTreeMap;

use serde::Serialize;

use super::yaml;
use crate::cluster::ConfigMap;
use crate::os_image::config_map::DATA_KEY;

/// What the charts of sylva-core read.
#[derive(Serialize)]
struct Values<'a> {
    capm3_os_image_server_images: BTreeMap<&'a String, ServedImage<'a>>,
}

/// An image that is served.
#[derive(Serialize)]
struct ServedImage<'a> {
    available: bool,
    image_key: &'a str,
}

/// The ConfigMap of images that are served: their keys by their sha256. A chart asks for a sha256, because the content
/// behind a key may change.
///
/// # Errors
/// What cannot be written as YAML.
pub fn config_map(
    images: &BTreeMap<String, String>,
    name: &str,
    namespace: Option<&str>,
) -> Result<ConfigMap, yaml::Error> {
    let image = |(sha256, key)| (sha256, ServedImage { available: true, image_key: key });
    let values = Values {
        capm3_os_image_server_images: images
            .iter()
            .map(|(sha256, key): (&String, &String)| image((sha256, key.as_str())))
            .collect(),
    };
    Ok(ConfigMap {
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
        labels: BTreeMap::new(),
        data: BTreeMap::from([(DATA_KEY.to_owned(), yaml::text(&values)?)]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sha256_is_a_text_whatever_it_looks_like() {
        let number = format!("1e{}", "0".repeat(62));
        let images = BTreeMap::from([(number.clone(), "a".to_owned()), ("1".repeat(64), "b".to_owned())]);
        let map = config_map(&images, "m", None).unwrap();
        let read: BTreeMap<String, BTreeMap<String, serde_json::Value>> =
            yaml_serde::from_str(&map.data[DATA_KEY]).unwrap();
        let read = &read["capm3_os_image_server_images"];
        assert_eq!(read[&number], serde_json::json!({"available": true, "image_key": "a"}));
        assert_eq!(read.len(), 2, "{}", map.data[DATA_KEY]);
    }
}
