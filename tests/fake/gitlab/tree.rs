//! The list of files and folders at a commit, by pages that lead to the next one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::git::Commit;
use super::json::Links;
use super::state::Project;
use super::wire::{Answer, Asked, encoded};

/// `GET /projects/:id/repository/tree`, recursive or of the top only. With `pagination=keyset` a page has no total, and
/// a link where another one follows; the token of the next page is opaque.
pub(super) fn tree(links: &Links<'_>, project: &Project, asked: &Asked) -> Answer {
    let reference = asked.query("ref").unwrap_or(&project.default_branch);
    let Some(commit) = project.repository.resolve(reference) else { return Answer::not_found("Tree") };
    let recursive = asked.query("recursive") == Some("true");
    let entries: Vec<Value> = entries(project, commit)
        .into_iter()
        .filter(|(path, _)| recursive || !path.contains('/'))
        .map(|(_, entry)| entry)
        .collect();
    if asked.query("pagination") != Some("keyset") {
        return asked.page(links.0, entries);
    }
    let begin = asked.query("page_token").and_then(|token| token.strip_prefix("after-")?.parse().ok());
    let begin: usize = begin.unwrap_or(0);
    let per_page = asked.query("per_page").and_then(|size| size.parse().ok()).unwrap_or(20).min(100);
    let end = entries.len().min(begin + per_page);
    let answer = Answer::json(200, &entries[begin.min(end)..end].iter().cloned().collect());
    if end == entries.len() || project.drops_links {
        return answer;
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(asked.query.iter().filter(|(name, _)| name != "page_token"));
    query.append_pair("page_token", &format!("after-{end}"));
    let path: Vec<String> = asked.segments.iter().map(|segment| encoded(segment)).collect();
    answer
        .header("link", &format!("<{}/api/v4/{}?{}>; rel=\"next\"", links.0, path.join("/"), query.finish()))
}

/// Files and the folders that they are in, by path.
fn entries(project: &Project, commit: &Commit) -> BTreeMap<String, Value> {
    let entry = |path: &str, kind: &str, mode: &str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        let id = "0123456789012345678901234567890123456789";
        (path.to_owned(), json!({"id": id, "name": name, "type": kind, "path": path, "mode": mode}))
    };
    let mut entries = BTreeMap::new();
    for path in commit.tree.keys() {
        let mode = if project.links.contains(path) { "120000" } else { "100644" };
        entries.extend([entry(path, "blob", mode)]);
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        entries.extend(folders.map(|folder| entry(folder, "tree", "040000")));
    }
    entries
}
