//! State as GitLab's REST API v4 writes it.

use serde_json::{Value, json};
use similar::TextDiff;

use super::git::{self, Commit};
use super::mergeability;
use super::state::{MergeRequest, Project, Release, State, User};

/// The instance's address, for links.
pub struct Links<'a>(pub &'a str);

impl Links<'_> {
    pub fn user(&self, user: &User) -> Value {
        json!({
            "id": user.id, "username": user.username, "name": user.username, "state": "active",
            "avatar_url": null, "web_url": format!("{}/{}", self.0, user.username),
        })
    }

    pub fn user_named(&self, state: &State, username: &str) -> Value {
        // Whoever is not there any more became the ghost.
        let ghost = User { id: 1, username: "ghost".to_owned() };
        self.user(state.users.iter().find(|u| u.username == username).unwrap_or(&ghost))
    }

    fn users(&self, state: &State, ids: &[u64]) -> Vec<Value> {
        ids.iter().filter_map(|id| state.users.iter().find(|u| u.id == *id)).map(|u| self.user(u)).collect()
    }

    pub fn commit(&self, project: &Project, commit: &Commit) -> Value {
        let email = format!("{}@noreply.gitlab.example", commit.author);
        json!({
            "id": commit.id, "short_id": &commit.id[..8], "parent_ids": commit.parents,
            "title": commit.message.lines().next().unwrap_or_default(), "message": commit.message,
            "author_name": commit.author, "author_email": email, "authored_date": date(commit.at),
            "committer_name": commit.author, "committer_email": email, "committed_date": date(commit.at),
            "created_at": date(commit.at), "trailers": {}, "extended_trailers": {},
            "web_url": format!("{}/{}/-/commit/{}", self.0, project.path, commit.id),
        })
    }

    pub fn created_commit(&self, project: &Project, commit: &Commit) -> Value {
        let mut value = self.commit(project, commit);
        value["stats"] = json!({"additions": 1, "deletions": 1, "total": 2});
        value["status"] = Value::Null;
        value["last_pipeline"] = Value::Null;
        value["project_id"] = json!(project.id);
        value
    }

    pub fn branch(&self, project: &Project, name: &str, head: &Commit, may_push: bool) -> Value {
        let protected = project.rule(name).is_some();
        json!({
            "name": name, "commit": self.commit(project, head), "merged": false, "protected": protected,
            "default": name == project.default_branch, "developers_can_push": false,
            "developers_can_merge": false, "can_push": may_push,
            "web_url": format!("{}/{}/-/tree/{name}", self.0, project.path),
        })
    }

    pub fn compare(&self, project: &Project, from: &Commit, to: &Commit) -> Value {
        let commits = project.repository.between(&from.id, &to.id);
        let nothing = git::Tree::new();
        let base = project.repository.merge_base(&from.id, &to.id).map_or(&nothing, |c| &c.tree);
        let mut diffs: Vec<Value> = git::changed_paths(base, &to.tree)
            .iter()
            .map(|path| diff(path, base.contains_key(path), to.tree.contains_key(path), base, &to.tree))
            .collect();
        if project.compare_overflows {
            diffs.truncate(1);
        }
        json!({
            "commit": commits.last().map(|c| self.commit(project, c)),
            "commits": commits.iter().map(|c| self.commit(project, c)).collect::<Vec<_>>(),
            "diffs": diffs, "compare_timeout": project.compare_overflows,
            "compare_same_ref": from.id == to.id,
            "web_url": format!("{}/{}/-/compare/{}...{}", self.0, project.path, from.id, to.id),
        })
    }

    pub fn milestone(&self, project: &Project, id: u64) -> Value {
        let title = match id {
            1001.. => &project.group_milestones[id as usize - 1001],
            _ => &project.milestones[id as usize - 1],
        };
        json!({
            "id": id, "iid": id, "project_id": project.id, "title": title, "description": "",
            "state": "active", "created_at": date(0), "updated_at": date(0), "due_date": null,
            "start_date": null, "expired": false,
            "web_url": format!("{}/{}/-/milestones/{id}", self.0, project.path),
        })
    }

    pub fn merge_request(&self, state: &State, project: &Project, request: &MergeRequest) -> Value {
        let (status, conflict) = (mergeability::detailed(project, request), mergeability::conflicts(request));
        let assignees = self.users(state, &request.assignees);
        let draft = request.title.starts_with("Draft: ");
        let merged_by = match request.state.as_str() {
            "merged" => self.user_named(state, "somebody"),
            _ => Value::Null,
        };
        let milestone = request.milestone.map(|id| self.milestone(project, id));
        let mut value = constant_fields();
        let fields = json!({
            "id": 10_000 + request.iid, "iid": request.iid, "project_id": project.id,
            "title": request.title, "description": request.description, "state": request.state,
            "target_branch": request.target_branch, "source_branch": request.source_branch,
            "source_project_id": request.source_project, "target_project_id": project.id,
            "merged_by": merged_by, "merge_user": merged_by,
            "author": self.user_named(state, &request.author),
            "assignee": assignees.first(), "assignees": assignees,
            "reviewers": self.users(state, &request.reviewers),
            "labels": request.labels, "milestone": milestone,
            "merge_when_pipeline_succeeds": request.auto_merge, "draft": draft, "work_in_progress": draft,
            "merge_status": request.check.status.public(),
            "detailed_merge_status": status, "has_conflicts": conflict, "sha": request.sha,
            "force_remove_source_branch": request.remove_source_branch, "squash": request.squash,
            "reference": format!("!{}", request.iid),
            "web_url": format!("{}/{}/-/merge_requests/{}", self.0, project.path, request.iid),
        });
        if let (Value::Object(all), Value::Object(fields)) = (&mut value, fields) {
            all.extend(fields);
        }
        value
    }

    /// A merge request's place in a merge train.
    pub fn train_car(&self, state: &State, project: &Project, request: &MergeRequest) -> Value {
        json!({
            "id": 1, "merge_request": self.merge_request(state, project, request), "pipeline": null,
            "user": self.user_named(state, "somebody"), "target_branch": request.target_branch, "status": "idle",
            "created_at": date(0), "updated_at": date(0), "merged_at": null, "duration": null,
        })
    }

    /// Who may not see the code is not told the tag.
    pub fn release(&self, state: &State, project: &Project, release: &Release, sees_code: bool) -> Value {
        let commit = project.repository.head(&project.default_branch);
        let mut value = json!({
            "name": release.tag, "tag_name": release.tag, "description": release.description,
            "created_at": release.released_at, "released_at": release.released_at, "upcoming_release": false,
            "commit": commit.map(|c| self.commit(project, c)), "author": self.user_named(state, "somebody"), "evidences": [],
            "commit_path": format!("/{}/-/commit/x", project.path),
            "tag_path": format!("/{}/-/tags/{}", project.path, release.tag),
            "assets": {"count": 0, "sources": [], "links": []},
            "_links": {"self": format!("{}/{}/-/releases/{}", self.0, project.path, release.tag)},
        });
        if !sees_code {
            value["name"] = json!(format!("Release-{}", release.released_at));
            let fields = value.as_object_mut().expect("an object");
            fields.retain(|name, _| {
                !["tag_name", "commit", "commit_path", "tag_path"].contains(&name.as_str())
            });
        }
        value
    }

    pub fn registry_repository(&self, project: &Project, number: usize, name: &str) -> Value {
        let path = if name.is_empty() { project.path.clone() } else { format!("{}/{name}", project.path) };
        json!({
            "id": 500 + number, "name": name, "path": path, "project_id": project.id,
            "location": format!("registry.gitlab.example/{path}"), "created_at": date(0),
            "cleanup_policy_started_at": null, "status": null,
        })
    }

    pub fn project(&self, project: &Project, level: Option<u64>) -> Value {
        let mut value = json!({
            "id": project.id, "path_with_namespace": project.path, "default_branch": project.default_branch,
            "merge_trains_enabled": project.merge_trains,
            "visibility": if project.public { "public" } else { "private" }, "archived": project.archived,
            "web_url": format!("{}/{}", self.0, project.path),
        });
        if let Some(level) = level {
            let access = json!({"access_level": level, "notification_level": 3});
            value["permissions"] = json!({"project_access": access, "group_access": null});
        }
        value
    }
}

/// Fields of a merge request that no story changes.
fn constant_fields() -> Value {
    json!({
        "created_at": date(0), "updated_at": date(0), "prepared_at": date(0), "merged_at": null,
        "closed_by": null, "closed_at": null, "upvotes": 0, "downvotes": 0, "user_notes_count": 0,
        "merge_commit_sha": null,
        "squash_commit_sha": null, "discussion_locked": null, "should_remove_source_branch": null,
        "blocking_discussions_resolved": true,
    })
}

/// Seconds since 1970 as GitLab writes them.
pub fn date(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).expect("the fake's clock is near");
    time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

fn diff(path: &str, was: bool, is: bool, from: &git::Tree, to: &git::Tree) -> Value {
    let (old, new) = (git::text(from, path), git::text(to, path));
    let text = TextDiff::from_lines(&old, &new).unified_diff().context_radius(3).to_string();
    json!({
        "old_path": path, "new_path": path, "a_mode": if was { "100644" } else { "0" },
        "b_mode": if is { "100644" } else { "0" }, "new_file": !was, "renamed_file": false,
        "deleted_file": !is, "generated_file": null, "diff": text,
    })
}
