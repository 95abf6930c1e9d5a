//! Pull requests, and the issues that they are.

use axum::http::Method;
use serde_json::{Value, json};

use super::caller::Caller;
use super::json::Links;
use super::state::{Project, PullRequest, State, TokenKind};
use super::wire::{Answer, Asked};
use super::{custom, error, invalid, not_found, page};

/// The longest body.
const MOST: usize = 65_536;

/// An open pull request knows the head of its source branch; a closed one the last before.
pub(super) fn follow_branches(state: &mut State, id: u64) {
    let head = |request: &PullRequest| {
        let source = state.projects.get(&request.source_project?)?;
        source.repository.branches.get(&request.source_branch).cloned()
    };
    let heads: Vec<Option<String>> = state.projects[&id].pull_requests.iter().map(head).collect();
    for (request, head) in state.project(id).pull_requests.iter_mut().zip(heads) {
        if let (Some(head), "open") = (head, request.state.as_str()) {
            request.sha = head;
        }
    }
}

/// Whoever reads a pull request begins the check for conflicts, and a later read knows what it found. A push to either
/// branch makes it void.
pub(super) fn look(state: &mut State, id: u64, rest: &[&str]) {
    let ["pulls", number] = rest else { return };
    let project = state.project(id);
    let takes = project.check_takes;
    let heads = project.repository.branches.clone();
    let found = project.pull_requests.iter_mut().find(|request| request.number.to_string() == *number);
    let Some(request) = found.filter(|request| request.state == "open") else { return };
    let about = heads.get(&request.target_branch).map(|target| (target.clone(), request.sha.clone()));
    if request.asked_about != about {
        request.asked_about = about;
        request.reads = 0;
    } else if request.reads >= takes {
        request.known_about.clone_from(&request.asked_about);
    } else {
        request.reads += 1;
    }
}

/// GET below `/repos/{owner}/{repo}/pulls`.
pub(super) fn read(
    state: &State,
    links: &Links<'_>,
    id: u64,
    asked: &Asked,
    rest: &[&str],
) -> Option<Answer> {
    let project = &state.projects[&id];
    Some(match rest {
        ["pulls"] => list(state, links, project, asked),
        ["pulls", number] => match find(project, number) {
            Some(request) => Answer::json(200, &links.single(state, project, request)),
            None => not_found(),
        },
        _ => return None,
    })
}

/// `head` without an owner is ignored.
fn list(state: &State, links: &Links<'_>, project: &Project, asked: &Asked) -> Answer {
    let wanted = asked.query("head").and_then(|head| head.split_once(':'));
    let matches = |request: &&PullRequest| {
        let state_fits = match asked.query("state").unwrap_or("open") {
            "all" => true,
            "open" => request.state == "open",
            _ => request.state != "open",
        };
        let head_fits = wanted.is_none_or(|(owner, branch)| {
            request.source_owner.eq_ignore_ascii_case(owner) && request.source_branch == branch
        });
        state_fits && head_fits && asked.query("base").is_none_or(|base| base == request.target_branch)
    };
    let newest_first = project.pull_requests.iter().rev().filter(matches);
    page(links, asked, newest_first.map(|request| links.pull_request(state, project, request)).collect())
}

fn find<'a>(project: &'a Project, number: &str) -> Option<&'a PullRequest> {
    project.pull_requests.iter().find(|request| request.number.to_string() == number)
}

/// Everything but GET below `pulls` and `issues`.
pub(super) fn write(
    state: &mut State,
    links: &Links<'_>,
    caller: &Caller,
    id: u64,
    asked: &Asked,
    rest: &[&str],
) -> Option<Answer> {
    if let Err(refusal) = caller.writes(&state.projects[&id], "pull_requests=write") {
        return Some(refusal);
    }
    let answer = match (&asked.method, rest) {
        (&Method::POST, ["pulls"]) => create(state, links, caller, id, asked),
        (&Method::PATCH, ["pulls", number]) => edit(state, links, id, asked, number),
        (&Method::PUT, ["pulls", number, "merge"]) => merge(state, id, asked, number),
        (&Method::POST, ["pulls", number, "requested_reviewers"]) => ask(state, links, id, asked, number),
        (&Method::PATCH, ["issues", number]) => issue(state, links, id, asked, number),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

fn create(
    state: &mut State,
    links: &Links<'_>,
    caller: &Caller,
    id: u64,
    asked: &Asked,
) -> Result<Answer, Answer> {
    let text = |name: &str| asked.field(name).unwrap_or_default();
    let project = state.project(id);
    if matches!(caller.kind, TokenKind::Actions { .. }) && !project.actions_may_open {
        return Err(error(403, "GitHub Actions is not permitted to create or approve pull requests."));
    }
    let owner = project.owner().to_owned();
    let head = text("head");
    let (source_owner, source) = head.split_once(':').unwrap_or((&owner, &head));
    let (target, body) = (text("base"), text("body"));
    if body.chars().count() > MOST {
        let message = "body is too long (maximum is 65536 characters)";
        return Err(invalid(json!([custom("Issue", message)])));
    }
    fits(&text("title"))?;
    if asked.flag("draft") && !project.drafts {
        return Err(error(422, "Draft pull requests are not supported in this repository."));
    }
    project.source_is_seen(source)?;
    if !project.repository.branches.contains_key(&target) {
        return Err(invalid(json!([{"resource": "PullRequest", "field": "base", "code": "invalid"}])));
    }
    if project.duplicate(source, &target) {
        let message = format!("A pull request already exists for {source_owner}:{source}.");
        return Err(invalid(json!([custom("PullRequest", &message)])));
    }
    let sha = project.repository.branches[source].clone();
    if project.repository.between(&project.repository.branches[&target], &sha).is_empty() {
        let message = format!("No commits between {target} and {source}");
        return Err(invalid(json!([custom("PullRequest", &message)])));
    }
    let number = project.open_pull_request((id, source_owner), source, &sha, &text("title"));
    let request = project.pull_request(number);
    request.target_branch = target;
    request.author = caller.login.clone().unwrap_or_default();
    request.description = asked.field("body");
    request.draft = asked.flag("draft");
    answer(state, links, id, number, 201)
}

fn edit(
    state: &mut State,
    links: &Links<'_>,
    id: u64,
    asked: &Asked,
    number: &str,
) -> Result<Answer, Answer> {
    let project = state.project(id);
    let before = find(project, number).cloned().ok_or_else(not_found)?;
    match asked.field("state").as_deref() {
        Some("open") if before.state != "open" => project.can_open(&before)?,
        _ => {}
    }
    fits(&asked.field("title").unwrap_or_default())?;
    let request = project.pull_request(before.number);
    match asked.field("state").as_deref() {
        Some("closed") if before.state == "open" => request.state = "closed".to_owned(),
        Some("open") => request.state = "open".to_owned(),
        _ => {}
    }
    if request.state != "open" {
        request.auto_merge = None;
    }
    request.title = asked.field("title").unwrap_or(before.title);
    request.description = asked.field("body").or(before.description);
    answer(state, links, id, before.number, 200)
}

fn fits(title: &str) -> Result<(), Answer> {
    match title.chars().count() {
        ..257 => Ok(()),
        _ => {
            let message = "title is too long (maximum is 256 characters)";
            let error = json!({"resource": "Issue", "code": "custom", "field": "title", "message": message});
            Err(invalid(json!([error])))
        }
    }
}

fn merge(state: &mut State, id: u64, asked: &Asked, number: &str) -> Result<Answer, Answer> {
    let project = state.project(id);
    let request = find(project, number).cloned().ok_or_else(not_found)?;
    let method = asked.field("merge_method").unwrap_or_else(|| "merge".to_owned());
    if !project.merge_methods.contains(&method) {
        return Err(error(405, &format!("{method} merges are not allowed on this repository.")));
    }
    if asked.field("sha").is_some_and(|sha| sha != request.sha) {
        return Err(error(409, "Head branch was modified. Review and try the merge again."));
    }
    let state = project.mergeable_state(&request);
    if request.state != "open" || !["clean", "unstable", "has_hooks"].contains(&state.as_str()) {
        return Err(error(405, "Pull Request is not mergeable"));
    }
    let sha = project.merge(request.number);
    Ok(Answer::json(
        200,
        &json!({
            "sha": sha, "merged": true, "message": "Pull Request successfully merged",
        }),
    ))
}

/// Reviewers must be collaborators, and not the author; else nobody is asked.
fn ask(state: &mut State, links: &Links<'_>, id: u64, asked: &Asked, number: &str) -> Result<Answer, Answer> {
    let project = state.project(id);
    let author = find(project, number).ok_or_else(not_found)?.author.clone();
    let names = texts(&asked.body["reviewers"]);
    if names.iter().any(|name| name.eq_ignore_ascii_case(&author)) {
        return Err(error(422, "Review cannot be requested from pull request author."));
    }
    let members: Vec<String> = project.members.keys().cloned().collect();
    if !names.iter().all(|name| members.iter().any(|member| member.eq_ignore_ascii_case(name))) {
        let message = "Reviews may only be requested from collaborators. One or more of the users or teams you \
                       specified is not a collaborator of the repository.";
        return Err(error(422, message));
    }
    let number = number.parse().map_err(|_| not_found())?;
    let request = project.pull_request(number);
    request.reviewers.extend(names);
    let request = request.clone();
    Ok(Answer::json(201, &links.pull_request(state, &state.projects[&id], &request)))
}

/// Labels that are missing are made, assignees who may not be assigned are left out.
fn issue(
    state: &mut State,
    links: &Links<'_>,
    id: u64,
    asked: &Asked,
    number: &str,
) -> Result<Answer, Answer> {
    let project = state.project(id);
    let number = find(project, number).ok_or_else(not_found)?.number;
    let members: Vec<String> = project.members.keys().cloned().collect();
    if asked.body["milestone"].as_u64().is_some_and(|n| n > project.milestones.len() as u64) {
        return Err(invalid(json!([{"resource": "Issue", "field": "milestone", "code": "invalid"}])));
    }
    let request = project.pull_request(number);
    if asked.body["labels"].is_array() {
        request.labels = texts(&asked.body["labels"]);
    }
    if asked.body["assignees"].is_array() {
        let may = |name: &String| members.iter().any(|member| member.eq_ignore_ascii_case(name));
        request.assignees = texts(&asked.body["assignees"]).into_iter().filter(may).collect();
    }
    if let Some(body) = asked.field("body") {
        request.description = Some(body);
    }
    if let Some(milestone) = asked.body["milestone"].as_u64() {
        request.milestone = Some(milestone);
    }
    let project = &state.projects[&id];
    let request = project.pull_requests.iter().find(|r| r.number == number).ok_or_else(not_found)?;
    Ok(Answer::json(200, &links.issue(state, project, request)))
}

fn answer(state: &State, links: &Links<'_>, id: u64, number: u64, status: u16) -> Result<Answer, Answer> {
    let project = &state.projects[&id];
    let request = project.pull_requests.iter().find(|r| r.number == number).ok_or_else(not_found)?;
    Ok(Answer::json(status, &links.single(state, project, request)))
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

impl Project {
    fn duplicate(&self, source: &str, target: &str) -> bool {
        self.pull_requests.iter().any(|request| {
            request.state == "open"
                && request.source_project == Some(self.id)
                && request.source_branch == source
                && request.target_branch == target
        })
    }

    /// For a while after a push the branch is not seen where pull requests are made.
    fn source_is_seen(&mut self, source: &str) -> Result<(), Answer> {
        match self.unseen.get_mut(source) {
            Some(attempts) if *attempts > 0 => {
                *attempts -= 1;
                Err(invalid(json!([
                    {"resource": "PullRequest", "code": "missing_field", "field": "head_sha"},
                    custom("PullRequest", "Head sha can't be blank"),
                    custom("PullRequest", "Head ref must be a branch"),
                ])))
            }
            _ if self.repository.branches.contains_key(source) => Ok(()),
            _ => Err(invalid(json!([{"resource": "PullRequest", "field": "head", "code": "invalid"}]))),
        }
    }

    /// What was closed is opened again only on the branch as it was, or one that grew.
    fn can_open(&self, request: &PullRequest) -> Result<(), Answer> {
        let refused = |why: String| {
            let message = format!("state cannot be changed. {why}");
            Err(invalid(json!([custom("PullRequest", &message)])))
        };
        let branch = &request.source_branch;
        if request.state == "merged" {
            return refused("The pull request cannot be reopened.".to_owned());
        }
        if self.duplicate(branch, &request.target_branch) {
            return refused(format!("There is already an open pull request from {branch}."));
        }
        let Some(head) = self.repository.branches.get(branch) else {
            return refused(format!("The {branch} branch has been deleted."));
        };
        match self.repository.merge_base(&request.sha, head) {
            Some(base) if base.id == request.sha => Ok(()),
            _ => refused(format!("The {branch} branch was force-pushed or recreated.")),
        }
    }

    /// `clean`, `blocked`, `unstable`, `dirty`, `draft`, or what the story says.
    pub(super) fn mergeable_state(&self, request: &PullRequest) -> String {
        if let Some(state) = &request.mergeable_state {
            return state.clone();
        }
        let (target, source) =
            (self.repository.head(&request.target_branch), self.repository.commit(&request.sha));
        let conflict =
            target.zip(source).is_none_or(|(target, source)| self.repository.conflicts(target, source));
        let approved = request.reviews.values().any(|review| review == "APPROVED");
        let checks = self.checks.get(&request.sha).map(String::as_str);
        match (conflict, request.draft, checks) {
            (true, ..) => "dirty",
            (_, true, _) => "draft",
            _ if self.requires_review && !approved => "blocked",
            (.., Some("PENDING" | "EXPECTED" | "FAILURE" | "ERROR")) => "unstable",
            _ => "clean",
        }
        .to_owned()
    }
}
