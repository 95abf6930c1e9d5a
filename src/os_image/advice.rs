//! What somebody may have meant by a key that no artifact has: the nearest one, and the template that gives it.

use serde_json::Value;

use super::nearest;
use crate::release::{Facets, ImageKey};
use crate::template::resolve;

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

/// A sentence that names what may have been meant; `None` where nothing is alike. `written` is the key before its
/// template was resolved to `key`; `names` are those that there are, or none where they are not known.
pub fn advice(written: &str, key: &str, values: &Value, names: &[(&str, Option<&Facets>)]) -> Option<String> {
    let exists = |key: &str| match names {
        [] => key.parse::<ImageKey>().is_ok() && Facets::from_name(key).is_some(),
        names => names.iter().any(|(name, _)| *name == key),
    };
    if let Some((template, gives)) = template(written, values, exists) {
        return Some(format!("write `{template}`, which gives `{gives}`"));
    }
    let others = names.iter().copied().filter(|(name, _)| *name != key);
    nearest(key, others).map(|nearest| format!("the nearest is `{nearest}`"))
}

/// The template with something more at the end of its one action, and what that gives.
fn template(written: &str, values: &Value, exists: impl Fn(&str) -> bool) -> Option<(String, String)> {
    let (before, rest) = written.split_once("{{")?;
    let (action, after) = rest.split_once("}}")?;
    if after.contains("{{") {
        return None;
    }
    let action = action.trim_end_matches('-').trim_end();
    PIPES.iter().find_map(|pipe| {
        let template = format!("{before}{{{{{action} | {pipe} }}}}{after}");
        let gives = resolve(&template, values).ok().filter(|gives| exists(gives))?;
        Some((template, gives))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_template_that_helps_is_named() {
        let values = json!({"cluster": {"k8s_version": "v1.26.9+rke2r1"}, "plain": "1.26.9"});
        let said = |prefix: &str, value: &str, names: &[&str]| {
            let written = format!("{prefix}{{{{ .Values.{value} }}}}");
            let key = resolve(&written, &values).unwrap();
            let names: Vec<(&str, Option<&Facets>)> = names.iter().map(|name| (*name, None)).collect();
            advice(&written, &key, &values, &names)
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
    }
}
