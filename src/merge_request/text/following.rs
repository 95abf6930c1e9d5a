//! What follows the image keys elsewhere: references in other files, Kubernetes versions in the same one.

use crate::markdown;

/// So many lines stand in the text; the rest is only counted, as the changes show it.
const LINES: usize = 8;

/// What follows the image keys elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Following {
    /// Kubernetes versions in the file that holds the version.
    pub kubernetes_versions: Vec<VersionChange>,
    /// Other files that name image keys.
    pub references: Vec<ReferenceSummary>,
}

/// A Kubernetes version that becomes that of the images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionChange {
    /// Flavor and minor: `rke2 1.31`.
    pub of: String,
    /// As it is written.
    pub from: String,
    /// As it will be.
    pub to: String,
}

/// A file in which image keys get their new names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceSummary {
    /// Its path in the project.
    pub path: String,
    /// How many do.
    pub renamed: usize,
}

impl Following {
    /// A line for each, inert.
    pub(super) fn lines(&self) -> Vec<String> {
        let versions = self.kubernetes_versions.iter().map(|change| {
            let (from, to) = (markdown::code(&change.from), markdown::code(&change.to));
            format!("Kubernetes of {}: {from} → {to}", markdown::inline(&change.of))
        });
        let references = self.references.iter().map(|file| {
            let plural = if file.renamed == 1 { "reference" } else { "references" };
            format!("{}: {} {plural} renamed", markdown::code(&file.path), file.renamed)
        });
        let mut lines: Vec<String> = versions.chain(references).collect();
        if lines.len() > LINES {
            let more = lines.split_off(LINES - 1).len();
            lines.push(format!("and {more} more, see the changes"));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_follows_and_nothing_from_outside_acts() {
        let change = VersionChange {
            of: "rke2 1.31".into(),
            from: "v1.31.7+rke2r1".into(),
            to: "v1.31.8+rke2r1".into(),
        };
        let file = |renamed| ReferenceSummary { path: "deploy/@all`.yaml".into(), renamed };
        let following = Following { kubernetes_versions: vec![change], references: vec![file(1), file(2)] };
        assert_eq!(
            following.lines(),
            [
                "Kubernetes of rke2 1.31: `v1.31.7+rke2r1` → `v1.31.8+rke2r1`".to_owned(),
                format!("{}: 1 reference renamed", markdown::code("deploy/@all`.yaml")),
                format!("{}: 2 references renamed", markdown::code("deploy/@all`.yaml")),
            ]
        );
        let many = Following { references: (0..20).map(file).collect(), ..Following::default() };
        assert_eq!(many.lines().len(), LINES);
        assert_eq!(many.lines()[LINES - 1], "and 13 more, see the changes");
    }
}
