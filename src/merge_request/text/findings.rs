//! What an update does to the findings of `dibump check`: new errors stand before everything else.

use super::{bullets, short};
use crate::markdown;

/// What an update does to the findings of `dibump check`, a sentence each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingsSummary {
    /// Errors that it adds.
    pub errors: Vec<String>,
    /// Warnings that it adds.
    pub warnings: Vec<String>,
    /// What it resolves.
    pub resolved: Vec<String>,
    /// What could not be checked.
    pub not_checked: Vec<String>,
}

impl FindingsSummary {
    /// What stands before everything else.
    pub(super) fn head(&self) -> Option<String> {
        bullets("`dibump check` finds new errors after this update", short(&lines(&self.errors)))
    }

    /// What it resolves, among the essentials.
    pub(super) fn resolved(&self) -> Option<String> {
        bullets("Resolved by this update", short(&lines(&self.resolved)))
    }

    /// What had no room above, and what is for who wants to know everything.
    pub(super) fn rest(&self) -> impl Iterator<Item = String> {
        let all = |heading, texts: &[String]| {
            let lines = lines(texts);
            (short(&lines).len() < lines.len()).then(|| bullets(heading, &lines)).flatten()
        };
        let (errors, resolved) =
            (all("All new errors", &self.errors), all("All that this update resolves", &self.resolved));
        errors.into_iter().chain(resolved).chain(bullets("Not checked", &lines(&self.not_checked)))
    }
}

fn lines(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| markdown::inline(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_of_many_errors_stand_at_the_head_and_all_of_them_below() {
        let errors: Vec<String> = (0..9).map(|i| format!("values.yaml:{i}:1: `@{i}` is no image")).collect();
        let told = FindingsSummary { errors, ..FindingsSummary::default() };
        let head = told.head().unwrap();
        assert!(
            head.starts_with("**`dibump check` finds new errors after this update:**\n\n- values.yaml:0:1"),
            "{head}"
        );
        assert!(!head.contains("@0") && !head.contains("values.yaml:8"), "{head}");
        let rest: Vec<String> = told.rest().collect();
        assert!(rest.len() == 1 && rest[0].contains("values.yaml:8"), "{rest:?}");
        assert_eq!(FindingsSummary::default().head(), None);
        assert_eq!(FindingsSummary::default().rest().count(), 0);
    }
}
