//! The Git database: blobs, trees and commits that no branch reaches yet, and references.

use std::sync::Arc;

use axum::http::Method;
use base64::Engine as _;
use serde_json::{Value, json};

use super::caller::Caller;
use super::json::Links;
use super::state::{Project, State};
use super::wire::{Answer, Asked};
use super::{error, not_found};

/// Everything but GET below `/repos/{owner}/{repo}/git`.
pub(super) fn write(
    state: &mut State,
    links: &Links<'_>,
    caller: &Caller,
    id: u64,
    asked: &Asked,
    rest: &[&str],
) -> Option<Answer> {
    if let Err(refusal) = caller.writes(&state.projects[&id], "contents=write") {
        return Some(refusal);
    }
    let project = state.project(id);
    if project.repository.branches.is_empty() {
        return Some(error(409, "Git Repository is empty."));
    }
    let answer = match (&asked.method, rest) {
        (&Method::POST, ["blobs"]) => blob(links, project, asked),
        (&Method::POST, ["trees"]) => {
            caller.writes_workflows(asked).and_then(|()| tree(links, project, asked))
        }
        (&Method::POST, ["commits"]) => commit(links, caller, project, asked),
        (&Method::POST, ["refs"]) => create(links, project, asked),
        (&Method::PATCH, ["refs", "heads", branch @ ..]) => update(links, project, asked, &branch.join("/")),
        (&Method::DELETE, ["refs", "heads", branch @ ..]) => delete(project, &branch.join("/")),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

fn blob(links: &Links<'_>, project: &mut Project, asked: &Asked) -> Result<Answer, Answer> {
    let content = asked
        .field("content")
        .ok_or_else(|| error(422, "Invalid request.\n\n\"content\" wasn't supplied."))?;
    let bytes = match asked.field("encoding").as_deref() {
        Some("base64") => base64::engine::general_purpose::STANDARD
            .decode(content)
            .map_err(|_| error(422, "content is not valid Base64"))?,
        _ => content.into_bytes(),
    };
    let sha = project.blob_id(&bytes);
    let url = links.repo(project, &format!("/git/blobs/{sha}"));
    Ok(Answer::json(201, &json!({"url": url, "sha": sha})))
}

fn tree(links: &Links<'_>, project: &mut Project, asked: &Asked) -> Result<Answer, Answer> {
    let base = match asked.field("base_tree") {
        Some(base) => project.trees.get(&base).cloned().ok_or_else(|| error(404, "Not Found"))?,
        None => Default::default(),
    };
    let mut tree = base;
    for entry in asked.body["tree"].as_array().into_iter().flatten() {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let (path, mode) = (text("path"), u32::from_str_radix(&text("mode"), 8));
        let mode = mode.map_err(|_| error(422, "Must supply a valid tree.mode"))?;
        match (&entry["sha"], &entry["content"]) {
            (Value::String(sha), _) => {
                let bytes = project.blobs.get(sha).cloned();
                let bytes =
                    bytes.ok_or_else(|| error(422, &format!("tree.sha {sha} is not a valid blob")))?;
                tree.insert(path.clone(), bytes);
            }
            (_, Value::String(content)) => {
                tree.insert(path.clone(), Arc::from(content.as_bytes()));
            }
            _ => {
                tree.remove(&path);
            }
        }
        project.modes.insert(path, mode);
    }
    let sha = project.tree_id(&tree);
    Ok(Answer::json(201, &links.tree(project, &sha, &tree, false)))
}

fn commit(
    links: &Links<'_>,
    caller: &Caller,
    project: &mut Project,
    asked: &Asked,
) -> Result<Answer, Answer> {
    let tree = asked.field("tree").and_then(|sha| project.trees.get(&sha).cloned());
    let tree = tree.ok_or_else(|| error(422, "Tree SHA does not exist"))?;
    let parents = asked.body["parents"].as_array().into_iter().flatten();
    let parents: Vec<String> = parents.filter_map(|parent| parent.as_str().map(str::to_owned)).collect();
    if parents.iter().any(|parent| project.repository.commit(parent).is_none()) {
        return Err(error(422, "Parent SHA does not exist or is not a commit object"));
    }
    let message = asked.field("message").unwrap_or_default();
    let author = caller.login.clone().unwrap_or_default();
    let id = project.repository.add(parents, &message, &author, tree.clone());
    let commit = project.repository.commit(&id).cloned().ok_or_else(not_found)?;
    let tree = project.tree_id(&tree);
    let mut value = links.git_commit(project, &commit, &tree);
    // Commits of Apps are signed unless they name an author.
    let signed = caller.is_app() && asked.field("author").is_none() && asked.field("committer").is_none();
    if signed {
        value["verification"]["verified"] = json!(true);
        value["verification"]["reason"] = json!("valid");
    }
    Ok(Answer::json(201, &value))
}

fn create(links: &Links<'_>, project: &mut Project, asked: &Asked) -> Result<Answer, Answer> {
    let (name, sha) = (asked.field("ref").unwrap_or_default(), asked.field("sha").unwrap_or_default());
    let Some(branch) = name.strip_prefix("refs/heads/").map(str::to_owned) else {
        return Err(error(422, "Reference name is not valid"));
    };
    if project.repository.branches.contains_key(&branch) {
        return Err(error(422, "Reference already exists"));
    }
    project.point(&branch, &sha)?;
    if project.lag > 0 {
        project.unseen.insert(branch.clone(), project.lag);
    }
    Ok(Answer::json(201, &links.reference(project, &branch, &sha)))
}

fn update(links: &Links<'_>, project: &mut Project, asked: &Asked, branch: &str) -> Result<Answer, Answer> {
    let sha = asked.field("sha").unwrap_or_default();
    let Some(head) = project.repository.branches.get(branch).cloned() else {
        return Err(error(422, "Reference does not exist"));
    };
    let descends = project.repository.merge_base(&head, &sha).is_some_and(|base| base.id == head);
    if !descends && !asked.flag("force") {
        return Err(error(422, "Update is not a fast forward"));
    }
    project.point(branch, &sha)?;
    Ok(Answer::json(200, &links.reference(project, branch, &sha)))
}

/// Open pull requests of a branch are closed when it goes.
fn delete(project: &mut Project, branch: &str) -> Result<Answer, Answer> {
    project.ruled_out(branch)?;
    if project.repository.branches.remove(branch).is_none() {
        return Err(error(422, "Reference does not exist"));
    }
    let id = project.id;
    let ours = |request: &&mut super::PullRequest| {
        request.state == "open" && request.source_project == Some(id) && request.source_branch == branch
    };
    for request in project.pull_requests.iter_mut().filter(ours) {
        request.state = "closed".to_owned();
    }
    Ok(Answer::text(204, "text/plain", ""))
}

impl Project {
    fn point(&mut self, branch: &str, sha: &str) -> Result<(), Answer> {
        self.ruled_out(branch)?;
        if self.repository.commit(sha).is_none() {
            return Err(error(422, "Object does not exist"));
        }
        self.repository.branches.insert(branch.to_owned(), sha.to_owned());
        Ok(())
    }

    fn ruled_out(&self, branch: &str) -> Result<(), Answer> {
        match self.ruled.iter().any(|prefix| branch.starts_with(prefix)) {
            true => Err(error(
                422,
                "Repository rule violations found\n\nCannot create ref due to creations being restricted.\n\n",
            )),
            false => Ok(()),
        }
    }
}
