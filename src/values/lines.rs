//! Where the lines of a text begin, and the line and column of each byte.

use memchr::memchr2_iter;

use super::Position;
use super::tree::narrow;

/// In a line that is longer, every so many bytes the column is noted, so that no look-up counts the whole line.
const STRIDE: usize = 4096;

/// The lines of a text. Line ends are those of YAML: CR LF, LF, and a lone CR.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lines {
    /// The offset of each line.
    starts: Vec<u32>,
    /// Offsets inside of long lines, with the characters of the line before them.
    columns: Vec<(u32, u32)>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let ends = |i: &usize| bytes[*i] == b'\n' || bytes.get(i + 1) != Some(&b'\n');
        let starts = memchr2_iter(b'\n', b'\r', bytes).filter(ends).map(|i| narrow(i + 1));
        let starts: Vec<u32> = std::iter::once(0).chain(starts).collect();
        let ends = starts.iter().skip(1).map(|start| *start as usize).chain([text.len()]);
        let mut columns = Vec::new();
        for (start, end) in starts.iter().map(|start| *start as usize).zip(ends) {
            if end - start > STRIDE {
                note_columns(text, start, end, &mut columns);
            }
        }
        Self { starts, columns }
    }

    /// The index of the line in which a byte stands.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start as usize <= offset).saturating_sub(1)
    }

    /// Where a line begins; `None` behind the last one.
    pub(super) fn start(&self, line: usize) -> Option<usize> {
        self.starts.get(line).map(|start| *start as usize)
    }

    /// The line and column of a byte of the text.
    pub(super) fn position(&self, text: &str, offset: usize) -> Position {
        let line = self.line_of(offset);
        let start = self.start(line).unwrap_or_default();
        let noted = self.columns.partition_point(|(at, _)| *at as usize <= offset).checked_sub(1);
        let noted = noted.map(|i| self.columns[i]).filter(|(at, _)| *at as usize > start);
        let (from, column) = noted.map_or((start, 0), |(at, column)| (at as usize, column as usize));
        let mark = usize::from(line == 0 && offset > 0 && text.starts_with('\u{feff}'));
        let more = text.get(from..offset).unwrap_or_default().chars().count();
        Position { line: line + 1, column: (column + more).saturating_sub(mark) + 1 }
    }
}

/// Notes the columns in one line.
fn note_columns(text: &str, start: usize, end: usize, columns: &mut Vec<(u32, u32)>) {
    let (mut from, mut column) = (start, 0);
    for near in (start + STRIDE..end).step_by(STRIDE) {
        let at = text.floor_char_boundary(near);
        column += text[from..at].chars().count();
        from = at;
        columns.push((narrow(at), narrow(column)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_long_line_has_its_column() {
        let text = format!("\u{feff}a\r\n{}\n\rb", "xä€".repeat(STRIDE));
        let lines = Lines::of(&text);
        let (mut line, mut column) = (1, 1);
        for (at, c) in text.char_indices() {
            assert_eq!(lines.position(&text, at), Position { line, column }, "{at}");
            match c {
                '\u{feff}' => {}
                '\n' => (line, column) = (line + 1, 1),
                '\r' if !text[at + 1..].starts_with('\n') => (line, column) = (line + 1, 1),
                _ => column += 1,
            }
        }
        assert_eq!(lines.position(&text, text.len()), Position { line, column });
    }
}
