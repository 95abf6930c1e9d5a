//! A check in SARIF 2.1.0, which GitHub shows beside the lines of a pull request.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::{CheckedFiles, fingerprints, shown_path};
use crate::check::{Finding, FindingPlace, Id, Severity};
use crate::markdown;

/// The published schema that the report keeps to.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What cannot stand in the path of a URI (RFC 3986, 3.3).
const NOT_IN_PATHS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b':');

/// The report.
pub fn report(checked: &CheckedFiles<'_>) -> Value {
    let report = checked.report;
    let prints = fingerprints(&report.findings);
    let results: Vec<Value> =
        report.findings.iter().zip(prints).map(|(finding, print)| result(finding, &print)).collect();
    let unknown = report.unknown.iter().map(
        |reason| json!({"level": "error", "message": {"text": plain(&format!("could not tell: {reason}"))}}),
    );
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "dibump",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": Id::ALL.map(rule),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.unknown.is_empty(),
                "toolExecutionNotifications": unknown.collect::<Vec<_>>(),
            }],
            "results": results,
        }],
    })
}

fn rule(id: Id) -> Value {
    json!({
        "id": id.as_str(),
        "shortDescription": {"text": id.summary()},
        "defaultConfiguration": {"level": level(id.default_severity())},
    })
}

fn result(finding: &Finding, fingerprint: &str) -> Value {
    let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    json!({
        "ruleId": finding.id.as_str(),
        "ruleIndex": Id::ALL.iter().position(|id| *id == finding.id),
        "level": level(finding.severity),
        "message": {"text": plain(&format!("{}{help}", finding.message))},
        "locations": [{"physicalLocation": location(&finding.place)}],
        "partialFingerprints": {"dibump/v1": fingerprint},
    })
}

fn location(place: &FindingPlace) -> Value {
    let path = utf8_percent_encode(shown_path(&place.path), NOT_IN_PATHS).to_string();
    let artifact = match path.starts_with('/') {
        true => json!({"uri": format!("file://{path}")}),
        false => json!({"uri": path, "uriBaseId": "%SRCROOT%"}),
    };
    json!({
        "artifactLocation": artifact,
        "region": {
            "startLine": place.at.line,
            "startColumn": place.at.column,
            "endColumn": place.at.column + place.length,
        },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warn => "warning",
    }
}

/// Plain text of a message: brackets would make a link, braces a placeholder (SARIF 2.1.0, 3.11.5 and 3.11.6).
fn plain(text: &str) -> String {
    let text = markdown::title(text).replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    text.replace('{', "{{").replace('}', "}}")
}
