//! The URL at which an image is served, made from a template in the manner of Jinja.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior, Value};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::machine_image::{UnusableImage, format};

/// Where the server of the proposal has an image: a service for each, named as the image with dashes for dots.
const SERVICE: &str =
    "http://{{ service }}.os-images.svc.cluster.local:8080/{{ service }}/image.{{ format }}";

/// What a template has.
const VARIABLES: [&str; 5] = ["key", "service", "format", "filename", "image"];

/// What stays as it is in the last part of a URL (RFC 3986, "unreserved").
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How the URL of an image is made. A template has `key`, `service` (the key with dashes for dots), `format`, `filename`
/// (as the last part of a URL) and `image`, which is all that is known of the image by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate(Made);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Made {
    /// By a template in the manner of Jinja.
    ByTemplate(String),
    /// Of the image's file name, below a URL that ends with `/`.
    ByFilename(String),
}

impl Default for UrlTemplate {
    fn default() -> Self {
        Self(Made::ByTemplate(SERVICE.to_owned()))
    }
}

impl UrlTemplate {
    /// A template of the user.
    ///
    /// # Errors
    /// It cannot be read, or no image could be rendered with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut environment = environment();
        // What one image lacks another may have; filters and variables are the same for all.
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        let template = environment.template_from_str(text).map_err(|error| error.to_string())?;
        let mut unknown: Vec<String> = template.undeclared_variables(false).into_iter().collect();
        unknown.retain(|name| !VARIABLES.contains(&name.as_str()));
        unknown.sort();
        if let Some(name) = unknown.first() {
            return Err(format!("unknown variable `{name}` (expected one of {})", VARIABLES.join(", ")));
        }
        let sample = VARIABLES.map(|name| (name, Value::from("x")));
        let image = [("image", Value::from_pairs([("image-format", "raw")]))];
        let sample = Value::from_pairs(sample.into_iter().chain(image));
        template.render(sample).map_err(|error| error.to_string())?;
        Ok(Self(Made::ByTemplate(text.to_owned())))
    }

    /// Below a host that serves all images by their file names (sylva-capi-cluster, `image_provisioning_host`).
    pub fn by_filename(scheme: &str, host: &str) -> Self {
        Self(Made::ByFilename(format!("{scheme}://{}/", host.trim_end_matches('/'))))
    }

    /// The URL of an image by what is known of it.
    ///
    /// # Errors
    /// Something that the template asks for is missing, or can be no part of a URL.
    pub fn url(&self, key: &str, image: &BTreeMap<String, String>) -> Result<String, UnusableImage> {
        let filename = image.get("filename").map(|name| segment(name)).transpose()?;
        let format = format(image)?.to_string();
        let template = match (&self.0, filename.as_ref()) {
            (Made::ByFilename(below), Some(filename)) => return Ok(format!("{below}{filename}")),
            (Made::ByFilename(_), None) => return Err(UnusableImage::NoFilename),
            (Made::ByTemplate(template), None) if template.contains("filename") => {
                return Err(UnusableImage::NoFilename);
            }
            (Made::ByTemplate(template), _) => template,
        };
        let image = Value::from_pairs(image.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let mut variables = BTreeMap::from([
            ("key", Value::from(key)),
            ("service", Value::from(key.replace('.', "-"))),
            ("format", Value::from(format)),
            ("image", image),
        ]);
        variables.extend(filename.map(|filename| ("filename", Value::from(filename))));
        let rendered = environment().render_str(template, Value::from_pairs(variables));
        rendered.map_err(|error| UnusableImage::UrlTemplate(error.to_string()))
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
}

/// A file name as the last part of a URL.
fn segment(name: &str) -> Result<String, UnusableImage> {
    let leads_elsewhere = matches!(name, "" | "." | "..") || name.contains(['/', '\\']);
    if leads_elsewhere || name.chars().any(char::is_control) {
        return Err(UnusableImage::Filename(name.to_owned()));
    }
    Ok(utf8_percent_encode(name, SEGMENT).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_usual_url_is_that_of_a_service() {
        let qcow2 = image(&[("image-format", "qcow2")]);
        assert_eq!(
            UrlTemplate::default().url("opensuse-15.5-plain-rke2-1.26.9", &qcow2).unwrap(),
            "http://opensuse-15-5-plain-rke2-1-26-9.os-images.svc.cluster.local:8080/opensuse-15-5-plain-rke2-1-26-9/image.qcow2"
        );
        let raw = image(&[("image-format", "raw")]);
        assert!(UrlTemplate::default().url("a", &raw).unwrap().ends_with("/a/image.raw"));
        assert_eq!(UrlTemplate::default().url("a", &image(&[])), Err(UnusableImage::NoFormat));
    }

    #[test]
    fn file_names_are_one_part_of_the_url() {
        let of = |name: &str| {
            let fields = image(&[("image-format", "raw"), ("filename", name)]);
            UrlTemplate::by_filename("https", "192.0.2.10").url("a", &fields)
        };
        assert_eq!(of("a-0.4.12.raw").unwrap(), "https://192.0.2.10/a-0.4.12.raw");
        assert_eq!(of("a b?#%ä.raw").unwrap(), "https://192.0.2.10/a%20b%3F%23%25%C3%A4.raw");
        for bad in ["", ".", "..", "a/b", "../a", "a\\b", "a\nb", "a\0"] {
            assert_eq!(of(bad), Err(UnusableImage::Filename(bad.to_owned())));
        }
        let without = image(&[("image-format", "raw")]);
        assert_eq!(UrlTemplate::by_filename("https", "h").url("a", &without), Err(UnusableImage::NoFilename));
    }

    #[test]
    fn a_template_of_the_user_has_all_that_is_known() {
        let fields = image(&[("image-format", "raw"), ("os-release", "noble")]);
        let template =
            UrlTemplate::new("https://h/{{ image['os-release'] }}/{{ key }}.{{ format }}").unwrap();
        assert_eq!(template.url("a.b", &fields).unwrap(), "https://h/noble/a.b.raw");
        assert!(UrlTemplate::new("{{ key ").is_err());
        let lacking = UrlTemplate::new("https://h/{{ image.nothing }}").unwrap().url("a", &fields);
        assert!(matches!(lacking, Err(UnusableImage::UrlTemplate(_))), "{lacking:?}");
    }

    #[test]
    fn a_template_that_no_image_could_have_is_refused_at_once() {
        for (template, said) in [
            (
                "https://h/{{ file }}",
                "unknown variable `file` (expected one of key, service, format, filename, image)",
            ),
            ("https://h/{{ key | shout }}", "unknown filter"),
            ("https://h/{{ key()", "syntax error"),
        ] {
            let error = UrlTemplate::new(template).unwrap_err();
            assert!(error.contains(said), "{template}: {error}");
        }
    }
}
