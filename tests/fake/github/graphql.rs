//! The few operations of GraphQL that REST lacks, told apart by their fields.

use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::state::{Project, PullRequest, State};
use super::wire::{Answer, Asked};

/// What a document asks for.
pub(super) fn operation(query: &str) -> Option<&'static str> {
    let known = [
        ("enablePullRequestAutoMerge(", "enablePullRequestAutoMerge"),
        ("disablePullRequestAutoMerge(", "disablePullRequestAutoMerge"),
        ("convertPullRequestToDraft(", "convertPullRequestToDraft"),
        ("latestOpinionatedReviews(", "reviews"),
        ("statusCheckRollup", "checks"),
        ("object(oid:", "files"),
        ("viewer", "viewer"),
    ];
    known.into_iter().find(|(field, _)| query.contains(field)).map(|(_, name)| name)
}

/// `POST /graphql`
pub(super) fn answer(state: &mut State, caller: &Caller, asked: &Asked) -> Option<Answer> {
    let query = asked.field("query")?;
    let Some(login) = &caller.login else {
        return Some(super::error(401, "This endpoint requires you to be authenticated."));
    };
    let variables = &asked.body["variables"];
    Some(match operation(&query)? {
        "viewer" => data(json!({"viewer": {"login": login}})),
        "enablePullRequestAutoMerge" => enable(state, caller, variables),
        "disablePullRequestAutoMerge" => disable(state, caller, variables),
        "convertPullRequestToDraft" => to_draft(state, caller, variables),
        "files" => in_repository(state, caller, variables, |project| files(project, variables)),
        name => in_repository(state, caller, variables, |project| {
            let number = variables["number"].as_u64();
            let request = project.pull_requests.iter().find(|r| Some(r.number) == number).cloned();
            let request = request.ok_or_else(|| {
                let text =
                    format!("Could not resolve to a PullRequest with the number of {}.", variables["number"]);
                failed("NOT_FOUND", "repository.pullRequest", &text)
            })?;
            let found =
                if name == "reviews" { reviews(project, &request) } else { checks(project, &request) };
            Ok(json!({"pullRequest": found}))
        }),
    })
}

fn in_repository(
    state: &mut State,
    caller: &Caller,
    variables: &Value,
    read: impl FnOnce(&mut Project) -> Result<Value, Answer>,
) -> Answer {
    let text = |name: &str| variables[name].as_str().unwrap_or_default();
    let path = format!("{}/{}", text("owner"), text("name"));
    let shown = |project: &&Project| project.public || caller.level(project) > 0;
    let Some(id) = state.find(&path).filter(shown).map(|project| project.id) else {
        let text = format!("Could not resolve to a Repository with the name '{path}'.");
        return failed("NOT_FOUND", "repository", &text);
    };
    super::pull_requests::follow_branches(state, id);
    match read(state.project(id)) {
        Ok(found) => data(json!({"repository": found})),
        Err(refusal) => refusal,
    }
}

/// A commit's tree, and each `fileN` by `pathN`.
fn files(project: &mut Project, variables: &Value) -> Result<Value, Answer> {
    let commit = variables["commit"].as_str().and_then(|sha| project.repository.commit(sha)).cloned();
    let Some(commit) = commit else { return Ok(json!({"object": null})) };
    let mut object = Map::new();
    object.insert("tree".to_owned(), json!({"oid": project.tree_id(&commit.tree)}));
    for (name, path) in variables.as_object().into_iter().flatten() {
        let (Some(number), Some(path)) = (name.strip_prefix("path"), path.as_str()) else { continue };
        let mode = project.modes.get(path).copied().unwrap_or(0o100_644);
        let entry = commit.tree.contains_key(path).then(|| json!({"mode": mode}));
        object.insert(format!("file{number}"), json!(entry));
    }
    Ok(json!({"object": object}))
}

fn reviews(project: &Project, request: &PullRequest) -> Value {
    let writes = |login: &String| project.members.get(login).is_some_and(|level| *level >= 3);
    let nodes: Vec<Value> = request
        .reviews
        .iter()
        .filter(|(login, _)| writes(login))
        .map(|(_, state)| json!({"state": state}))
        .collect();
    let is = |state: &str| nodes.iter().any(|node| node["state"] == state);
    let decision = match project.requires_review {
        false => Value::Null,
        true if is("CHANGES_REQUESTED") => json!("CHANGES_REQUESTED"),
        true if is("APPROVED") => json!("APPROVED"),
        true => json!("REVIEW_REQUIRED"),
    };
    json!({"reviewDecision": decision, "latestOpinionatedReviews": {"nodes": nodes}})
}

fn checks(project: &Project, request: &PullRequest) -> Value {
    let rollup = project.checks.get(&request.sha).map(|state| json!({"state": state}));
    json!({"commits": {"nodes": [{"commit": {"oid": request.sha, "statusCheckRollup": rollup}}]}})
}

fn enable(state: &mut State, caller: &Caller, variables: &Value) -> Answer {
    let name = "enablePullRequestAutoMerge";
    let input = &variables["input"];
    let (id, number) = match writable(state, caller, input, name) {
        Ok(found) => found,
        Err(refusal) => return refusal,
    };
    let project = state.project(id);
    let request = project.pull_request(number).clone();
    let refused = |text: &str| failed("UNPROCESSABLE", name, text);
    if !project.allow_auto_merge {
        return refused("Auto merge is not allowed for this repository");
    }
    if input["expectedHeadOid"].as_str().is_some_and(|sha| sha != request.sha) {
        return refused("The head of the pull request is not the expected one");
    }
    if request.state != "open" || request.draft {
        return refused("Pull request is not in the correct state to enable auto-merge");
    }
    let method = input["mergeMethod"].as_str().unwrap_or("MERGE").to_lowercase();
    if !project.merge_methods.contains(&method) {
        return refused(&format!("Merge method {method} merging is not allowed on this repository"));
    }
    match project.mergeable_state(&request).as_str() {
        state @ ("clean" | "unstable") => refused(&format!("Pull request Pull request is in {state} status")),
        _ => {
            project.pull_request(number).auto_merge = Some(method);
            data(json!({name: {"clientMutationId": null}}))
        }
    }
}

fn disable(state: &mut State, caller: &Caller, variables: &Value) -> Answer {
    let name = "disablePullRequestAutoMerge";
    match writable(state, caller, &variables["input"], name) {
        Ok((id, number)) => {
            let request = state.project(id).pull_request(number);
            match request.auto_merge.take() {
                Some(_) => data(json!({name: {"clientMutationId": null}})),
                None => failed("UNPROCESSABLE", name, "Can't disable auto-merge for this pull request"),
            }
        }
        Err(refusal) => refusal,
    }
}

/// GitHub switches auto-merge off as well.
fn to_draft(state: &mut State, caller: &Caller, variables: &Value) -> Answer {
    let name = "convertPullRequestToDraft";
    match writable(state, caller, &variables["input"], name) {
        Ok((id, number)) => {
            let request = state.project(id).pull_request(number);
            if request.state != "open" {
                return failed("UNPROCESSABLE", name, "Pull request is closed");
            }
            if !state.project(id).drafts {
                let message = "Draft pull requests are not supported in this repository.";
                return failed("UNPROCESSABLE", name, message);
            }
            let request = state.project(id).pull_request(number);
            (request.draft, request.auto_merge) = (true, None);
            data(json!({name: {"clientMutationId": null}}))
        }
        Err(refusal) => refusal,
    }
}

/// The repository and the number behind a node id, `PR_<repository>_<number>` here.
fn writable(state: &mut State, caller: &Caller, input: &Value, name: &str) -> Result<(u64, u64), Answer> {
    let node = input["pullRequestId"].as_str().unwrap_or_default().to_owned();
    let missing =
        || failed("NOT_FOUND", name, &format!("Could not resolve to a node with the global id of '{node}'"));
    let mut parts =
        node.strip_prefix("PR_").ok_or_else(missing)?.split('_').map(|part| part.parse::<u64>().ok());
    let (Some(Some(id)), Some(Some(number))) = (parts.next(), parts.next()) else { return Err(missing()) };
    let project = state.projects.get(&id).ok_or_else(missing)?;
    if !project.pull_requests.iter().any(|request| request.number == number) {
        return Err(missing());
    }
    if caller.level(project) < 3 {
        let who = if caller.is_app() { "integration" } else { "personal access token" };
        return Err(failed("FORBIDDEN", name, &format!("Resource not accessible by {who}")));
    }
    super::pull_requests::follow_branches(state, id);
    Ok((id, number))
}

fn data(value: Value) -> Answer {
    Answer::json(200, &json!({"data": value}))
}

fn failed(kind: &str, path: &str, message: &str) -> Answer {
    let path: Vec<&str> = path.split('.').collect();
    let error = json!({
        "type": kind, "path": path, "locations": [{"line": 1, "column": 1}], "message": message,
    });
    Answer::json(200, &json!({"data": {path[0]: null}, "errors": [error]}))
}
