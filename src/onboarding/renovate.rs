//! Versions that Renovate is told of by custom managers: where they stand, and of which project they are.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;

use super::Checkout;
use crate::reconcile::references::Globs;

/// Where Renovate's configuration stands.
pub(super) const FILES: [&str; 6] = [
    "renovate.json",
    ".github/renovate.json",
    ".gitlab/renovate.json",
    ".renovaterc",
    ".renovaterc.json",
    "renovate.json5",
];

/// A version of which a custom manager speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Managed {
    /// The file.
    pub(super) path: String,
    /// Where the version begins, in bytes.
    pub(super) offset: usize,
    /// The project or the address whose releases it follows.
    pub(super) project: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Renovate {
    #[serde(default, alias = "regexManagers")]
    custom_managers: Vec<Manager>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Manager {
    custom_type: Option<String>,
    manager_file_patterns: Vec<String>,
    file_match: Vec<String>,
    match_strings: Vec<String>,
    match_strings_strategy: Option<String>,
    dep_name_template: Option<String>,
    package_name_template: Option<String>,
}

/// The versions in the files of a checkout, and what of Renovate's configuration could not be read.
pub(super) fn managed(checkout: &Checkout) -> (Vec<Managed>, Vec<String>) {
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    for path in FILES {
        let Some(bytes) = checkout.files.get(path) else { continue };
        match serde_json::from_slice::<Renovate>(bytes) {
            Ok(renovate) => {
                renovate.custom_managers.iter().for_each(|manager| manager.find(&checkout.files, &mut found));
            }
            Err(error) => notes.push(format!("{path} is not used: {error}")),
        }
    }
    (found, notes)
}

impl Manager {
    /// Managers that search in several steps are left out: the steps together say what a version is of.
    fn find(&self, files: &BTreeMap<String, Vec<u8>>, found: &mut Vec<Managed>) {
        let is_regex = self.custom_type.as_deref().is_none_or(|kind| kind == "regex");
        let is_simple = self.match_strings_strategy.as_deref().is_none_or(|strategy| strategy == "any");
        if !is_regex || !is_simple {
            return;
        }
        let patterns: Vec<Regex> =
            self.match_strings.iter().filter_map(|text| Regex::new(text).ok()).collect();
        for (path, bytes) in files.iter().filter(|(path, _)| self.is_of(path)) {
            let Ok(text) = std::str::from_utf8(bytes) else { continue };
            for captures in patterns.iter().flat_map(|pattern| pattern.captures_iter(text)) {
                let version = captures.name("currentValue");
                found.extend(version.zip(self.project(&captures)).map(|(version, project)| Managed {
                    path: path.clone(),
                    offset: version.start(),
                    project,
                }));
            }
        }
    }

    /// A pattern between slashes is a regular expression, and so is every older one; others are globs.
    fn is_of(&self, path: &str) -> bool {
        let matches = |pattern: &str| Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(path));
        let is_new =
            |pattern: &String| match pattern.strip_prefix('/').and_then(|text| text.strip_suffix('/')) {
                Some(pattern) => matches(pattern),
                None => Globs::new(vec![pattern.clone()]).is_ok_and(|globs| globs.match_path(path)),
            };
        self.manager_file_patterns.iter().any(is_new)
            || self.file_match.iter().any(|pattern| matches(pattern))
    }

    /// The package's name says more than the dependency's. A template with variables is not understood.
    fn project(&self, captures: &regex::Captures<'_>) -> Option<String> {
        let captured = |name: &str| captures.name(name).map(|text| text.as_str().to_owned());
        let template = |text: &Option<String>| text.clone().filter(|text| !text.contains("{{"));
        let package = template(&self.package_name_template).or_else(|| captured("packageName"));
        package.or_else(|| template(&self.dep_name_template)).or_else(|| captured("depName"))
    }
}
