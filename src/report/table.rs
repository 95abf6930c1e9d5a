//! Tables whose columns are aligned by what is seen, colours not counted.

use anstyle::Style;

use super::{BOLD, paint};

/// A table; each cell may have a style.
pub struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<(String, Style)>>,
}

impl Table {
    /// A table with these column heads.
    pub fn new(heads: &[&'static str]) -> Self {
        Self { heads: heads.to_vec(), rows: Vec::new() }
    }

    /// Adds a row of styled cells.
    pub fn row(&mut self, cells: impl IntoIterator<Item = (String, Style)>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, two blanks before and between columns, nothing after the last.
    pub fn render(&self) -> String {
        let widths: Vec<usize> = (0..self.heads.len()).map(|column| self.width(column)).collect();
        let heads: Vec<(String, Style)> = self.heads.iter().map(|head| ((*head).to_owned(), BOLD)).collect();
        let lines = std::iter::once(&heads).chain(&self.rows).map(|cells| line(cells, &widths));
        lines.collect()
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|(text, _)| text.chars().count());
        cells.chain([self.heads[column].len()]).max().unwrap_or(0)
    }
}

fn line(cells: &[(String, Style)], widths: &[usize]) -> String {
    let last = cells.iter().rposition(|(text, _)| !text.is_empty()).map_or(0, |i| i + 1);
    let mut line = String::new();
    for (i, ((text, style), width)) in cells.iter().zip(widths).enumerate().take(last) {
        let padding = if i + 1 == last { 0 } else { width.saturating_sub(text.chars().count()) };
        line.push_str("  ");
        line.push_str(&paint(*style, text));
        line.push_str(&" ".repeat(padding));
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_no_line_ends_in_blanks() {
        let mut table = Table::new(&["RELEASE", "VERDICT", "N"]);
        table.row([
            ("0.4.12".into(), Style::new()),
            ("proposed".into(), Style::new()),
            ("19".into(), Style::new()),
        ]);
        table.row([
            ("0.4.9".into(), Style::new()),
            ("x".into(), Style::new()),
            (String::new(), Style::new()),
        ]);
        let plain = anstream::adapter::strip_str(&table.render()).to_string();
        assert_eq!(plain, "  RELEASE  VERDICT   N\n  0.4.12   proposed  19\n  0.4.9    x\n");
    }
}
