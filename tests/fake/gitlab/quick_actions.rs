//! Quick actions in a description: GitLab executes such lines, and cuts them out.

/// Some of the commands that merge requests know (`lib/gitlab/quick_actions/`).
const COMMANDS: [&str; 8] =
    ["label", "assign", "assign_reviewer", "milestone", "draft", "close", "merge", "a_command_of_2030"];

/// The text as it is stored, and the commands that are executed
/// (`lib/gitlab/quick_actions/extractor.rb`: not those in code blocks; carriage returns and white space at the end go).
pub(super) fn extract(text: &str) -> (String, Vec<String>) {
    let (mut kept, mut commands, mut in_code) = (Vec::new(), Vec::new(), false);
    let text = text.replace('\r', "");
    for line in text.split('\n') {
        in_code ^= line.starts_with("```");
        match line.strip_prefix('/').filter(|command| !in_code && is_known(command)) {
            Some(command) => commands.push(command.trim_end().to_owned()),
            None => kept.push(line),
        }
    }
    (kept.join("\n").trim_end().to_owned(), commands)
}

fn is_known(command: &str) -> bool {
    let name = command.split(' ').next().unwrap_or_default();
    COMMANDS.contains(&name.trim_end())
}
