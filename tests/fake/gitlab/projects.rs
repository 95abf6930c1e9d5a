//! Projects themselves, their releases and registry; users, tokens and the instance.

use axum::http::Method;
use serde_json::{Value, json};

use super::Caller;
use super::json::Links;
use super::state::{RegistryAccess, State, TokenKind, Version};
use super::wire::{self, Answer, Asked};

/// The project of an id or path. Who may not see it learns that there is none; a moved one redirects reads.
pub(super) fn visible(
    state: &State,
    caller: &Caller,
    asked: &Asked,
    address: &str,
    id: &str,
) -> Result<u64, Answer> {
    if let Some(moved) = state.projects.values().find(|p| p.former_paths.iter().any(|path| path == id)) {
        if asked.method != Method::GET {
            return Err(Answer::message(405, "Non GET methods are not allowed for moved projects"));
        }
        let rest: Vec<String> =
            asked.segments.iter().skip(2).map(|s| format!("/{}", wire::encoded(s))).collect();
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&asked.query);
        let to = format!("{address}/api/v4/projects/{}{}?{}", moved.id, rest.concat(), query.finish());
        return Err(Answer::json(301, &json!({"message": "moved"})).header("location", &to));
    }
    match state.find(id) {
        Some(project) if project.public || caller.level(project) > 0 => Ok(project.id),
        _ => Err(Answer::not_found("Project")),
    }
}

/// Endpoints below `/projects/:id` that have no file of their own.
pub(super) fn answer(
    state: &mut State,
    links: &Links<'_>,
    caller: &Caller,
    project: u64,
    asked: &Asked,
    address: &str,
    rest: &[&str],
) -> Option<Answer> {
    if let Err(refusal) = caller.reads("read_api") {
        return Some(refusal);
    }
    let project = &state.projects[&project];
    if asked.method != Method::GET {
        return None;
    }
    Some(match rest {
        [] => {
            let known = caller.username.is_some() && caller.kind == TokenKind::Access;
            Answer::json(200, &links.project(project, known.then(|| caller.level(project))))
        }
        ["releases"] => {
            let newest_first = project.releases.iter().rev();
            let sees_code = project.public || caller.level(project) >= 20;
            asked.page(address, newest_first.map(|r| links.release(state, project, r, sees_code)).collect())
        }
        ["milestones"] => {
            let wanted = asked.query("title").unwrap_or_default();
            // Since 16.7 `include_ancestors`, which older ones do not know.
            let name = match state.version >= Version(16, 7) {
                true => "include_ancestors",
                false => "include_parent_milestones",
            };
            let mut numbered: Vec<(&String, u64)> = project.milestones.iter().zip(1..).collect();
            if asked.query(name) == Some("true") {
                numbered.extend(project.group_milestones.iter().zip(1001..));
            }
            numbered.retain(|(title, _)| *title == wanted);
            asked.page(address, numbered.iter().map(|(_, id)| links.milestone(project, *id)).collect())
        }
        ["registry", "repositories"] => match project.registry.access {
            RegistryAccess::Enabled => asked.page(address, repositories(links, project)),
            RegistryAccess::Private if caller.level(project) >= 20 => {
                asked.page(address, repositories(links, project))
            }
            _ => Answer::message(403, "403 Forbidden"),
        },
        ["protected_branches"] if caller.level(project) >= 30 => {
            let level = |level: u64| json!([{"access_level": level, "access_level_description": "Somebody"}]);
            let rules = project.protected.iter().map(|rule| {
                json!({
                    "name": rule.pattern, "push_access_levels": level(rule.push),
                    "merge_access_levels": level(rule.merge), "allow_force_push": rule.allow_force_push,
                })
            });
            asked.page(address, rules.collect())
        }
        ["protected_branches"] => Answer::message(403, "403 Forbidden"),
        ["push_rule"] if caller.level(project) < 40 => Answer::message(403, "403 Forbidden"),
        ["push_rule"] => match &project.branch_names {
            Some(regex) => {
                Answer::json(200, &json!({"id": 1, "project_id": project.id, "branch_name_regex": regex}))
            }
            None => Answer::message(404, "404 Push Rule Not Found"),
        },
        _ => return None,
    })
}

/// Endpoints that belong to no project.
pub(super) fn instance(
    state: &State,
    links: &Links<'_>,
    caller: &Caller,
    asked: &Asked,
    segments: &[&str],
) -> Option<Answer> {
    if asked.method != Method::GET {
        return None;
    }
    let unauthorized = || Answer::message(401, "401 Unauthorized");
    let own_token = caller.kind == TokenKind::Access;
    let Some(username) = caller.username.as_ref().filter(|_| own_token) else {
        return matches!(segments, ["version" | "user" | "users"] | ["personal_access_tokens", "self"])
            .then(unauthorized);
    };
    Some(match segments {
        ["version"] => {
            let kas =
                json!({"enabled": false, "externalUrl": null, "externalK8sProxyUrl": null, "version": null});
            let Version(major, minor) = state.version;
            let body = json!({"version": format!("{major}.{minor}.0-ee"), "revision": "0123abcd", "kas": kas, "enterprise": false});
            Answer::json(200, &body)
        }
        ["user"] => {
            let user = state.users.iter().find(|u| u.username == *username);
            user.map_or_else(unauthorized, |user| Answer::json(200, &links.user(user)))
        }
        ["users"] => {
            let wanted = asked.query("username").unwrap_or_default();
            let found = state.users.iter().filter(|u| u.username.eq_ignore_ascii_case(wanted));
            Answer::json(200, &Value::Array(found.map(|u| links.user(u)).collect()))
        }
        ["groups", group, "projects"] => group_projects(state, links, asked, group),
        ["personal_access_tokens", "self"] => {
            let token = state.tokens.values().find(|t| t.username == *username && t.kind == caller.kind)?;
            let body = json!({
                "id": 7, "name": "bot", "revoked": false, "active": true, "user_id": 100,
                "created_at": "2026-06-01T00:00:00.000Z", "last_used_at": null,
                "scopes": token.scopes, "expires_at": token.expires_at,
            });
            Answer::json(200, &body)
        }
        _ => return None,
    })
}

/// The projects of a group and its subgroups.
fn group_projects(state: &State, links: &Links<'_>, asked: &Asked, group: &str) -> Answer {
    let below = format!("{}/", group.to_lowercase());
    let ours = state.projects.values().filter(|project| project.path.to_lowercase().starts_with(&below));
    let active = asked.query("active") == Some("true");
    let ours = ours.filter(|project| !(project.archived || active && project.marked_for_deletion));
    let list: Vec<Value> = ours
        .map(|project| {
            json!({
                "id": project.id,
                "path_with_namespace": project.path,
                "default_branch": project.default_branch,
                "topics": project.topics,
            })
        })
        .collect();
    match list.is_empty() {
        true => Answer::not_found("Group"),
        false => asked.page(links.0, list),
    }
}

fn repositories(links: &Links<'_>, project: &super::state::Project) -> Vec<Value> {
    let numbered = project.registry.names.iter().enumerate();
    numbered.map(|(number, name)| links.registry_repository(project, number, name)).collect()
}
