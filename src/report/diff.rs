//! Unified diffs, as `git apply` reads them.

use similar::{ChangeTag, TextDiff};

use super::{BOLD, CYAN, GREEN, RED, paint};

/// The unified diff of one file; empty when nothing changes.
pub fn unified(path: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let path = path.trim_start_matches('/');
    let heads = (format!("a/{path}"), format!("b/{path}"));
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&heads.0, &heads.1)
        .to_string()
}

/// The same in colours.
pub fn coloured(path: &str, before: &str, after: &str) -> String {
    let diff = unified(path, before, after);
    let style = |line: &str| match line.as_bytes().first() {
        _ if line.starts_with("+++ ") || line.starts_with("--- ") => Some(BOLD),
        Some(b'+') => Some(GREEN),
        Some(b'-') => Some(RED),
        Some(b'@') => Some(CYAN),
        _ => None,
    };
    // The end of a line is part of it: `git apply` compares a carriage return too.
    let paint_line = |line: &str| {
        let text = line.trim_end_matches(['\r', '\n']);
        match style(text) {
            Some(style) => format!("{}{}", paint(style, text), &line[text.len()..]),
            None => line.to_owned(),
        }
    };
    diff.split_inclusive('\n').map(paint_line).collect()
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
