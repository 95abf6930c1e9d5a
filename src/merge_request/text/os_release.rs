//! OS releases that change: at the head of the text where the policy leaves room for patches only.

use super::bullets;
use crate::markdown;

/// OS releases that change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OsReleases {
    /// A sentence for each family.
    pub changes: Vec<String>,
    /// Whether the policy leaves room for patches only, so that nobody expects a change.
    pub is_unexpected: bool,
}

impl OsReleases {
    /// What stands before everything else.
    pub(super) fn head(&self) -> Option<String> {
        let heading = "The OS release changes, though `range` allows patches only";
        self.is_unexpected.then(|| bullets(heading, &self.lines())).flatten()
    }

    /// What stands among the other changes, unless it stands at the head.
    pub(super) fn part(&self) -> Option<String> {
        (!self.is_unexpected).then(|| bullets("The OS release changes", &self.lines())).flatten()
    }

    fn lines(&self) -> Vec<String> {
        self.changes.iter().map(|change| markdown::inline(change)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_stands_at_the_head_or_among_the_others() {
        let changes =
            vec!["ubuntu plain rke2 moves from OS release jammy to @noble (2 image keys)".to_owned()];
        let told = |is_unexpected| OsReleases { changes: changes.clone(), is_unexpected };
        let head = told(true).head().unwrap();
        assert!(
            head.starts_with("**The OS release changes, though `range` allows patches only:**\n\n- "),
            "{head}"
        );
        assert!(!head.contains("@noble"), "{head}");
        assert_eq!((told(true).part(), told(false).head()), (None, None));
        assert!(told(false).part().unwrap().starts_with("**The OS release changes:**"));
        assert_eq!(OsReleases { changes: vec![], is_unexpected: true }.head(), None);
    }
}
