//! Which images the machines of a cluster use, by its Metal3 objects.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::values::{Document, ValuesError, merged};

/// The kinds of objects that name the image of a machine (CAPM3 and the Baremetal Operator).
pub const KINDS: [&str; 3] = ["BareMetalHost", "Metal3Machine", "Metal3MachineTemplate"];

/// The images that machines use. An image is used if a machine has its checksum or its URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsedImages {
    checksums: BTreeSet<String>,
    /// The paths of the URLs, without their first slash, decoded.
    paths: BTreeSet<String>,
}

/// Why a text does not say which images are used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotMachines {
    /// It cannot be read.
    #[error("{0}")]
    Values(ValuesError),
    /// It is neither an object nor a list of objects.
    #[error("it holds no Kubernetes object and no list of objects")]
    NoObjects,
    /// It has objects, and none of them could name an image.
    #[error(
        "it holds objects of other kinds ({found}), and none of BareMetalHost, Metal3Machine and Metal3MachineTemplate"
    )]
    OtherKinds {
        /// The kinds that it holds.
        found: String,
    },
}

impl UsedImages {
    /// The images of a list of objects, as `kubectl get -o yaml` or `-o json` prints it.
    ///
    /// # Errors
    /// It is another text. An empty list is a cluster without machines.
    pub fn of_document(document: &Document) -> Result<Self, NotMachines> {
        let values = merged(&[document]).map_err(|(_, error)| NotMachines::Values(error))?;
        let kind = values.get("kind").and_then(Value::as_str).ok_or(NotMachines::NoObjects)?;
        let objects = match values.get("items") {
            Some(Value::Array(items)) => items.as_slice(),
            Some(Value::Null) | None if kind.ends_with("List") => return Err(NotMachines::NoObjects),
            _ => std::slice::from_ref(&values),
        };
        let kinds: BTreeSet<&str> =
            objects.iter().filter_map(|object| object.get("kind").and_then(Value::as_str)).collect();
        if !objects.is_empty() && !kinds.iter().any(|kind| KINDS.contains(kind)) {
            let found = kinds.into_iter().collect::<Vec<_>>().join(", ");
            return Err(NotMachines::OtherKinds { found });
        }
        Ok(Self::of_objects(objects))
    }

    /// The images of objects.
    pub fn of_objects(objects: &[Value]) -> Self {
        let mut used = Self::default();
        objects.iter().for_each(|object| used.walk(object));
        used
    }

    /// Takes every `image` that has a URL: that of a template, a machine, a host, and what a host was provisioned with.
    fn walk(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::Object(image)) = fields.get("image") {
                    let text = |name: &str| image.get(name).and_then(Value::as_str);
                    self.checksums.extend(text("checksum").map(literal));
                    self.paths.extend(text("url").map(path));
                }
                fields.values().for_each(|field| self.walk(field));
            }
            Value::Array(items) => items.iter().for_each(|item| self.walk(item)),
            _ => {}
        }
    }

    /// How many different URLs there are.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether no machine has an image.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.checksums.is_empty()
    }

    /// Whether a machine uses the image with this sha256, or one that is served at one of these routes.
    pub fn has<'a>(&self, sha256: &str, routes: impl IntoIterator<Item = &'a str>) -> bool {
        // A server may be below a path of its host.
        let is_at = |path: &String, route: &str| {
            path.strip_suffix(route).is_some_and(|above| above.is_empty() || above.ends_with('/'))
        };
        self.checksums.contains(sha256)
            || routes.into_iter().any(|route| self.paths.iter().any(|path| is_at(path, route)))
    }
}

/// A checksum as Ironic compares it.
fn literal(checksum: &str) -> String {
    let hex = checksum.trim().to_ascii_lowercase();
    hex.strip_prefix("sha256:").map_or(hex.clone(), str::to_owned)
}

fn path(url: &str) -> String {
    let rest =
        url.split_once("://").map_or(url, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA256: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn read(text: &str) -> Result<UsedImages, NotMachines> {
        UsedImages::of_document(&Document::parse(text.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn machines_hosts_and_templates_say_which_images_they_use() {
        let used = read(&format!(
            "apiVersion: v1\nkind: List\nitems:\n\
             - {{kind: Metal3MachineTemplate, spec: {{template: {{spec: {{image: {{url: 'https://h/a%2Bb.raw', checksum: {SHA256}}}}}}}}}}}\n\
             - {{kind: Metal3Machine, spec: {{image: {{url: 'http://h:8080/below/c/image.raw', checksum: 'http://h/c.sha256sum'}}}}}}\n\
             - {{kind: BareMetalHost, spec: {{image: {{url: 'https://h/d.raw?x'}}}}, status: {{provisioning: {{image: {{url: 'http://h/e.raw', checksum: 'SHA256:{}'}}}}}}}}\n\
             - {{kind: BareMetalHost, spec: {{online: true}}}}\n",
            "B".repeat(64)
        ))
        .unwrap();
        assert_eq!(used.len(), 4);
        for (sha256, routes, is_used) in [
            (SHA256, ["x", "y"], true),
            (&"b".repeat(64), ["x", "y"], true),
            (&"c".repeat(64), ["x", "y"], false),
            ("", ["a+b.raw", "y"], true),
            ("", ["x", "c/image.raw"], true),
            ("", ["d.raw", "y"], true),
            ("", ["e.raw", "y"], true),
            ("", ["raw", ".raw"], false),
            ("", ["image.raw", "y"], true),
        ] {
            assert_eq!(used.has(sha256, routes), is_used, "{sha256} {routes:?}");
        }
    }

    #[test]
    fn what_is_not_a_list_of_machines_is_not_taken_for_an_empty_one() {
        assert!(read("{apiVersion: v1, kind: List, items: []}").unwrap().is_empty());
        assert_eq!(read("{}"), Err(NotMachines::NoObjects));
        assert_eq!(read("a: b"), Err(NotMachines::NoObjects));
        assert_eq!(read("kind: List"), Err(NotMachines::NoObjects));
        let pods = read("{kind: List, items: [{kind: Pod, spec: {image: {url: a}}}]}");
        assert_eq!(pods, Err(NotMachines::OtherKinds { found: "Pod".to_owned() }));
        assert!(matches!(read("- a"), Err(NotMachines::Values(_))));
    }
}
