//! A run for those who look at its pipeline: a summary in Markdown, links beside the job, variables for later jobs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::markdown;
use crate::merge_request::Outcome;
use crate::plan::Planned;
use crate::release::{counted, one_line};
use crate::run::JobReport;

/// More lines than this are counted and not shown: a summary is read by people, and forges cut at a megabyte.
const LINES: usize = 500;
/// GitLab's limit for the variables of a job, in bytes (docs, `artifacts:reports:dotenv`).
const VARIABLES: usize = 5 * 1024;

/// One target branch in a line.
#[derive(Debug, Clone)]
pub struct SummaryLine {
    project: String,
    branch: String,
    producer: String,
    outcome: Outcome,
    merge_request: Option<(u64, String)>,
    /// From and to which release.
    update: Option<(String, String)>,
}

impl SummaryLine {
    /// What is kept of a report.
    pub fn of(report: &JobReport) -> Self {
        let update = report.plan.as_ref().and_then(|plan| match &plan.lead().verdict {
            Planned::Update { to } => Some((plan.lead().from.to_string(), to.to_string())),
            _ => None,
        });
        Self {
            project: report.project.clone(),
            branch: report.branch.to_string(),
            producer: report.producer.clone(),
            outcome: report.outcome.clone(),
            merge_request: report.merge_request.clone(),
            update,
        }
    }

    /// Whether nothing is to be said of it.
    fn is_quiet(&self) -> bool {
        self.outcome.is_quiet() && self.merge_request.is_none()
    }
}

/// The summary in Markdown, for a job's page, an issue or a chat.
pub fn markdown(lines: &[SummaryLine]) -> String {
    let counts: Vec<String> = counts(lines)
        .into_iter()
        .map(|(name, count)| format!("{count} {}", name.replace('-', " ")))
        .collect();
    let mut text = format!("**dibump run**: {}", counted(lines.len(), "target branch"));
    if !counts.is_empty() {
        text.push_str(&format!(": {}", counts.join(", ")));
    }
    text.push('\n');
    let told: Vec<&SummaryLine> = lines.iter().filter(|line| !line.is_quiet()).collect();
    if !told.is_empty() {
        let heads = ["target branch", "outcome", "release", "merge request"];
        let rows = told.iter().take(LINES).map(|line| row(line));
        text.push_str(&format!("\n{}\n", markdown::table(&heads, rows)));
    }
    if told.len() > LINES {
        text.push_str(&format!("\n… and {} more.\n", told.len() - LINES));
    }
    text
}

fn row(line: &SummaryLine) -> Vec<String> {
    let target = markdown::code(&format!("{} {}", line.project, line.branch));
    let outcome = markdown::inline(&line.outcome.to_string());
    let update = line.update.as_ref();
    let update = update.map(|(from, to)| format!("{} → {}", markdown::code(from), markdown::code(to)));
    let link = line.merge_request.as_ref().map(|(number, url)| markdown::link(&number.to_string(), url));
    let [update, link] = [update, link].map(Option::unwrap_or_default);
    vec![format!("{target} ({})", markdown::inline(&line.producer)), outcome, update, link]
}

/// Links beside a job of GitLab (`artifacts:reports:annotations`): one for each merge request.
pub fn annotations(lines: &[SummaryLine]) -> Value {
    let link = |line: &SummaryLine| {
        let (number, url) = line.merge_request.as_ref()?;
        let label = format!("{} {} !{number}: {}", line.project, line.branch, line.outcome.words());
        Some(json!({"external_link": {"label": plain(&label), "url": plain(url)}}))
    };
    json!({"dibump": lines.iter().filter_map(link).take(LINES).collect::<Vec<_>>()})
}

/// Variables for later jobs: `artifacts:reports:dotenv` of GitLab, outputs of a step of GitHub.
pub fn variables(lines: &[SummaryLine], exit: u8) -> String {
    let mut text = format!("DIBUMP_EXIT_CODE={exit}\nDIBUMP_TARGET_BRANCHES={}\n", lines.len());
    for (name, count) in counts(lines) {
        let name = name.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        text.push_str(&format!("DIBUMP_{name}={count}\n"));
    }
    let links = lines.iter().filter_map(|line| line.merge_request.as_ref()).map(|(_, url)| plain(url));
    let mut all = String::from("DIBUMP_MERGE_REQUESTS=");
    for link in links {
        // What does not fit is left out: half a URL is worse than none.
        if text.len() + all.len() + link.len() + 2 > VARIABLES {
            break;
        }
        if !all.ends_with('=') {
            all.push(' ');
        }
        all.push_str(&link);
    }
    text + &all + "\n"
}

fn counts(lines: &[SummaryLine]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for line in lines {
        *counts.entry(line.outcome.name()).or_default() += 1;
    }
    counts
}

/// Text from outside on one line, without what ends a link or a variable.
fn plain(text: &str) -> String {
    one_line(text).chars().filter(|c| !matches!(c, '<' | '>' | '\u{fffd}')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(project: &str, outcome: Outcome, number: Option<u64>) -> SummaryLine {
        SummaryLine {
            project: project.to_owned(),
            branch: "main".to_owned(),
            producer: "diskimage-builder".to_owned(),
            outcome,
            merge_request: number.map(|number| (number, format!("https://forge.example/{project}/{number}"))),
            update: number.map(|_| ("0.4.11".to_owned(), "0.4.12".to_owned())),
        }
    }

    fn lines() -> [SummaryLine; 4] {
        [
            line("a/one", Outcome::Created, Some(7)),
            line("a/two", Outcome::UpToDate, None),
            line("a/three", Outcome::Failed("`x` | @all\nhello".to_owned()), None),
            line("a/four", Outcome::Unchanged, Some(8)),
        ]
    }

    #[test]
    fn a_summary_shows_what_there_is_to_look_at() {
        let text = markdown(&lines());
        assert!(text.starts_with(
            "**dibump run**: 4 target branches: 1 created, 1 failed, 1 unchanged, 1 up to date\n"
        ));
        assert!(text.contains("| `a/one main` (diskimage-builder) | created | `0.4.11` → `0.4.12` | [7](<https://forge.example/a/one/7>) |\n"), "{text}");
        assert!(!text.contains("a/two") && !text.contains("@all"), "{text}");
        assert_eq!(text.lines().count(), 7, "nothing breaks the table: {text}");
    }

    #[test]
    fn links_and_variables_are_whole() {
        let links = annotations(&lines());
        assert_eq!(links["dibump"].as_array().unwrap().len(), 2);
        let link = &links["dibump"][0]["external_link"];
        assert_eq!(link["label"], "a/one main !7: created");
        assert_eq!(
            variables(&lines(), 3),
            "DIBUMP_EXIT_CODE=3\nDIBUMP_TARGET_BRANCHES=4\nDIBUMP_CREATED=1\nDIBUMP_FAILED=1\nDIBUMP_UNCHANGED=1\nDIBUMP_UP_TO_DATE=1\n\
             DIBUMP_MERGE_REQUESTS=https://forge.example/a/one/7 https://forge.example/a/four/8\n"
        );
        let many: Vec<SummaryLine> = (0..1_000).map(|i| line("a/one", Outcome::Created, Some(i))).collect();
        assert!(variables(&many, 0).len() <= VARIABLES);
        assert!(markdown(&many).ends_with("… and 500 more.\n"));
    }
}
