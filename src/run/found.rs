//! Which of a forge's projects are targets although nobody named them.

use std::collections::BTreeSet;

use crate::forge::FoundProject;

/// A topic by which a project says that it wants nothing from a bot that searches for projects.
const OPT_OUT: &str = "dibump-ignore";

/// The projects that have the topic, did not opt out, hold anything at all, and are no targets by name. `named` is in lower
/// case, because forges do not tell it from upper case.
pub fn select(
    projects: Vec<FoundProject>,
    topic: Option<&str>,
    named: &BTreeSet<String>,
) -> Vec<FoundProject> {
    let has = |project: &FoundProject, topic: &str| {
        project.topics.iter().any(|own| own.eq_ignore_ascii_case(topic))
    };
    let is_target = |project: &FoundProject| {
        topic.is_none_or(|topic| has(project, topic))
            && !has(project, OPT_OUT)
            && project.default_branch.is_some()
            && !named.contains(&project.path.to_lowercase())
    };
    let mut selected: Vec<FoundProject> = projects.into_iter().filter(is_target).collect();
    selected.sort_by(|a, b| a.path.cmp(&b.path));
    selected.dedup_by(|a, b| a.path == b.path);
    selected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::Branch;

    fn project(path: &str, topics: &[&str]) -> FoundProject {
        let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        FoundProject { path: path.to_owned(), default_branch: Some(Branch("main".to_owned())), topics }
    }

    #[test]
    fn topics_choose_opt_out_is_heard_and_named_targets_stay_themselves() {
        let empty = FoundProject { default_branch: None, ..project("g/empty", &["os-images"]) };
        let projects = vec![
            project("g/b", &["os-images"]),
            project("g/a", &["OS-Images", "other"]),
            project("g/a", &["os-images"]),
            project("g/other", &["other"]),
            project("g/out", &["os-images", "dibump-ignore"]),
            project("G/Named", &["os-images"]),
            empty,
        ];
        let named = BTreeSet::from(["g/named".to_owned()]);
        let paths = |topic| {
            let selected = select(projects.clone(), topic, &named);
            selected.into_iter().map(|project| project.path).collect::<Vec<_>>()
        };
        assert_eq!(paths(Some("os-images")), ["g/a", "g/b"]);
        assert_eq!(paths(None), ["g/a", "g/b", "g/other"]);
    }
}
