//! Unified diffs, as `git apply` reads them.

use similar::udiff::UnifiedHunkHeader;
use similar::{DiffOp, DiffTag, group_diff_ops};

use super::{BOLD, CYAN, GREEN, RED, paint};
use crate::merge_request::patch;
use crate::release::one_line;

/// So many lines around each change.
const CONTEXT: usize = 3;

/// The unified diff of one file; empty when nothing changes.
pub fn unified(path: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let path = path.trim_start_matches('/');
    let mut text = format!("--- {}\n+++ {}\n", name("a", path), name("b", path));
    let (old, new) = (lines(before), lines(after));
    for hunk in group_diff_ops(compared(&old, &new), CONTEXT) {
        text.push_str(&format!("{}\n", UnifiedHunkHeader::new(&hunk)));
        for op in &hunk {
            let (old, new) = (&old[op.old_range()], &new[op.new_range()]);
            match op.tag() {
                DiffTag::Equal => push(&mut text, ' ', old),
                DiffTag::Delete | DiffTag::Insert | DiffTag::Replace => {
                    push(&mut text, '-', old);
                    push(&mut text, '+', new);
                }
            }
        }
    }
    text
}

fn push(text: &mut String, sign: char, lines: &[&str]) {
    for line in lines {
        text.push(sign);
        text.push_str(line);
        if !line.ends_with('\n') {
            text.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// Lines as git has them, with their ends.
fn lines(text: &str) -> Vec<&str> {
    let mut end = 0;
    let line = |line: &[u8]| {
        let start = end;
        end += line.len();
        &text[start..end]
    };
    patch::lines(text.as_bytes()).map(line).collect()
}

fn compared(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let [old, new] = [old, new].map(|lines| lines.iter().map(|line| line.as_bytes()).collect::<Vec<_>>());
    patch::compared_lines(&old, &new)
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
    let compared = compared(&lines(before), &lines(after));
    let changed = || compared.iter().filter(|op| op.tag() != DiffTag::Equal);
    (changed().map(|op| op.old_range().len()).sum(), changed().map(|op| op.new_range().len()).sum())
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
