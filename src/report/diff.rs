//! Unified diffs, as `git apply` reads them.

use similar::{ChangeTag, TextDiff};

use super::{BOLD, CYAN, GREEN, RED, paint};
use crate::release::one_line;

/// The unified diff of one file; empty when nothing changes.
pub fn unified(path: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let path = path.trim_start_matches('/');
    let heads = (name("a", path), name("b", path));
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&heads.0, &heads.1)
        .to_string()
}

/// A name as git reads it in a patch (git, `apply.c`, `find_name_traditional`): in quotes where a character needs an escape,
/// and with a tab behind it where white space could be taken for the begin of a date.
fn name(side: &str, path: &str) -> String {
    let needs_escape = |c: char| c.is_ascii_control() || matches!(c, '"' | '\\');
    if path.contains(needs_escape) {
        let escaped: String = path.chars().map(escaped).collect();
        return format!("\"{side}/{escaped}\"");
    }
    let end = if path.contains(char::is_whitespace) { "\t" } else { "" };
    format!("{side}/{path}{end}")
}

fn escaped(c: char) -> String {
    match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_ascii_control() => format!("\\{:03o}", u32::from(c)),
        c => c.to_string(),
    }
}

/// The same in colours, byte for byte.
pub fn coloured(path: &str, before: &str, after: &str) -> String {
    unified(path, before, after).split_inclusive('\n').map(painted).collect()
}

/// The same for people: what would move the cursor or end a line is shown.
pub(super) fn shown(path: &str, before: &str, after: &str) -> String {
    let diff = unified(path, before, after);
    let line = |line: &str| painted(&one_line(line.trim_end_matches(['\r', '\n']))) + "\n";
    diff.split_inclusive('\n').map(line).collect()
}

/// A line in its colour. The end of it is part of it: `git apply` compares a carriage return too.
fn painted(line: &str) -> String {
    let text = line.trim_end_matches(['\r', '\n']);
    let style = match text.as_bytes().first() {
        _ if text.starts_with("+++ ") || text.starts_with("--- ") => BOLD,
        Some(b'+') => GREEN,
        Some(b'-') => RED,
        Some(b'@') => CYAN,
        _ => return line.to_owned(),
    };
    format!("{}{}", paint(style, text), &line[text.len()..])
}

/// How many lines go and come.
pub fn counts(before: &str, after: &str) -> (usize, usize) {
    let diff = TextDiff::from_lines(before, after);
    let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    (count(ChangeTag::Delete), count(ChangeTag::Insert))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_final_newline_is_said() {
        let diff = unified("values.yaml", "a: 1\nb: 2", "a: 1\nb: 3");
        assert_eq!(
            diff,
            "--- a/values.yaml\n+++ b/values.yaml\n@@ -1,2 +1,2 @@\n a: 1\n-b: 2\n\\ No newline at end of file\n+b: 3\n\\ No newline at end of file\n"
        );
        assert_eq!(unified("values.yaml", "a", "a"), "");
        assert_eq!(counts("a\nb\n", "a\nc\nd\n"), (1, 2));
    }
}
