//! The merge request's text of a real update, as `plan --format markdown` prints it: a reviewer with one minute sees all that
//! is not folded at once.

use std::process::Command;

/// What GitLab gives pipelines of a description (`CI_MERGE_REQUEST_DESCRIPTION`), in characters.
const SHOWN: usize = 2_700;
/// What a reviewer sees without scrolling, in lines, the two boxes of the description among them.
const LINES: usize = 25;

/// What begins the sentence that says what to do.
const WHAT_TO_DO: &str = "**What to do:** ";

/// What is wrong with the text of this update.
pub(crate) fn problem(before: &str, prefix: &str, to: &str) -> Option<String> {
    let text = markdown(before, prefix, to);
    let visible = text.split("<details>").next().unwrap_or_default();
    let lines = visible.lines().filter(|line| !line.is_empty() && !line.contains("---")).count();
    let (lines, characters) = (lines + text.matches("<summary>").count() + 2, visible.chars().count());
    let rows = ["Images", "Signatures", "Findings", "Kubernetes"].map(|row| format!(" | {row} | "));
    if let Some(row) = rows.iter().find(|row| !visible.contains(row.as_str())) {
        return Some(format!("the text has no row{row}"));
    }
    if !visible.contains(&format!("to `{to}`")) || !visible.contains(WHAT_TO_DO) {
        return Some("the text does not say where the update leads, or what to do".to_owned());
    }
    let fits = lines <= LINES && visible.lines().count() <= LINES && characters <= SHOWN;
    (!fits).then(|| format!("{lines} lines and {characters} characters are visible"))
}

fn markdown(before: &str, prefix: &str, to: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("values.yaml"), before).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_dibump"))
        .args(["plan", "values.yaml", "--registry", prefix, "--plain-http", "--discovery", "catalog"])
        .args(["--to", to, "--format", "markdown", "--signatures", "off"])
        .current_dir(folder.path())
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "plan failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
