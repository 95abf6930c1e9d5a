//! Lists, tables, links and folded parts. What is put into them is Markdown already; text from outside is inert by then.

/// A list.
pub fn bullets(items: impl IntoIterator<Item = String>) -> String {
    items.into_iter().map(|item| format!("- {item}")).collect::<Vec<_>>().join("\n")
}

/// A table.
pub fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rule = vec!["---".to_owned(); heads.len()];
    let heads = heads.iter().map(ToString::to_string).collect();
    [heads, rule].into_iter().chain(rows).map(row).collect::<Vec<_>>().join("\n")
}

/// A row of a table.
fn row(cells: Vec<String>) -> String {
    format!("| {} |", cells.join(" | "))
}

/// A part that the reader unfolds. Forges do not read the summary as Markdown, so it takes none, and nothing from outside.
pub fn folded(summary: &str, body: &str) -> String {
    format!("{FOLD}\n<summary>{summary}</summary>\n\n{body}\n\n{UNFOLD}")
}

/// The beginning of a folded part, a line of its own.
const FOLD: &str = "<details>";
/// The end of it.
const UNFOLD: &str = "</details>";

/// A link; its text is Markdown. A URL that could end the link early gives the text alone.
pub fn link(text: &str, url: &str) -> String {
    let ends_it = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '\\' | '|');
    match url.contains(ends_it) {
        true => text.to_owned(),
        false => format!("[{text}](<{url}>)"),
    }
}

/// What must follow a text that was cut at the end of a line, so that no part stays open.
pub fn unfinished(text: &str) -> String {
    let count = |mark: &str| text.lines().filter(|line| *line == mark).count();
    format!("\n\n{UNFOLD}").repeat(count(FOLD).saturating_sub(count(UNFOLD)))
}
