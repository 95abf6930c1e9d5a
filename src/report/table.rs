//! Tables whose columns are aligned by what is seen, colours not counted, and that fit a terminal where its width is known.
//!
//! Table crates (`comfy-table`, `tabled`) wrap or cut cells, and drop no column: which one a reader can do without, and that
//! the reader is told of it, would be as much code over them as it is here.

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{BOLD, DIM, paint, printable};
use crate::markdown;

/// Cut cells keep at least this much, else they say nothing.
const LEAST: usize = 12;

/// A table; each cell may have a style.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

/// A column: its head, and what it does when the table is too wide.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    head: &'static str,
    narrow: Narrow,
    verbatim: bool,
}

/// What a column does when the table is too wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Narrow {
    /// It stays as it is.
    Stays,
    /// Its cells are cut.
    Cut,
    /// It is left out, the last column first; also where nothing stands in it.
    LeftOut,
}

enum Row {
    Cells(Vec<(String, Style)>),
    /// A line of its own above the rows that follow.
    Heading(String),
}

impl Column {
    /// A column that is always shown whole.
    pub const fn whole(head: &'static str) -> Self {
        Self { head, narrow: Narrow::Stays, verbatim: false }
    }

    /// A column of long text, of which the beginning says enough.
    pub const fn cut(head: &'static str) -> Self {
        Self { head, narrow: Narrow::Cut, verbatim: false }
    }

    /// A column that the reader can do without.
    pub const fn optional(head: &'static str) -> Self {
        Self { head, narrow: Narrow::LeftOut, verbatim: false }
    }

    /// The same, of names that are copied: code in Markdown.
    #[must_use]
    pub const fn verbatim(self) -> Self {
        Self { verbatim: true, ..self }
    }
}

impl Table {
    /// A table with these column heads, all of them shown whole. A terminal gets heads in capitals.
    pub fn new(heads: &[&'static str]) -> Self {
        Self::of(heads.iter().map(|head| Column::whole(head)))
    }

    /// A table with these columns.
    pub fn of(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row of styled cells.
    pub fn row(&mut self, cells: impl IntoIterator<Item = (String, Style)>) {
        let cells = cells.into_iter().map(|(text, style)| (printable(&text), style));
        self.rows.push(Row::Cells(cells.collect()));
    }

    /// Adds a line above the rows that follow, without their indentation. Markdown has no place for it: there each part
    /// is a table of its own.
    pub fn heading(&mut self, text: String) {
        self.rows.push(Row::Heading(text));
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, two blanks before and between columns, nothing after the last.
    pub fn render(&self) -> String {
        self.fitted(None)
    }

    /// The same within `width`, if its columns allow. What was left out for that is named below.
    pub fn fitted(&self, width: Option<usize>) -> String {
        let wanted: Vec<usize> = (0..self.columns.len()).map(|column| self.width(column)).collect();
        let widths = self.fit(&wanted, width.unwrap_or(usize::MAX));
        let heads: Vec<_> = self.columns.iter().map(|column| (column.head.to_uppercase(), BOLD)).collect();
        let mut text = line(&heads, &widths);
        for row in &self.rows {
            text += &match row {
                Row::Cells(cells) => line(cells, &widths),
                Row::Heading(heading) => format!("{heading}\n"),
            };
        }
        let left_out = (0..wanted.len()).filter(|&i| widths[i].is_none() && wanted[i] > 0);
        let left_out: Vec<String> = left_out.map(|i| self.columns[i].head.to_uppercase()).collect();
        if !left_out.is_empty() {
            let room: Vec<usize> = (0..wanted.len()).map(|column| self.least(column, &wanted)).collect();
            let note = format!("{} left out: shown from {} columns on", left_out.join(", "), total(&room));
            text += &format!("  {}\n", paint(DIM, note));
        }
        text
    }

    /// The table in Markdown, every column that is not empty. What is in the cells stays inert.
    pub fn markdown(&self) -> String {
        let shown: Vec<usize> = (0..self.columns.len()).filter(|&column| self.width(column) > 0).collect();
        let heads: Vec<&str> = shown.iter().map(|&column| self.columns[column].head).collect();
        let row = |cells: &Vec<_>| shown.iter().map(|&i| self.markdown_cell(i, cells.get(i))).collect();
        markdown::table(&heads, self.cells().map(row)) + "\n"
    }

    fn markdown_cell(&self, column: usize, cell: Option<&(String, Style)>) -> String {
        match cell {
            None => String::new(),
            Some((text, _)) if text.is_empty() => String::new(),
            Some((text, _)) if self.columns[column].verbatim => markdown::code(text),
            Some((text, _)) => markdown::inline(text),
        }
    }

    fn cells(&self) -> impl Iterator<Item = &Vec<(String, Style)>> {
        self.rows.iter().filter_map(|row| match row {
            Row::Cells(cells) => Some(cells),
            Row::Heading(_) => None,
        })
    }

    /// How wide a column is if nothing limits it; 0 for one that may be left out and has nothing in it.
    fn width(&self, column: usize) -> usize {
        let cells = self.cells().filter_map(|row| row.get(column)).map(|(text, _)| text.width());
        let widest = cells.max().unwrap_or(0);
        let Column { head, narrow, .. } = self.columns[column];
        if narrow == Narrow::LeftOut && widest == 0 { 0 } else { widest.max(head.width()) }
    }

    fn least(&self, column: usize, wanted: &[usize]) -> usize {
        let cut = self.columns[column].narrow == Narrow::Cut;
        if cut { wanted[column].min(LEAST) } else { wanted[column] }
    }

    /// The width of each column within `limit`; `None` for one that is left out.
    fn fit(&self, wanted: &[usize], limit: usize) -> Vec<Option<usize>> {
        let mut widths: Vec<usize> = wanted.to_vec();
        let least = |i: usize| self.least(i, wanted);
        let optional = |i: &usize| self.columns[*i].narrow == Narrow::LeftOut;
        let mut shown: Vec<usize> = (0..widths.len()).filter(|&i| widths[i] > 0).collect();
        while total(&shown.iter().map(|&i| least(i)).collect::<Vec<_>>()) > limit {
            match shown.iter().rposition(optional) {
                Some(last) => drop(shown.remove(last)),
                None => break,
            }
        }
        let too_wide =
            |widths: &[usize]| total(&shown.iter().map(|&i| widths[i]).collect::<Vec<_>>()) > limit;
        while too_wide(&widths) {
            let can_give = shown.iter().copied().filter(|&i| widths[i] > least(i));
            match can_give.max_by_key(|&i| widths[i]) {
                Some(widest) => widths[widest] -= 1,
                None => break,
            }
        }
        (0..widths.len()).map(|i| shown.contains(&i).then_some(widths[i])).collect()
    }
}

/// The width of a line with such columns.
fn total(widths: &[usize]) -> usize {
    widths.iter().filter(|width| **width > 0).map(|width| width + 2).sum()
}

fn line(cells: &[(String, Style)], widths: &[Option<usize>]) -> String {
    let shown: Vec<_> =
        cells.iter().zip(widths).filter_map(|(cell, width)| Some((cell, (*width)?))).collect();
    let last = shown.iter().rposition(|((text, _), _)| !text.is_empty()).map_or(0, |i| i + 1);
    let mut line = String::new();
    for (i, ((text, style), width)) in shown.into_iter().enumerate().take(last) {
        let text = cut(text, width);
        let padding = if i + 1 == last { 0 } else { width.saturating_sub(text.width()) };
        line.push_str("  ");
        line.push_str(&paint(*style, text));
        line.push_str(&" ".repeat(padding));
    }
    line.push('\n');
    line
}

fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut room = width.saturating_sub(1);
    let fits = |c: &char| {
        let taken = room.checked_sub(c.width().unwrap_or(0));
        room = taken.unwrap_or(0);
        taken.is_some()
    };
    let beginning: String = text.chars().take_while(fits).collect();
    format!("{}…", beginning.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells<const N: usize>(texts: [&str; N]) -> [(String, Style); N] {
        texts.map(|text| (text.to_owned(), Style::new()))
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn columns_are_aligned_and_no_line_ends_in_blanks() {
        let mut table = Table::new(&["RELEASE", "VERDICT", "N"]);
        table.row(cells(["0.4.12", "proposed", "19"]));
        table.row(cells(["0.4.9", "x", ""]));
        assert_eq!(plain(&table.render()), "  RELEASE  VERDICT   N\n  0.4.12   proposed  19\n  0.4.9    x\n");
    }

    fn wide() -> Table {
        let columns = [
            Column::whole("NAME").verbatim(),
            Column::cut("REASON"),
            Column::optional("A"),
            Column::optional("B"),
        ];
        let mut table = Table::of(columns);
        table.row(cells(["a-long-name-of-an-image", "because of a reason that is long", "aaaaa", ""]));
        table.row(cells(["b", "", "", ""]));
        table
    }

    #[test]
    fn too_wide_a_table_is_cut_and_then_loses_columns_but_never_its_names() {
        let lines = |width| plain(&wide().fitted(width));
        assert_eq!(
            lines(None),
            "  NAME                     REASON                            A\n  \
             a-long-name-of-an-image  because of a reason that is long  aaaaa\n  b\n"
        );
        assert_eq!(
            lines(Some(48)),
            "  NAME                     REASON          A\n  \
             a-long-name-of-an-image  because of a…   aaaaa\n  b\n"
        );
        assert_eq!(
            lines(Some(40)),
            "  NAME                     REASON\n  \
             a-long-name-of-an-image  because of a…\n  b\n  A left out: shown from 46 columns on\n"
        );
        assert!(lines(Some(10)).contains("a-long-name-of-an-image  because of…"), "{}", lines(Some(10)));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_where_its_names_fit() {
        for width in 39..80 {
            for line in plain(&wide().fitted(Some(width))).lines().filter(|line| !line.contains("left out")) {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn characters_that_take_two_columns_are_counted_so() {
        let mut table = Table::of([Column::cut("a"), Column::whole("b")]);
        table.row(cells(["東京の画像です", "x"]));
        table.row(cells(["plain-image", "y"]));
        assert_eq!(
            plain(&table.fitted(Some(17))),
            "  A             B\n  東京の画像…   x\n  plain-image   y\n"
        );
    }

    #[test]
    fn markdown_shows_every_column_and_nothing_in_it_acts() {
        let mut table = wide();
        table.row(cells(["x|y", "@all | <b>", "/close", ""]));
        assert_eq!(
            table.markdown(),
            "| NAME | REASON | A |\n| --- | --- | --- |\n\
             | `a-long-name-of-an-image` | because of a reason that is long | aaaaa |\n\
             | `b` |  |  |\n\
             | `x¦y` | @\u{200b}all \\| &lt;b\u{200b}&gt; | \u{200b}/close |\n"
        );
    }
}
