//! Why a text is no values file, told by what it is: a pointer to the file, a template, wrong blanks, or wrong YAML.

use granit_parser::{Parser, ScanError};

use super::Position;
use super::error::ValuesError;
use super::lines::Lines;

/// How a pointer of Git LFS begins (<https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>).
const LFS_POINTERS: [&str; 2] =
    ["version https://git-lfs.github.com/spec/", "version https://hawser.github.com/spec/"];
/// How actions of Go templates and statements of Jinja begin. YAML takes neither at the beginning of a line for a key.
const ACTIONS: [&str; 2] = ["{{", "{%"];

/// Whether Git LFS keeps the file elsewhere. YAML reads a pointer as one long scalar.
pub(super) fn is_lfs_pointer(text: &str) -> bool {
    LFS_POINTERS.iter().any(|pointer| text.starts_with(pointer))
}

/// Why the parser stopped.
pub(super) fn syntax(text: &str, lines: &Lines, error: &ScanError) -> ValuesError {
    let offset = error.marker().byte_offset().unwrap_or(0);
    let at = lines.position(text, offset);
    let line = text.lines().nth(at.line - 1).unwrap_or_default();
    let indent = &line[..line.len() - line.trim_start().len()];
    if let Some(column) = indent.find('\t') {
        return ValuesError::Tab { at: Position { line: at.line, column: column + 1 } };
    }
    match template_line(text, lines, offset) {
        Some(action) => ValuesError::TemplateLine { at: lines.position(text, action) },
        None => ValuesError::Syntax { at, message: error.kind().to_string() },
    }
}

/// The template action at which a text stops being YAML: the last one up to the place of the error, if the parser gets
/// further without its line.
fn template_line(text: &str, lines: &Lines, offset: usize) -> Option<usize> {
    let next_line = |offset| lines.start(lines.line_of(offset) + 1).unwrap_or(text.len());
    let end = next_line(offset);
    let action = ACTIONS.iter().filter_map(|action| text.get(..end)?.rfind(action)).max()?;
    let begin = lines.start(lines.line_of(action))?;
    let stop = next_line(action);
    let without =
        format!("{}{}{}", text.get(..begin)?, " ".repeat(stop - begin - 1) + "\n", text.get(stop..)?);
    let error = Parser::new_from_str(&without).find_map(Result::err);
    let further = error.is_none_or(|error| error.marker().byte_offset().is_none_or(|next| next >= stop));
    // Several actions may stand in the line.
    let first = ACTIONS.iter().filter_map(|action| text.get(begin..stop)?.find(action)).min()?;
    further.then_some(begin + first)
}
