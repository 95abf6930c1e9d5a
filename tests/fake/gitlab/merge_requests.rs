//! Merge requests of a project.

use axum::http::Method;
use serde_json::{Value, json};

use super::Caller;
use super::json::{Links, date};
use super::mergeability::{ask, refresh};
use super::quick_actions;
use super::state::{MergeRequest, Project, State, Version};
use super::wire::{Answer, Asked};

/// Endpoints below `/projects/:id/merge_requests`.
pub(super) fn answer(
    state: &mut State,
    links: &Links<'_>,
    caller: &Caller,
    project: u64,
    asked: &Asked,
    rest: &[&str],
) -> Option<Answer> {
    if let Err(refusal) = caller.reads("read_api") {
        return Some(refusal);
    }
    refresh(state, project);
    Some(match (&asked.method, rest) {
        (&Method::GET, []) => list(state, links, caller, project, asked),
        (&Method::POST, []) => create(state, links, caller, project, asked).unwrap_or_else(|r| r),
        (&Method::GET, [iid]) => single(state, links, project, iid),
        (&Method::GET, [iid, "approvals"]) => approvals(state, links, project, iid),
        (&Method::PUT, [iid, "merge"]) => merge(state, links, caller, project, asked, iid),
        (&Method::POST, [iid, "cancel_merge_when_pipeline_succeeds"]) => cancel(state, caller, project, iid),
        (&Method::PUT, [iid]) => edit(state, links, caller, project, asked, iid),
        _ => return None,
    })
}

fn list(state: &mut State, links: &Links<'_>, caller: &Caller, id: u64, asked: &Asked) -> Answer {
    let matches = |request: &MergeRequest| {
        asked.query.iter().all(|(name, value)| match name.as_str() {
            "state" => value == "all" || *value == request.state,
            "source_branch" => *value == request.source_branch,
            "target_branch" => *value == request.target_branch,
            _ => true,
        })
    };
    let project = state.project(id);
    if asked.query("with_merge_status_recheck") == Some("true") && caller.level(project) >= 30 {
        project.merge_requests.iter_mut().filter(|request| matches(request)).for_each(ask);
    }
    let project = &state.projects[&id];
    let newest_first = project.merge_requests.iter().rev().filter(|request| matches(request));
    asked.page(links.0, newest_first.map(|m| links.merge_request(state, project, m)).collect())
}

fn single(state: &mut State, links: &Links<'_>, id: u64, iid: &str) -> Answer {
    if let Some(request) = state.project(id).merge_requests.iter_mut().find(|m| m.iid.to_string() == iid) {
        ask(request);
    }
    let project = &state.projects[&id];
    match project.merge_requests.iter().find(|m| m.iid.to_string() == iid) {
        Some(request) => Answer::json(200, &links.merge_request(state, project, request)),
        None => Answer::message(404, "404 Not found"),
    }
}

fn approvals(state: &State, links: &Links<'_>, project: u64, iid: &str) -> Answer {
    let project = &state.projects[&project];
    let Some(request) = project.merge_requests.iter().find(|m| m.iid.to_string() == iid) else {
        return Answer::message(404, "404 Not found");
    };
    let user = |name: &String| json!({"user": links.user_named(state, name), "approved_at": date(0)});
    let by: Vec<Value> = request.approved_by.iter().map(user).collect();
    let left = project.approvals_required.saturating_sub(by.len() as u64);
    let body = json!({
        "approved": left == 0, "approvals_required": project.approvals_required, "approvals_left": left,
        "approved_by": by,
    });
    Answer::json(200, &body)
}

/// Endpoints below `/projects/:id/merge_trains/merge_requests`.
pub(super) fn train(
    state: &mut State,
    links: &Links<'_>,
    caller: &Caller,
    project: u64,
    asked: &Asked,
    rest: &[&str],
) -> Option<Answer> {
    let (&Method::POST, [iid]) = (&asked.method, rest) else { return None };
    let answer = merge(state, links, caller, project, asked, iid);
    let car = |request: &MergeRequest| links.train_car(state, &state.projects[&project], request);
    let found = state.projects[&project].merge_requests.iter().find(|m| m.iid.to_string() == *iid);
    Some(match found.filter(|_| answer.status == 200) {
        // What waits for its pipeline before it enters the train is accepted, not created.
        Some(request) => Answer::json(if request.auto_merge { 202 } else { 201 }, &json!([car(request)])),
        None => answer,
    })
}

/// Merges, or promises to: with auto-merge only once the head's pipeline has succeeded.
fn merge(state: &mut State, links: &Links<'_>, caller: &Caller, id: u64, asked: &Asked, iid: &str) -> Answer {
    if let Err(refusal) = caller.writes(&state.projects[&id]) {
        return refusal;
    }
    let version = state.version;
    let project = state.project(id);
    let Some(found) = project.merge_requests.iter().position(|m| m.iid.to_string() == iid) else {
        return Answer::message(404, "404 Not found");
    };
    if !project.may_merge(caller, &project.merge_requests[found].target_branch) {
        return Answer::message(401, "401 Unauthorized");
    }
    let lacks_approval = project.approvals_required > project.merge_requests[found].approved_by.len() as u64;
    let request = &mut project.merge_requests[found];
    if asked.field("sha").is_some_and(|sha| sha != request.sha) {
        return Answer::message(409, "SHA does not match HEAD of source branch");
    }
    let waits = asked.flag("auto_merge") && version >= Version(17, 11)
        || asked.flag("merge_when_pipeline_succeeds")
        || asked.flag("when_pipeline_succeeds");
    let status = project.pipelines.get(&request.sha).map(String::as_str);
    match status {
        Some("FAILED") => return Answer::message(405, "405 Method Not Allowed"),
        Some("RUNNING" | "PENDING") if !waits => return Answer::message(405, "405 Method Not Allowed"),
        Some("RUNNING" | "PENDING") => request.auto_merge = true,
        _ if lacks_approval => return Answer::message(422, "Branch cannot be merged"),
        // Without a pipeline GitLab merges at once, which is why a bot must wait for one.
        _ => {
            let (iid, source) = (request.iid, request.source_branch.clone());
            let removes = request.remove_source_branch;
            project.merge(iid);
            if removes {
                project.repository.branches.remove(&source);
            }
        }
    }
    single(state, links, id, iid)
}

/// The documentation shows a merge request, but what the service says of itself is answered.
fn cancel(state: &mut State, caller: &Caller, id: u64, iid: &str) -> Answer {
    if let Err(refusal) = caller.writes(&state.projects[&id]) {
        return refusal;
    }
    let Some(request) = state.project(id).merge_requests.iter_mut().find(|m| m.iid.to_string() == iid) else {
        return Answer::message(404, "404 Not found");
    };
    if !std::mem::take(&mut request.auto_merge) {
        return Answer::message(406, "406 Not Acceptable");
    }
    Answer::json(201, &json!({"status": "success"}))
}

/// `POST /api/graphql` with the one query that we send.
pub(super) fn graphql(state: &mut State, caller: &Caller, asked: &Asked) -> Option<Answer> {
    if !asked.field("query")?.contains("headPipeline") {
        return None;
    }
    let text = |name: &str| asked.body["variables"][name].as_str().map(str::to_owned);
    let (path, number) = (text("project")?, text("number")?);
    let found = state.projects.values().find(|p| p.path == path).map(|p| p.id);
    let visible = found.filter(|id| state.projects[id].public || caller.level(&state.projects[id]) > 0);
    let Some(id) = visible else { return Some(Answer::json(200, &json!({"data": {"project": null}}))) };
    refresh(state, id);
    let project = &state.projects[&id];
    let request = project.merge_requests.iter().find(|m| m.iid.to_string() == number).map(|m| {
        let pipeline = project.pipelines.get(&m.sha).map(|status| json!({"status": status}));
        json!({"diffHeadSha": m.sha, "headPipeline": pipeline})
    });
    Some(Answer::json(200, &json!({"data": {"project": {"mergeRequest": request}}})))
}

fn create(
    state: &mut State,
    links: &Links<'_>,
    caller: &Caller,
    id: u64,
    asked: &Asked,
) -> Result<Answer, Answer> {
    caller.writes(&state.projects[&id])?;
    let required = |name: &str| {
        asked.field(name).ok_or_else(|| Answer::json(400, &json!({"error": format!("{name} is missing")})))
    };
    let (source, target) = (required("source_branch")?, required("target_branch")?);
    let title = required("title")?;
    let title = kept(&title)?;
    let project = state.project(id);
    source_is_seen(project, &source)?;
    if !project.repository.branches.contains_key(&target) {
        return Err(Answer::message(400, json!({"target_branch": ["does not exist"]})));
    }
    if let Some(open) = project.duplicate(&source, &target) {
        let text = format!("Another open merge request already exists for this source branch: !{open}");
        return Err(Answer::message(409, json!([text])));
    }
    let sha = project.repository.branches[&source].clone();
    let iid = project.open_merge_request(id, &source, &sha, &title);
    let request = project.merge_request(iid);
    request.target_branch = target;
    request.author = caller.username.clone().unwrap_or_default();
    apply(request, asked);
    let project = &state.projects[&id];
    let request = project.merge_requests.last().ok_or_else(|| Answer::not_found("Merge request"))?;
    Ok(Answer::json(201, &links.merge_request(state, project, request)))
}

fn edit(state: &mut State, links: &Links<'_>, caller: &Caller, id: u64, asked: &Asked, iid: &str) -> Answer {
    if let Err(refusal) = caller.writes(&state.projects[&id]) {
        return refusal;
    }
    let Some(request) = state.project(id).merge_requests.iter_mut().find(|m| m.iid.to_string() == iid) else {
        return Answer::message(404, "404 Not found");
    };
    if let Some(title) = asked.field("title") {
        match kept(&title) {
            Ok(title) => request.title = title,
            Err(refusal) => return refusal,
        }
    }
    match asked.field("state_event").as_deref() {
        Some("close") => {
            request.state = "closed".to_owned();
            request.auto_merge = false;
        }
        Some("reopen") => request.state = "opened".to_owned(),
        _ => {}
    }
    apply(request, asked);
    single(state, links, id, iid)
}

/// A title without the white space around it. The prefix of a draft counts.
fn kept(title: &str) -> Result<String, Answer> {
    let title = title.trim();
    match title.chars().count() {
        ..256 => Ok(title.to_owned()),
        _ => Err(Answer::message(400, json!({"title": ["is too long (maximum is 255 characters)"]}))),
    }
}

/// What creating and editing have in common. Quick actions of a description are executed after the other fields.
fn apply(request: &mut MergeRequest, asked: &Asked) {
    apply_fields(request, asked);
    if let Some(text) = asked.field("description") {
        let (text, commands) = quick_actions::extract(&text);
        let labels = commands.iter().filter_map(|command| command.strip_prefix("label "));
        let labels: Vec<String> = labels.map(|label| label.trim_start_matches('~').to_owned()).collect();
        request.labels.extend(labels);
        request.commands.extend(commands);
        request.description = Some(text);
    }
}

fn apply_fields(request: &mut MergeRequest, asked: &Asked) {
    match &asked.body["labels"] {
        Value::String(labels) => {
            request.labels = labels.split(',').filter(|l| !l.is_empty()).map(str::to_owned).collect();
        }
        Value::Array(labels) => {
            request.labels = labels.iter().filter_map(|l| l.as_str().map(str::to_owned)).collect();
        }
        _ => {}
    }
    if asked.body["squash"] != Value::Null {
        request.squash = asked.flag("squash");
    }
    if asked.body["remove_source_branch"] != Value::Null {
        request.remove_source_branch = asked.flag("remove_source_branch");
    }
    if let Some(milestone) = asked.field("milestone_id") {
        request.milestone = milestone.parse().ok();
    }
    let single: Vec<u64> = asked.field("assignee_id").and_then(|id| id.parse().ok()).into_iter().collect();
    for (ids, field) in [
        (&mut request.assignees, [single, asked.numbers("assignee_ids")].concat()),
        (&mut request.reviewers, asked.numbers("reviewer_ids")),
    ] {
        if !field.is_empty() {
            *ids = field;
        }
    }
}

/// For a while after a push the branch is not seen where merge requests are made.
fn source_is_seen(project: &mut Project, source: &str) -> Result<(), Answer> {
    let unseen = match project.unseen.get_mut(source) {
        Some(attempts) if *attempts > 0 => {
            *attempts -= 1;
            true
        }
        _ => false,
    };
    if unseen || !project.repository.branches.contains_key(source) {
        return Err(Answer::message(400, json!({"source_branch": ["does not exist"]})));
    }
    Ok(())
}

impl Project {
    fn duplicate(&self, source: &str, target: &str) -> Option<u64> {
        let same = |m: &&MergeRequest| {
            m.state == "opened"
                && m.source_project == self.id
                && m.source_branch == source
                && m.target_branch == target
        };
        self.merge_requests.iter().find(same).map(|m| m.iid)
    }
}
