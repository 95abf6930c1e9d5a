//! What an incomplete release lacks.

use std::fmt;

use crate::release::{Family, ImageKey, Series, Version};

/// What a release lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The release that it is compared with; `None` where only images that wait for promotion were found.
    pub previous: Option<Version>,
    /// Families that the release before had.
    pub families: Vec<Family>,
    /// Lines that the release before had, of families that are there and of minors that other families have.
    pub lines: Vec<Series>,
    /// Images that were built for the release and not promoted yet.
    pub unpromoted: Vec<ImageKey>,
}

impl Missing {
    /// Each thing that is missing, as people name it.
    pub fn items(&self) -> Vec<String> {
        let families = self.families.iter().map(ToString::to_string);
        let lines = self.lines.iter().map(ToString::to_string);
        let unpromoted = self.unpromoted.iter().map(|key| format!("{key} (built, not promoted)"));
        families.chain(lines).chain(unpromoted).collect()
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = self.items();
        let (first, more) =
            (items.iter().take(3).cloned().collect::<Vec<_>>(), items.len().saturating_sub(3));
        write!(f, "not published in full: {}", first.join(", "))?;
        if more > 0 {
            write!(f, " and {more} more")?;
        }
        let verb = if items.len() == 1 { "is" } else { "are" };
        write!(f, " {verb} missing")?;
        match &self.previous {
            Some(previous) if !(self.families.is_empty() && self.lines.is_empty()) => {
                write!(f, ", compared with {previous}")
            }
            _ => Ok(()),
        }
    }
}
