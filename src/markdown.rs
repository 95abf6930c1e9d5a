//! Markdown as both forges render it, with text from outside (release notes, names, labels) made inert.
//!
//! A forge acts on what it finds in a description, a title or a commit message (mentions, quick actions, closing
//! patterns, references, HTML), wherever it came from.
//!
//! Forges look for references in the *rendered* text, where a backslash is gone, and for quick actions and closing
//! patterns in the *raw* text, where a code span is no protection. So the trigger itself is broken by a zero-width
//! space, and Markdown is escaped on top of it.

mod layout;

pub use layout::{bullets, folded, link, table, unfinished};

/// The zero-width space: no letter and no white space to the forges' patterns, nothing to the eye.
const BREAK: char = '\u{200b}';

/// What starts a mention (`@`), a reference (`#1 !1 &1 $1 ~label %milestone *iteration:1 ^alert#1 [vulnerability:1]`),
/// an image, `[skip ci]` or an inline diff (`{+ +}`).
const TRIGGERS: &str = "@#!&$~%^*[{";

/// Stems of the words that close issues, on GitLab (`issue_closing_pattern`) and GitHub.
const CLOSING: [&str; 4] = ["clos", "fix", "resolv", "implement"];

/// Commit ids are recognised from seven digits on.
const COMMIT_ID_DIGITS: usize = 7;

/// Text within a Markdown paragraph or table cell, on one line.
pub fn inline(text: &str) -> String {
    escaped(&title(text))
}

/// Text in a title or a commit message: one line, with nothing that a forge acts on, and no Markdown escapes, which
/// would be shown as they are.
pub fn title(text: &str) -> String {
    broken(&one_line(text))
}

/// A code span. Copies as it was written unless it holds a closing pattern, which forges find in code as well.
pub fn code(text: &str) -> String {
    // A bar ends a table's cell even in code.
    let mut text = without_comments(&one_line(text)).replace('|', "¦");
    if may_close(&text) {
        text = broken(&text);
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    let pad = if text.is_empty() || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Text of ours with names between backticks: those become code spans, the rest is escaped.
pub fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let part = |(i, part): (usize, &str)| match (i % 2, part) {
        (_, "") => String::new(),
        (1, part) => code(part),
        (_, part) => padded(part),
    };
    parts.map(part).collect()
}

/// Inert text keeps no blanks at its ends, and those part it from the code beside it.
fn padded(part: &str) -> String {
    let blank = |there: bool| if there { " " } else { "" };
    let text = inline(part);
    let both = text.is_empty() && part.contains(' ');
    format!("{}{text}{}", blank(part.starts_with(' ')), blank(part.ends_with(' ') && !both))
}

/// A command in a block of its own, to be copied.
pub fn command(text: &str) -> String {
    let text = without_comments(&one_line(text));
    let text = if may_close(&text) || text.starts_with('/') { broken(&text) } else { text };
    let fence = "`".repeat(longest_run(&text, '`').max(2) + 1);
    format!("{fence}shell\n{text}\n{fence}")
}

/// Text of many lines, as a quotation. Headings and lists keep their look, everything else its letters.
pub fn block(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let lines: Vec<String> = text.trim().split(['\n', '\r']).map(quoted).collect();
    lines.join("\n")
}

fn quoted(line: &str) -> String {
    let line = line.trim();
    let bullet = ["- ", "* ", "+ "].iter().find_map(|bullet| line.strip_prefix(bullet));
    let heading = line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#'));
    let (before, text, after) = match (bullet, heading) {
        (Some(item), _) => ("- ", item, ""),
        (_, Some(heading)) => ("**", heading, "**"),
        _ => ("", line, ""),
    };
    match inline(text) {
        text if text.is_empty() => ">".to_owned(),
        // A backslash keeps the line break. After a heading it also keeps the next line out of it.
        text if before.is_empty() || before == "**" => format!("> {before}{text}{after}\\"),
        text => format!("> {before}{text}{after}"),
    }
}

/// In code a comment is only text, but the bot looks for its own marker and fence in the raw description.
fn without_comments(text: &str) -> String {
    text.replace("<!--", &format!("<{BREAK}!--"))
}

/// White space becomes single spaces; what is not seen (control characters, direction marks) goes.
fn one_line(text: &str) -> String {
    let visible: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !is_hidden(*c)).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Puts a zero-width space into everything that a forge recognises.
fn broken(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 16);
    let mut hex_digits = 0;
    for (i, &c) in chars.iter().enumerate() {
        hex_digits = if c.is_ascii_hexdigit() { hex_digits + 1 } else { 0 };
        if hex_digits == COMMIT_ID_DIGITS {
            hex_digits = 1;
            out.push(BREAK);
        } else if breaks_before(&chars, i) {
            out.push(BREAK);
        }
        out.push(c);
        if TRIGGERS.contains(c) && chars.get(i + 1) != Some(&' ') {
            out.push(BREAK);
        }
    }
    out
}

/// Quick actions (`/close`), URLs (`https://…`, `www.…`), keys of issue trackers (`GH-12`, `ABC-12`), and references
/// to projects (`group/project>`).
fn breaks_before(chars: &[char], i: usize) -> bool {
    let (before, here) = chars.split_at(i);
    match here.first() {
        Some('/') => before.is_empty() || before.ends_with(&[':']),
        Some('.') => matches!(before, [.., 'w' | 'W', 'w' | 'W', 'w' | 'W']),
        Some('>') => before.last().is_some_and(|c| is_of_a_word(*c)),
        Some(digit) if digit.is_ascii_digit() => match before.split_last() {
            Some(('-', word)) => is_tracker_key(&word_before(word)),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a forge may take it for part of a word: letters, digits and marks of any script, and `_`.
fn is_of_a_word(c: char) -> bool {
    c == '_' || !(c.is_whitespace() || c.is_ascii_punctuation())
}

fn word_before(chars: &[char]) -> String {
    let length = chars.iter().rev().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').count();
    chars[chars.len() - length..].iter().collect()
}

fn is_tracker_key(word: &str) -> bool {
    let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let capitals = word.starts_with(|c: char| c.is_ascii_uppercase()) && word.chars().all(capital);
    capitals || word.eq_ignore_ascii_case("gh") || word.eq_ignore_ascii_case("gl")
}

/// Whether a word of the text is one that closes issues.
fn may_close(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| CLOSING.iter().any(|stem| word.starts_with(stem)))
}

/// Escapes what Markdown and HTML know.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let number_length = text.chars().take_while(char::is_ascii_digit).count();
    for (i, c) in text.chars().enumerate() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '{' | '}' | '#' | '!' | '|' | '~' | '$'
            | '^' => {
                out.extend(['\\', c]);
            }
            // A list or an underlined heading begins only at the start of a line.
            '-' | '+' | '=' if i == 0 => out.extend(['\\', c]),
            '.' if i == number_length && ends_list_number(text, i) => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Whether `12.` at the start of a line begins a list, unlike `12.5`. All before `end` is digits.
fn ends_list_number(text: &str, end: usize) -> bool {
    end > 0 && text.get(end + 1..).is_none_or(|rest| rest.is_empty() || rest.starts_with(' '))
}

fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
pub(crate) mod tests;
