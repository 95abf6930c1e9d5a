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

/// A link; its text is Markdown. What is no address of a page, or could end the link early, gives the text alone.
pub fn link(text: &str, url: &str) -> String {
    let ends_it = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '\\' | '|');
    let is_page = url.starts_with("https://") || url.starts_with("http://");
    match is_page && !url.contains(ends_it) {
        true => format!("[{text}](<{url}>)"),
        false => text.to_owned(),
    }
}

/// What must follow a text that was cut at the end of a line, so that no part stays open.
pub fn unfinished(text: &str) -> String {
    let count = |mark: &str| text.lines().filter(|line| *line == mark).count();
    format!("\n\n{UNFOLD}").repeat(count(FOLD).saturating_sub(count(UNFOLD)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_head_a_rule_and_rows() {
        let rows = [vec!["1".to_owned(), String::new()]];
        assert_eq!(table(&["a", "b"], rows), "| a | b |\n| --- | --- |\n| 1 |  |");
    }

    #[test]
    fn what_is_no_page_or_could_end_its_link_is_left_out() {
        assert_eq!(link("`a`", "https://x.example/-/releases/1"), "[`a`](<https://x.example/-/releases/1>)");
        for url in [
            "javascript:alert(1)",
            "https://x.example/>",
            "https://x.example/ @all",
            "https://x.example/|",
            "a\nb",
        ] {
            assert_eq!(link("`a`", url), "`a`", "{url}");
        }
    }

    #[test]
    fn what_was_cut_within_a_folded_part_ends_it() {
        let text = format!("{}\n\n{}", folded("One", "a"), folded("Two", "b\nc"));
        let cut = &text[..text.len() - "c\n\n</details>".len()];
        assert_eq!(unfinished(cut), "\n\n</details>");
        assert_eq!(unfinished(&text), "");
    }
}
