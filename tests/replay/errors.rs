//! Errors that `check` finds, wherever their lines are; compared by nothing of the program.

use std::collections::BTreeMap;

use serde_json::Value;

/// Kind, file, keys and subject of an error, and how often it is there.
pub(crate) type Errors = BTreeMap<[String; 4], usize>;

/// The errors among findings in JSON.
pub(crate) fn errors(findings: &Value) -> Errors {
    let errors = findings.as_array().unwrap().iter().filter(|finding| finding["severity"] == "error");
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap().to_owned();
    counted(errors.map(|finding| ["id", "path", "key", "subject"].map(|field| text(finding, field))))
}

/// Counts each.
pub(crate) fn counted(errors: impl Iterator<Item = [String; 4]>) -> Errors {
    let mut counted = Errors::new();
    errors.for_each(|error| *counted.entry(error).or_default() += 1);
    counted
}

/// Those of `after` that `before` does not have.
pub(crate) fn beyond(before: &Errors, after: Errors) -> Errors {
    let left = |(error, count): ([String; 4], usize)| {
        let more = count.saturating_sub(before.get(&error).copied().unwrap_or_default());
        (error, more)
    };
    after.into_iter().map(left).filter(|(_, count)| *count > 0).collect()
}
