//! Notices: what the bot says about the state of a merge request that it leaves as it is, or closes.

use super::Offered;
use crate::markdown;

/// More lines than this say no more.
const MOST_LINES: usize = 12;

/// People's commits are on the branch.
pub fn edited(why: &str, version: &Offered, lacking: &[String]) -> String {
    let version = markdown::code(&version.to_string());
    let left = format!("{}, so dibump leaves this branch alone.", markdown::inline(&capitalised(why)));
    let state = match lacking {
        [] => format!("It has everything that {version} needs."),
        lines => format!("For {version} it lacks:\n{}", list(lines)),
    };
    quoted(&format!("{left} {state}"))
}

/// It is approved, and stays where it is.
pub fn frozen(offered: &Offered, newer: &Offered) -> String {
    let (offered, newer) = (markdown::code(&offered.to_string()), markdown::code(&newer.to_string()));
    quoted(&format!(
        "{newer} is published. This merge request stays at {offered} because it is approved \
         (`freeze: approved`); tick the first box below to move it."
    ))
}

/// The tag points to other images than when the text was written.
pub fn moved(version: &Offered, images: &[String]) -> String {
    quoted(&format!(
        "**Do not merge before you know why:** the tag {} was moved after this text was written. These images \
         are not the described ones any more:\n{}\nTick the first box below to describe them again.",
        markdown::code(&version.to_string()),
        list(images)
    ))
}

/// The bot closes it.
pub fn closed(why: &str) -> String {
    quoted(&format!("Closed: {}.", markdown::inline(why)))
}

fn list(items: &[String]) -> String {
    let shown = items.iter().take(MOST_LINES).map(|item| format!("\n- {}", markdown::code(item.trim_end())));
    let more = items.len().saturating_sub(MOST_LINES);
    let rest = if more > 0 { format!("\n- and {more} more") } else { String::new() };
    format!("{}{rest}\n", shown.collect::<String>())
}

fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_about_peoples_commits_says_what_is_missing() {
        let version = "0.4.13".parse().unwrap();
        let lacking = vec!["  ubuntu-noble-plain-rke2-1-31-9: {}\n".to_owned()];
        insta::assert_snapshot!(edited("2 commits are on the source branch", &version, &lacking), @r"
        > 2 commits are on the source branch, so dibump leaves this branch alone. For `0.4.13` it lacks:
        >
        > - `ubuntu-noble-plain-rke2-1-31-9: {}`
        ");
        let nothing = edited("2 commits are on the source branch", &version, &[]);
        assert!(nothing.ends_with("It has everything that `0.4.13` needs."), "{nothing}");
    }

    #[test]
    fn long_lists_are_cut() {
        let images: Vec<String> = (0..20).map(|i| format!("image-{i}")).collect();
        let text = moved(&"0.4.12".parse().unwrap(), &images);
        assert!(text.contains("and 8 more") && text.lines().all(|line| line.starts_with('>')), "{text}");
    }
}
