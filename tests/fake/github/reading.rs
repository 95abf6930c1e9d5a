//! Repositories, references, files, commits and comparisons.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};

use super::caller::Caller;
use super::git::{self, Commit};
use super::json::{Links, date};
use super::state::{Project, State};
use super::wire::{Answer, Asked};
use super::{error, not_found, page};

/// The id of the repository, or why it is not shown. A read of a moved one is redirected.
pub(super) fn visible(
    state: &State,
    links: &Links<'_>,
    caller: &Caller,
    asked: &Asked,
    path: &str,
    rest: &[&str],
) -> Result<u64, Answer> {
    if let Some(project) = state.find(path) {
        let shown = project.public || caller.level(project) > 0;
        return shown.then_some(project.id).ok_or_else(not_found);
    }
    let moved = state.projects.values().find(|project| project.former_paths.iter().any(|p| p == path));
    let Some(project) = moved else { return Err(not_found()) };
    let read = asked.method == Method::GET;
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(&asked.query);
    let below: String = rest.iter().map(|segment| format!("/{segment}")).collect();
    let url = format!("{}/repositories/{}{below}?{}", links.api(), project.id, query.finish());
    let message = if read { "Moved Permanently" } else { "Temporary Redirect" };
    let body = json!({"message": message, "url": url, "documentation_url": "https://docs.github.com/rest"});
    Err(Answer::json(if read { 301 } else { 307 }, &body).header("location", &url))
}

/// GET below a repository, pull requests left out.
pub(super) fn answer(
    state: &mut State,
    links: &Links<'_>,
    caller: &Caller,
    id: u64,
    asked: &Asked,
    rest: &[&str],
) -> Option<Answer> {
    let member = |login: &str| state.projects[&id].members.keys().any(|m| m.eq_ignore_ascii_case(login));
    let project = &state.projects[&id];
    Some(match rest {
        [] => Answer::json(200, &links.full_repository(state, project, caller)),
        ["assignees", login] => match member(login) {
            true => Answer::text(204, "text/plain", ""),
            false => not_found(),
        },
        ["milestones"] => {
            let milestone =
                |(i, title): (usize, &String)| links.milestone(state, project, i as u64 + 1, title);
            page(links, asked, project.milestones.iter().enumerate().map(milestone).collect())
        }
        ["git", ..] if project.repository.branches.is_empty() => error(409, "Git Repository is empty."),
        ["git", "ref", "heads", branch @ ..] => reference(links, project, &branch.join("/")),
        ["git", "matching-refs", "heads", prefix @ ..] => matching(links, project, &prefix.join("/")),
        ["git", "commits", sha] => git_commit(state, links, id, sha),
        ["git", "trees", sha] => git_tree(state, links, id, sha, asked),
        ["contents", path @ ..] => contents(links, project, asked, &path.join("/")),
        ["compare", between @ ..] => compare(state, links, id, &between.join("/")),
        _ => return None,
    })
}

fn reference(links: &Links<'_>, project: &Project, branch: &str) -> Answer {
    match project.repository.head(branch) {
        Some(head) => Answer::json(200, &links.reference(project, branch, &head.id)),
        None => not_found(),
    }
}

fn matching(links: &Links<'_>, project: &Project, prefix: &str) -> Answer {
    let branches = project.repository.branches.iter().filter(|(name, _)| name.starts_with(prefix));
    Answer::json(200, &branches.map(|(name, sha)| links.reference(project, name, sha)).collect())
}

fn git_commit(state: &mut State, links: &Links<'_>, id: u64, sha: &str) -> Answer {
    let project = state.project(id);
    let Some(commit) = project.repository.commit(sha).cloned() else { return not_found() };
    let tree = project.tree_id(&commit.tree);
    Answer::json(200, &links.git_commit(project, &commit, &tree))
}

/// The tree of a commit, or one by its own id. One that is not recursive shows the top only.
fn git_tree(state: &mut State, links: &Links<'_>, id: u64, sha: &str, asked: &Asked) -> Answer {
    let project = state.project(id);
    let of_commit = project.repository.commit(sha).map(|commit| commit.tree.clone());
    let Some(tree) = of_commit.or_else(|| project.trees.get(sha).cloned()) else { return not_found() };
    let sha = project.tree_id(&tree);
    let mut value = links.tree(project, &sha, &tree, asked.query("recursive").is_some());
    let overflows = project.tree_overflows;
    if let Some(entries) = value["tree"].as_array_mut() {
        entries.truncate(if overflows { 1 } else { usize::MAX });
    }
    value["truncated"] = json!(overflows);
    Answer::json(200, &value)
}

/// The raw media type gives the bytes; a folder is a list in any case.
fn contents(links: &Links<'_>, project: &Project, asked: &Asked, path: &str) -> Answer {
    let reference = asked.query("ref").unwrap_or(&project.default_branch);
    let Some(commit) = project.repository.resolve(reference) else {
        return error(404, &format!("No commit found for the ref {reference}"));
    };
    let accept = asked.headers.get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
    match commit.tree.get(path) {
        Some(bytes) if accept.contains("raw") => {
            Answer::text(200, "application/vnd.github.raw+json; charset=utf-8", bytes.to_vec())
        }
        Some(_) => error(415, "the fake has files in raw form only"),
        None => folder(links, project, commit, path).unwrap_or_else(not_found),
    }
}

/// Files and folders that stand directly below.
fn folder(links: &Links<'_>, project: &Project, commit: &Commit, path: &str) -> Option<Answer> {
    let below = commit.tree.iter().filter_map(|(file, bytes)| {
        let rest = file.strip_prefix(path)?.strip_prefix('/')?;
        let (name, size) = rest.split_once('/').map_or((rest, bytes.len()), |(folder, _)| (folder, 0));
        Some((name, (name.len() == rest.len(), size)))
    });
    let below: BTreeMap<&str, (bool, usize)> = below.collect();
    let entry = |(name, (is_file, size)): (&&str, &(bool, usize))| {
        links.content(project, &commit.id, &format!("{path}/{name}"), *is_file, *size)
    };
    (!below.is_empty()).then(|| Answer::json(200, &below.iter().map(entry).collect()))
}

fn compare(state: &State, links: &Links<'_>, id: u64, between: &str) -> Answer {
    let project = &state.projects[&id];
    let commit = |reference: &str| project.repository.resolve(reference);
    let Some((Some(from), Some(to))) = between.split_once("...").map(|(a, b)| (commit(a), commit(b))) else {
        return not_found();
    };
    let commits = project.repository.between(&from.id, &to.id);
    let behind = project.repository.between(&to.id, &from.id).len();
    let Some(base) = project.repository.merge_base(&from.id, &to.id) else { return not_found() };
    let mut files: Vec<Value> = git::changed_paths(&base.tree, &to.tree)
        .iter()
        .map(|path| file(links, project, base, to, path))
        .collect();
    let renamed: Vec<Value> = files.iter().map(|file| file["previous_filename"].clone()).collect();
    files.retain(|file| !renamed.contains(&file["filename"]));
    if let (true, Some(first)) = (project.compare_overflows, files.first().cloned()) {
        files = vec![first; 300];
    }
    let status = match (commits.len(), behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        _ => "diverged",
    };
    let html = format!("{}/{}/compare/{between}", links.0, project.path);
    let shown: Vec<Value> = commits.iter().take(250).map(|c| links.commit(state, project, c)).collect();
    Answer::json(
        200,
        &json!({
            "url": links.repo(project, &format!("/compare/{between}")), "html_url": html,
            "permalink_url": html, "diff_url": format!("{html}.diff"), "patch_url": format!("{html}.patch"),
            "base_commit": links.commit(state, project, from),
            "merge_base_commit": links.commit(state, project, base),
            "status": status, "ahead_by": commits.len(), "behind_by": behind,
            "total_commits": commits.len(), "commits": shown, "files": files,
        }),
    )
}

/// A file that vanished while one with the same bytes appeared was renamed.
fn file(links: &Links<'_>, project: &Project, from: &Commit, to: &Commit, path: &str) -> Value {
    let (was, is) = (from.tree.get(path), to.tree.get(path));
    let before = |bytes: &std::sync::Arc<[u8]>| {
        let gone = |(other, old): &(&String, &std::sync::Arc<[u8]>)| {
            *old == bytes && !to.tree.contains_key(other.as_str())
        };
        from.tree.iter().find(gone).map(|(other, _)| other.clone())
    };
    let previous = if was.is_none() { is.and_then(before) } else { None };
    let status = match (was, is, &previous) {
        (_, _, Some(_)) => "renamed",
        (None, _, _) => "added",
        (_, None, _) => "removed",
        _ => "modified",
    };
    let mut value = json!({
        "sha": "0123456789012345678901234567890123456789", "filename": path, "status": status,
        "additions": 1, "deletions": 1, "changes": 2,
        "blob_url": format!("{}/{}/blob/{}/{path}", links.0, project.path, to.id),
        "raw_url": format!("{}/{}/raw/{}/{path}", links.0, project.path, to.id),
        "contents_url": links.repo(project, &format!("/contents/{path}?ref={}", to.id)),
    });
    if let Some(previous) = previous {
        value["previous_filename"] = json!(previous);
    }
    value
}

impl Project {
    /// The newest commit's date, for fields that nobody asks for.
    pub(super) fn touched(&self) -> String {
        let newest = self.repository.head(&self.default_branch);
        date(newest.map_or(0, |commit| commit.at))
    }
}
