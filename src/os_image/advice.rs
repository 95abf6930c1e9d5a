//! What somebody may have meant by a key that no artifact has: the nearest one, and the template that gives it.

use super::nearest;
use crate::release::{Facets, ImageKey};
use crate::values::Rendered;

/// What turns the Kubernetes version of a cluster (`v1.26.9+rke2r1`) into that of a name, the simplest first.
const PIPES: [&str; 7] = [
    r#"trimPrefix "v""#,
    r#"regexFind "[0-9.]+""#,
    r#"replace "." "-""#,
    r#"trimPrefix "v" | replace "." "-""#,
    r#"regexFind "[0-9.]+" | replace "." "-""#,
    r#"regexFind "[0-9]+[.][0-9]+""#,
    r#"regexFind "[0-9]+[.][0-9]+" | replace "." "-""#,
];

/// The names that images have.
#[derive(Debug, Clone)]
pub enum ImageNames<'a> {
    /// Those of a release, and there are no others.
    Published(Vec<(&'a str, Option<&'a Facets>)>),
    /// Those that values list; there may be others like them.
    Listed(Vec<&'a str>),
}

/// A sentence that names what may have been meant; `None` where nothing is alike. `written` is the key before its
/// template was resolved to `key`.
pub fn advice(written: &str, key: &str, values: Rendered<'_>, names: &ImageNames<'_>) -> Option<String> {
    let exists = |key: &str| names.have(key);
    if let Some((template, gives)) = template(written, values, exists) {
        return Some(format!("write `{template}`, which gives `{gives}`"));
    }
    let others = match names {
        ImageNames::Published(names) => names.clone(),
        ImageNames::Listed(names) => names.iter().map(|name| (*name, None)).collect(),
    };
    let others = others.into_iter().filter(|(name, _)| *name != key);
    nearest(key, others).map(|nearest| format!("the nearest is `{nearest}`"))
}

impl ImageNames<'_> {
    /// Whether an image has this name, or as far as nobody knows could have it: it is written as the others are.
    fn have(&self, key: &str) -> bool {
        let scheme = |name: &str| Facets::parse_name(name).map(|(_, scheme)| scheme);
        match self {
            Self::Published(names) => names.iter().any(|(name, _)| *name == key),
            Self::Listed(names) if names.contains(&key) => true,
            Self::Listed(names) => {
                let own = key.parse::<ImageKey>().ok().and_then(|key| scheme(key.as_str()));
                own.is_some() && (names.is_empty() || names.iter().any(|name| scheme(name) == own))
            }
        }
    }
}

/// The template with something more at the end of its one action, and what that gives.
fn template(written: &str, values: Rendered<'_>, exists: impl Fn(&str) -> bool) -> Option<(String, String)> {
    let (before, rest) = written.split_once("{{")?;
    let (action, after) = rest.split_once("}}")?;
    if after.contains("{{") {
        return None;
    }
    let action = action.trim_end_matches('-').trim_end();
    PIPES.iter().find_map(|pipe| {
        let template = format!("{before}{{{{{action} | {pipe} }}}}{after}");
        let gives = values.resolve(&template).ok().filter(|gives| exists(gives))?;
        Some((template, gives))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    use crate::budget::Budget;

    #[test]
    fn the_template_that_helps_is_named() {
        let values = json!({"cluster": {"k8s_version": "v1.26.9+rke2r1"}, "plain": "1.26.9"});
        let budget = Budget::default();
        let values = Rendered::new(&values, &budget);
        let said = |prefix: &str, value: &str, names: &[&str]| {
            let written = format!("{prefix}{{{{ .Values.{value} }}}}");
            let key = values.resolve(&written).unwrap();
            let names = match names {
                [] => ImageNames::Listed(Vec::new()),
                names => ImageNames::Published(names.iter().map(|name| (*name, None)).collect()),
            };
            advice(&written, &key, values, &names)
        };
        let dotted = said("a-plain-rke2-", "cluster.k8s_version", &["a-plain-rke2-1.26.9"]).unwrap();
        assert_eq!(
            dotted,
            "write `a-plain-rke2-{{ .Values.cluster.k8s_version | regexFind \"[0-9.]+\" }}`, which gives `a-plain-rke2-1.26.9`"
        );
        for (value, name) in
            [("cluster.k8s_version", "a-1-26-9"), ("cluster.k8s_version", "a-1-26"), ("plain", "a-1-26-9")]
        {
            let said = said("a-", value, &[name]).unwrap();
            assert!(said.ends_with(&format!("gives `{name}`")), "{said}");
        }
        assert_eq!(said("a-", "plain", &["a-1.26.8"]).unwrap(), "the nearest is `a-1.26.8`");
        assert_eq!(said("ubuntu-jammy-plain-rke2-", "plain", &["zzz"]), None);
        let unknown = said("ubuntu-jammy-plain-rke2-", "cluster.k8s_version", &[]).unwrap();
        assert!(unknown.contains("gives `ubuntu-jammy-plain-rke2-1.26.9`"), "{unknown}");
        let written = "ubuntu-noble-hardened-rke2-{{ .Values.cluster.k8s_version }}";
        let listed = ImageNames::Listed(vec!["ubuntu-noble-plain-rke2-1-26-9"]);
        let as_others = advice(written, &values.resolve(written).unwrap(), values, &listed).unwrap();
        assert!(as_others.contains("gives `ubuntu-noble-hardened-rke2-1-26-9`"), "{as_others}");
    }
}
