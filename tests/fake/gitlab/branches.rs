//! Branches, files, comparisons and commits.

use std::sync::Arc;

use axum::http::Method;
use base64::Engine as _;
use serde_json::{Value, json};

use super::git::Tree;
use super::json::Links;
use super::state::{Project, Protected, State};
use super::wire::{Answer, Asked};
use super::{Caller, tree};

/// Endpoints below `/projects/:id/repository`.
pub(super) fn answer(
    state: &mut State,
    links: &Links<'_>,
    caller: &Caller,
    project: u64,
    asked: &Asked,
    rest: &[&str],
) -> Option<Answer> {
    if let Err(refusal) = caller.reads("read_repository") {
        return Some(refusal);
    }
    let project = state.project(project);
    Some(match (&asked.method, rest) {
        (&Method::GET, ["branches"]) => branches(links, caller, project, asked),
        (&Method::GET, ["branches", name]) => branch(links, caller, project, name),
        (&Method::DELETE, ["branches", name]) => delete_branch(caller, project, name),
        (&Method::GET, ["files", path, "raw"]) => raw(project, path, asked),
        (&Method::GET, ["tree"]) => tree::tree(links, project, asked),
        (&Method::GET, ["compare"]) => compare(links, project, asked),
        (&Method::POST, ["commits"]) => {
            create_commit(links, caller, project, asked).unwrap_or_else(|refusal| refusal)
        }
        _ => return None,
    })
}

/// `search=^x` asks for names that begin with `x`.
fn branches(links: &Links<'_>, caller: &Caller, project: &Project, asked: &Asked) -> Answer {
    let search = asked.query("search").unwrap_or_default();
    let fits = |name: &str| match search.strip_prefix('^') {
        Some(start) => name.starts_with(start),
        None => name.contains(search),
    };
    let names = project.repository.branches.keys().filter(|name| fits(name));
    let found = names.filter_map(|name| Some((name, project.repository.head(name)?)));
    let json = found.map(|(name, head)| links.branch(project, name, head, project.may_push(caller, name)));
    asked.page(links.0, json.collect())
}

fn branch(links: &Links<'_>, caller: &Caller, project: &Project, name: &str) -> Answer {
    match project.repository.head(name) {
        Some(head) => Answer::json(200, &links.branch(project, name, head, project.may_push(caller, name))),
        None => Answer::not_found("Branch"),
    }
}

fn delete_branch(caller: &Caller, project: &mut Project, name: &str) -> Answer {
    if let Err(refusal) = caller.writes(project) {
        return refusal;
    }
    if project.rule(name).is_some() {
        return Answer::message(403, "403 Forbidden - Protected branches can't be deleted");
    }
    match project.repository.branches.remove(name) {
        Some(_) => Answer::text(204, "text/plain", ""),
        None => Answer::not_found("Branch"),
    }
}

fn raw(project: &Project, path: &str, asked: &Asked) -> Answer {
    let reference = asked.query("ref").filter(|r| *r != "HEAD").unwrap_or(&project.default_branch);
    let Some(commit) = project.repository.resolve(reference) else { return Answer::not_found("Commit") };
    match commit.tree.get(path) {
        Some(bytes) => {
            Answer::text(200, "text/plain", bytes.to_vec()).header("x-gitlab-commit-id", &commit.id)
        }
        None => Answer::not_found("File"),
    }
}

fn compare(links: &Links<'_>, project: &Project, asked: &Asked) -> Answer {
    let (Some(from), Some(to)) = (asked.query("from"), asked.query("to")) else {
        return Answer::json(400, &json!({"error": "from is missing, to is missing"}));
    };
    match (project.repository.resolve(from), project.repository.resolve(to)) {
        (Some(from), Some(to)) => Answer::json(200, &links.compare(project, from, to)),
        _ => Answer::not_found("Ref"),
    }
}

fn create_commit(
    links: &Links<'_>,
    caller: &Caller,
    project: &mut Project,
    asked: &Asked,
) -> Result<Answer, Answer> {
    caller.writes(project)?;
    let is_json = asked.headers.get("content-type").is_some_and(|kind| kind == "application/json");
    if !is_json {
        return Err(Answer::json(400, &json!({"message": "Invalid json", "error": "Invalid json"})));
    }
    let missing = |name: &str| Answer::json(400, &json!({"error": format!("{name} is missing")}));
    let branch = asked.field("branch").ok_or_else(|| missing("branch"))?;
    let message = asked.field("commit_message").ok_or_else(|| missing("commit_message"))?;
    let is_named = |rule: &String| regex::Regex::new(rule).is_ok_and(|rule| rule.is_match(&branch));
    if let Some(rule) = project.branch_names.as_ref().filter(|rule| !is_named(rule)) {
        return Err(bad(&format!("Branch name '{branch}' does not follow the pattern '{rule}'")));
    }
    if !project.may_push(caller, &branch) {
        return Err(bad("You are not allowed to push into this branch"));
    }
    if asked.flag("force") && !project.may_force(&branch) {
        return Err(bad("You are not allowed to force push code to a protected branch on this project."));
    }
    let start = start_point(project, asked, &branch)?;
    let mut tree: Tree = project.repository.commit(&start).map(|c| c.tree.clone()).unwrap_or_default();
    for action in asked.body["actions"].as_array().into_iter().flatten() {
        act(project, &mut tree, action)?;
    }
    let author = caller.username.clone().unwrap_or_default();
    let id = project.repository.add(vec![start], &message, &author, tree);
    if project.lag > 0 && !project.repository.branches.contains_key(&branch) {
        project.unseen.insert(branch.clone(), project.lag);
    }
    project.repository.branches.insert(branch.clone(), id.clone());
    for request in project.merge_requests.iter_mut().filter(|m| m.state == "opened") {
        if request.source_branch == branch && request.source_project == project.id {
            request.sha.clone_from(&id);
            request.auto_merge = false;
        }
    }
    let commit = project.repository.commit(&id).ok_or_else(|| Answer::not_found("Commit"))?;
    Ok(Answer::json(201, &links.created_commit(project, commit)))
}

/// The commit on which the new one stands, by the rules of GitLab's `Commits::CreateService`.
fn start_point(project: &Project, asked: &Asked, branch: &str) -> Result<String, Answer> {
    let head = project.repository.head(branch).map(|c| c.id.clone());
    let (sha, from) = (asked.field("start_sha"), asked.field("start_branch"));
    let start = match (sha, from) {
        (Some(_), Some(_)) => {
            let text = "start_branch, start_sha are mutually exclusive";
            return Err(Answer::json(400, &json!({"error": text})));
        }
        (None, None) => {
            return head.ok_or_else(|| bad("You can only create or edit files when you are on a branch"));
        }
        (Some(sha), None) if sha.len() != 40 => return Err(bad(&format!("Invalid start_sha '{sha}'"))),
        (Some(sha), None) => project
            .repository
            .commit(&sha)
            .map(|c| c.id.clone())
            .ok_or_else(|| bad(&format!("Cannot find start_sha '{sha}'")))?,
        (None, Some(from)) => project
            .repository
            .head(&from)
            .map(|c| c.id.clone())
            .ok_or_else(|| bad(&format!("Cannot find start_branch '{from}'")))?,
    };
    if head.is_some() && !asked.flag("force") {
        let text = format!(
            "A branch called '{branch}' already exists. Switch to that branch in order to make changes"
        );
        return Err(bad(&text));
    }
    Ok(start)
}

fn act(project: &Project, tree: &mut Tree, action: &Value) -> Result<(), Answer> {
    let text = |name: &str| action[name].as_str().unwrap_or_default();
    let path = text("file_path").to_owned();
    // With a start point GitLab asks for the last change of the path on the default branch.
    if let (Some(last), Some(head)) =
        (action["last_commit_id"].as_str(), project.repository.head(&project.default_branch))
        && project.repository.last_change(&head.id, &path).is_none_or(|c| c.id != last)
    {
        return Err(bad("The file has changed since you started editing it."));
    }
    let content = match text("encoding") {
        "base64" => base64::engine::general_purpose::STANDARD
            .decode(text("content"))
            .map_err(|_| bad("invalid base64"))?,
        _ => text("content").as_bytes().to_vec(),
    };
    match (text("action"), tree.contains_key(&path)) {
        ("create", true) => return Err(bad("A file with this name already exists")),
        ("update" | "delete", false) => return Err(bad("A file with this name doesn't exist")),
        ("create" | "update", _) => {
            tree.insert(path, Arc::from(content));
        }
        ("delete", true) => {
            tree.remove(&path);
        }
        _ => {
            return Err(Answer::json(
                400,
                &json!({"error": "actions[0][action] does not have a valid value"}),
            ));
        }
    }
    Ok(())
}

fn bad(text: &str) -> Answer {
    Answer::message(400, text)
}

impl Project {
    /// The rule that protects the branch.
    pub(super) fn rule(&self, branch: &str) -> Option<&Protected> {
        self.protected.iter().find(|rule| match rule.pattern.strip_suffix('*') {
            Some(start) => branch.starts_with(start),
            None => rule.pattern == branch,
        })
    }

    pub(super) fn may_push(&self, caller: &Caller, branch: &str) -> bool {
        caller.level(self) >= self.rule(branch).map_or(30, |rule| rule.push)
    }

    pub(super) fn may_merge(&self, caller: &Caller, branch: &str) -> bool {
        caller.level(self) >= self.rule(branch).map_or(30, |rule| rule.merge)
    }

    fn may_force(&self, branch: &str) -> bool {
        self.rule(branch).is_none_or(|rule| rule.allow_force_push)
    }
}
