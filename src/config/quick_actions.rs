//! Quick actions of GitLab in a text that people write (`doc/user/project/quick_actions.md`).

/// A line that GitLab would execute.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct QuickAction<'a> {
    pub(super) line: &'a str,
    /// The setting that does the same.
    pub(super) instead: Option<&'static str>,
}

/// Commands of merge requests that a setting of ours stands for.
const SETTINGS: [(&str, &str); 13] = [
    ("label", "labels"),
    ("labels", "labels"),
    ("relabel", "labels"),
    ("assign", "assignees"),
    ("reassign", "assignees"),
    ("assign_reviewer", "reviewers"),
    ("reassign_reviewer", "reviewers"),
    ("request_review", "reviewers"),
    ("reviewer", "reviewers"),
    ("milestone", "milestone"),
    ("draft", "draft"),
    ("merge", "auto_merge"),
    ("title", "title"),
];

/// The other commands of merge requests.
const OTHERS: [&str; 42] = [
    "approve",
    "award",
    "cc",
    "clear_estimate",
    "clear_spend",
    "close",
    "copy_metadata",
    "done",
    "estimate",
    "estimate_time",
    "lock",
    "publish",
    "react",
    "ready",
    "rebase",
    "remove_assignee",
    "remove_estimate",
    "remove_label",
    "remove_milestone",
    "remove_reviewer",
    "remove_time_spent",
    "reopen",
    "request_changes",
    "run_pipeline",
    "ship",
    "shrug",
    "spend",
    "spend_time",
    "spent",
    "submit_review",
    "subscribe",
    "tableflip",
    "target_branch",
    "todo",
    "unapprove",
    "unassign",
    "unassign_reviewer",
    "unlabel",
    "unlock",
    "unsubscribe",
    "wip",
    "zoom",
];

/// The first one that stands outside of code blocks.
pub(super) fn find(text: &str) -> Option<QuickAction<'_>> {
    let mut fence = None;
    for line in text.lines() {
        let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => {
                if let Some(instead) = command(line) {
                    return Some(QuickAction { line: line.trim_end(), instead });
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a line is a command; what does the same. GitLab takes commands in any case.
fn command(line: &str) -> Option<Option<&'static str>> {
    let name = line.strip_prefix('/')?.split_whitespace().next()?.to_lowercase();
    let setting = SETTINGS.iter().find(|(command, _)| *command == name);
    match setting {
        Some((_, setting)) => Some(Some(*setting)),
        None => OTHERS.contains(&name.as_str()).then_some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_action_is_a_line_that_begins_with_a_command_of_gitlab() {
        let found = |text: &str| find(text).map(|action| action.instead);
        for (text, expected) in [
            ("{{ text }}\n\n/label ~os", Some(Some("labels"))),
            ("/Assign @alice\r\n", Some(Some("assignees"))),
            ("/close", Some(None)),
            ("```\n/label ~os\n```\n/ready", Some(None)),
            ("```\n/label ~os\n```", None),
            ("~~~\n```\n/label ~os\n~~~", None),
            (" /label ~os", None),
            ("see /label ~os", None),
            ("/usr/bin/label", None),
            ("/", None),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }
}
