//! Releases and artifacts as tables that fit a terminal.

use anstyle::Style;

use super::table::Table;
use super::{GREEN, RED, YELLOW, paint, plan, printable};
use crate::release::choice::{Known, Next, Question, next_wanted};
use crate::release::{Artifact, Coverage, Release};

/// Every release with the policy's verdict.
pub fn table(question: &Question<'_>, known: &Known) -> String {
    if known.candidates.is_empty() {
        return "  no release was found\n".to_owned();
    }
    match next_wanted(question, known) {
        Next::Decided(choice) => plan::releases(&choice, known, question.current),
        // The release that `--from` names does not exist: the verdicts are those of a file without a version.
        Next::Read(_) => match next_wanted(&Question { current: None, ..question.clone() }, known) {
            Next::Decided(choice) => plan::releases(&choice, known, None),
            Next::Read(_) => String::new(),
        },
    }
}

/// The artifacts of one release.
pub fn artifacts(release: &Release) -> String {
    let mut table = Table::new(&["ARTIFACT", "OS RELEASE", "KUBERNETES", "CREATED", "DIGEST"]);
    for artifact in release.artifacts.values() {
        table.row(row(artifact));
    }
    let mut text = if table.is_empty() { String::new() } else { table.render() };
    text.push_str(&match &release.coverage {
        Coverage::Complete if release.artifacts.is_empty() => {
            paint(YELLOW, format!("no artifact carries {}", release.version))
        }
        Coverage::Complete => format!("{} artifacts, {}", release.artifacts.len(), paint(GREEN, "complete")),
        Coverage::Partial { reason } => {
            let count = release.artifacts.len();
            format!("{count} artifacts proven, {}: {}", paint(YELLOW, "others may exist"), printable(reason))
        }
        Coverage::Unknown { reason } => format!("{}: {}", paint(RED, "unknown"), printable(reason)),
    });
    text + "\n"
}

fn row(artifact: &Artifact) -> [(String, Style); 5] {
    let facets = artifact.facets.as_ref();
    let short = |digest: &crate::release::Digest| digest.as_str().chars().take(19).collect::<String>();
    [
        artifact.key.to_string(),
        facets.map(|f| printable(&f.os_release)).unwrap_or_default(),
        facets.map(|f| printable(&f.k8s_version.to_string())).unwrap_or_default(),
        artifact.created.map(|t| t.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default(),
        artifact.digest.as_ref().map(short).unwrap_or_default(),
    ]
    .map(|text| (text, Style::new()))
}
