//! A check as JUnit XML: a test for each finding, and one that passes for each kind of which none was found.

use std::fmt::Write as _;

use super::{CheckedFiles, spot};
use crate::check::{Finding, Id, Severity};
use crate::release::one_line::is_plain;

/// The report.
pub fn report(checked: &CheckedFiles<'_>) -> String {
    let report = checked.report;
    let mut tests: Vec<String> = report.findings.iter().map(finding).collect();
    let found = |id: &Id| report.findings.iter().any(|finding| finding.id == *id);
    tests.extend(Id::ALL.into_iter().filter(|id| !found(id)).map(none_found));
    tests.extend(report.unknown.iter().map(|reason| {
        test("could not tell", &format!("<error message=\"{0}\">{0}</error>", escaped(reason)))
    }));
    let (failures, errors) = (report.count(Severity::Error), report.unknown.len());
    let counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\"", tests.len());
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let _ = write!(text, "<testsuites {counts}>\n  <testsuite name=\"dibump check\" {counts}>\n");
    text.extend(tests);
    text + "  </testsuite>\n</testsuites>\n"
}

/// An error is a test that failed; a warning is one that passed and says something.
fn finding(finding: &Finding) -> String {
    let place = spot(&finding.place);
    let help = finding.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    let body = escaped(&format!("{}\n{place}{help}", finding.message));
    let body = match finding.severity {
        Severity::Error => {
            let message = escaped(&finding.message);
            format!("<failure type=\"{}\" message=\"{message}\">{body}</failure>", finding.id)
        }
        Severity::Warn => format!("<system-out>{body}</system-out>"),
    };
    test(&format!("{}: {place}: {}", finding.id, finding.message), &body)
}

fn none_found(id: Id) -> String {
    format!("    <testcase classname=\"dibump.check\" name=\"{id}\"/>\n")
}

fn test(name: &str, body: &str) -> String {
    format!("    <testcase classname=\"dibump.check\" name=\"{}\">{body}</testcase>\n", escaped(name))
}

/// Text in an element or an attribute. What XML 1.0 cannot hold at all (section 2.2), and what
/// would move a cursor, is replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(escaped, "&#{};", u32::from(c));
            }
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if !is_plain(c) => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
