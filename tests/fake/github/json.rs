//! State as GitHub's REST API (2022-11-28) writes it.

mod accounts;

use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::git::{Commit, Tree};
use super::state::{Project, PullRequest, State};
use super::wire::encoded;

/// The instance's address, for links.
pub struct Links<'a>(pub &'a str);

/// Addresses that every repository has, and what stands below its own.
const BELOW: [(&str, &str); 37] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
];

impl Links<'_> {
    /// The base of the REST API.
    pub fn api(&self) -> String {
        format!("{}/api/v3", self.0)
    }

    /// An address below that of a repository.
    pub fn repo(&self, project: &Project, below: &str) -> String {
        format!("{}/repos/{}{below}", self.api(), project.path)
    }

    pub fn repository(&self, state: &State, project: &Project) -> Value {
        let (html, touched) = (format!("{}/{}", self.0, project.path), project.touched());
        let below = BELOW.map(|(name, below)| (name.to_owned(), json!(self.repo(project, below))));
        let fields = json!({
            "id": project.id, "node_id": format!("R_{}", project.id), "name": project.name(),
            "full_name": project.path, "owner": self.user(state, project.owner()), "private": !project.public,
            "html_url": html, "description": null, "fork": false, "homepage": null, "language": null,
            "git_url": format!("{html}.git"), "ssh_url": format!("{html}.git"), "clone_url": format!("{html}.git"),
            "svn_url": html, "mirror_url": null, "forks": 0, "forks_count": 0, "stargazers_count": 0,
            "watchers_count": 0, "watchers": 0, "size": 1, "open_issues": 0, "open_issues_count": 0,
            "default_branch": project.default_branch, "is_template": false, "topics": [], "has_issues": true,
            "has_projects": true, "has_wiki": true, "has_pages": false, "has_downloads": true,
            "has_discussions": false, "archived": false, "disabled": false, "license": null,
            "visibility": if project.public { "public" } else { "private" },
            "pushed_at": touched, "created_at": date(0), "updated_at": touched, "web_commit_signoff_required": false,
        });
        with(fields, Value::Object(Map::from_iter(below)))
    }

    /// With what only the answer for one repository has; how it may be merged is for those who may push.
    pub fn full_repository(&self, state: &State, project: &Project, caller: &Caller) -> Value {
        let level = caller.level(project);
        let mut value = self.repository(state, project);
        value["network_count"] = json!(0);
        value["subscribers_count"] = json!(0);
        if caller.login.is_some() {
            // The permissions are those of a user.
            let level = if caller.is_app() { 0 } else { level };
            value["permissions"] = json!({
                "admin": level >= 5, "maintain": level >= 4, "push": level >= 3, "triage": level >= 2,
                "pull": level >= 1 || project.public,
            });
        }
        if level < 3 {
            return value;
        }
        let allowed = |method: &str| project.merge_methods.iter().any(|m| m == method);
        with(
            value,
            json!({
                "allow_merge_commit": allowed("merge"), "allow_squash_merge": allowed("squash"),
                "allow_rebase_merge": allowed("rebase"), "allow_auto_merge": project.allow_auto_merge,
                "delete_branch_on_merge": false, "allow_update_branch": false,
            }),
        )
    }

    pub fn reference(&self, project: &Project, branch: &str, sha: &str) -> Value {
        json!({
            "ref": format!("refs/heads/{branch}"), "node_id": format!("REF_{branch}"),
            "url": self.repo(project, &format!("/git/refs/heads/{branch}")),
            "object": {"type": "commit", "sha": sha, "url": self.repo(project, &format!("/git/commits/{sha}"))},
        })
    }

    pub fn git_commit(&self, project: &Project, commit: &Commit, tree: &str) -> Value {
        let who = signature(commit);
        json!({
            "sha": commit.id, "node_id": format!("C_{}", commit.id), "message": commit.message, "author": who,
            "committer": who, "url": self.repo(project, &format!("/git/commits/{}", commit.id)),
            "html_url": format!("{}/{}/commit/{}", self.0, project.path, commit.id),
            "tree": {"sha": tree, "url": self.repo(project, &format!("/git/trees/{tree}"))},
            "parents": self.parents(project, commit), "verification": unsigned(),
        })
    }

    pub fn commit(&self, state: &State, project: &Project, commit: &Commit) -> Value {
        let (who, user) = (signature(commit), self.user(state, &commit.author));
        let url = self.repo(project, &format!("/commits/{}", commit.id));
        json!({
            "sha": commit.id, "node_id": format!("C_{}", commit.id), "url": url,
            "html_url": format!("{}/{}/commit/{}", self.0, project.path, commit.id),
            "comments_url": format!("{url}/comments"), "author": user, "committer": user,
            "parents": self.parents(project, commit),
            "commit": {
                "message": commit.message, "author": who, "committer": who, "comment_count": 0,
                "url": self.repo(project, &format!("/git/commits/{}", commit.id)), "verification": unsigned(),
                "tree": {"sha": "0".repeat(40), "url": self.repo(project, "/git/trees/x")},
            },
        })
    }

    fn parents(&self, project: &Project, commit: &Commit) -> Value {
        let parent = |sha: &String| {
            json!({
                "sha": sha, "url": self.repo(project, &format!("/git/commits/{sha}")),
                "html_url": format!("{}/{}/commit/{sha}", self.0, project.path),
            })
        };
        commit.parents.iter().map(parent).collect()
    }

    /// The entries of a tree; with `recursive`, those of the folders below it as well.
    pub fn tree(&self, project: &Project, sha: &str, tree: &Tree, recursive: bool) -> Value {
        let entry = |(path, bytes): (&String, &std::sync::Arc<[u8]>)| {
            let mode = project.modes.get(path).copied().unwrap_or(0o100_644);
            json!({
                "path": path, "mode": format!("{mode:06o}"), "type": "blob", "size": bytes.len(), "sha": "0".repeat(40),
                "url": self.repo(project, "/git/blobs/x"),
            })
        };
        let url = self.repo(project, &format!("/git/trees/{sha}"));
        let folders: std::collections::BTreeSet<&str> =
            tree.keys().flat_map(|path| path.match_indices('/').map(|(at, _)| &path[..at])).collect();
        let folder = |path: &str| json!({"path": path, "mode": "040000", "type": "tree", "sha": "0".repeat(40), "url": url});
        let mut entries: Vec<Value> = tree.iter().map(entry).chain(folders.into_iter().map(folder)).collect();
        entries.retain(|entry| recursive || !entry["path"].as_str().unwrap_or_default().contains('/'));
        entries.sort_by_key(|entry| entry["path"].as_str().map(str::to_owned));
        json!({"sha": sha, "url": url, "tree": entries, "truncated": false})
    }

    /// As in the list of a folder.
    pub fn content(&self, project: &Project, at: &str, path: &str, is_file: bool, size: usize) -> Value {
        let (kind, object, page) = if is_file { ("file", "blobs", "blob") } else { ("dir", "trees", "tree") };
        let (url, sha) = (self.repo(project, &format!("/contents/{path}?ref={at}")), "0".repeat(40));
        let git = self.repo(project, &format!("/git/{object}/{sha}"));
        let html = format!("{}/{}/{page}/{at}/{path}", self.0, project.path);
        json!({
            "type": kind, "size": size, "name": path.rsplit('/').next(), "path": path, "sha": sha, "url": url,
            "git_url": git, "html_url": html, "_links": {"self": url, "git": git, "html": html},
            "download_url": is_file.then(|| format!("{}/{}/raw/{at}/{path}", self.0, project.path)),
        })
    }

    pub fn milestone(&self, state: &State, project: &Project, number: u64, title: &str) -> Value {
        let url = self.repo(project, &format!("/milestones/{number}"));
        json!({
            "url": url, "html_url": format!("{}/{}/milestone/{number}", self.0, project.path),
            "labels_url": format!("{url}/labels"), "id": 900 + number, "node_id": format!("MI_{number}"),
            "number": number, "title": title, "description": null, "creator": self.user(state, "somebody"),
            "open_issues": 0, "closed_issues": 0, "state": "open", "created_at": date(0), "updated_at": date(0),
            "due_on": null, "closed_at": null,
        })
    }

    /// As in the list.
    pub fn pull_request(&self, state: &State, project: &Project, request: &PullRequest) -> Value {
        let n = request.number;
        let (url, issue) =
            (self.repo(project, &format!("/pulls/{n}")), self.repo(project, &format!("/issues/{n}")));
        let html = format!("{}/{}/pull/{n}", self.0, project.path);
        let statuses = self.repo(project, &format!("/statuses/{}", request.sha));
        let source = request.source_project.and_then(|id| state.projects.get(&id));
        let base = project.repository.branches.get(&request.target_branch).cloned().unwrap_or_default();
        let auto_merge = request.auto_merge.as_ref().map(|method| {
            json!({
                "enabled_by": self.user(state, "somebody"), "merge_method": method, "commit_message": "",
                "commit_title": format!("Merge pull request #{n}"),
            })
        });
        let closed = (request.state != "open").then(|| date(0));
        let merged = (request.state == "merged").then(|| date(0));
        let comments = format!("{url}/comments");
        let links = json!({
            "self": url, "html": html, "issue": issue, "comments": format!("{issue}/comments"),
            "review_comments": comments, "review_comment": format!("{comments}{{/number}}"),
            "commits": format!("{url}/commits"), "statuses": statuses,
        });
        let links: Map<String, Value> = links
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, href)| (name.clone(), json!({"href": href})))
            .collect();
        let own = json!({
            "url": url, "id": 70_000 + n, "node_id": format!("PR_{}_{n}", project.id), "html_url": html,
            "diff_url": format!("{html}.diff"), "patch_url": format!("{html}.patch"), "issue_url": issue,
            "commits_url": format!("{url}/commits"), "review_comments_url": comments,
            "review_comment_url": format!("{comments}{{/number}}"), "comments_url": format!("{issue}/comments"),
            "statuses_url": statuses, "closed_at": closed, "merged_at": merged, "merge_commit_sha": null,
            "requested_reviewers": self.users(state, &request.reviewers), "requested_teams": [],
            "draft": request.draft, "auto_merge": auto_merge, "_links": links,
            "head": self.end(state, source, &request.source_owner, &request.source_branch, &request.sha),
            "base": self.end(state, Some(project), project.owner(), &request.target_branch, &base),
        });
        with(self.of_issue(state, project, request), own)
    }

    /// As in the answer for one.
    pub fn single(&self, state: &State, project: &Project, request: &PullRequest) -> Value {
        let merge_state = project.mergeable_state(request);
        let is_known = request.known_about.is_some() && request.known_about == request.asked_about;
        let merge_state =
            if is_known || request.mergeable_state.is_some() { merge_state } else { "unknown".to_owned() };
        let mergeable = match merge_state.as_str() {
            _ if request.state != "open" => None,
            "unknown" => None,
            "dirty" => Some(false),
            _ => Some(true),
        };
        let merged = request.state == "merged";
        with(
            self.pull_request(state, project, request),
            json!({
                "merged": merged, "mergeable": mergeable, "rebaseable": mergeable,
                "mergeable_state": if request.state == "open" { merge_state } else { "unknown".to_owned() },
                "merged_by": merged.then(|| self.user(state, "somebody")), "comments": 0, "review_comments": 0,
                "maintainer_can_modify": false, "commits": 1, "additions": 1, "deletions": 1, "changed_files": 1,
            }),
        )
    }

    /// The issue that a pull request is.
    pub fn issue(&self, state: &State, project: &Project, request: &PullRequest) -> Value {
        let n = request.number;
        let url = self.repo(project, &format!("/issues/{n}"));
        let html = format!("{}/{}/pull/{n}", self.0, project.path);
        with(
            self.of_issue(state, project, request),
            json!({
                "url": url, "repository_url": self.repo(project, ""), "labels_url": format!("{url}/labels{{/name}}"),
                "comments_url": format!("{url}/comments"), "events_url": format!("{url}/events"), "html_url": html,
                "id": 60_000 + n, "node_id": format!("PR_{}_{n}", project.id), "comments": 0, "closed_at": null,
                "pull_request": {
                    "url": self.repo(project, &format!("/pulls/{n}")), "html_url": html, "merged_at": null,
                    "diff_url": format!("{html}.diff"), "patch_url": format!("{html}.patch"),
                },
            }),
        )
    }

    /// What a pull request and its issue have in common.
    fn of_issue(&self, state: &State, project: &Project, request: &PullRequest) -> Value {
        let label = |(i, name): (usize, &String)| {
            // Without a description it is null, which the description of the API allows in some lists only.
            json!({
                "id": 1 + i, "node_id": format!("LA_{i}"), "name": name, "color": "ededed", "default": false,
                "description": "", "url": self.repo(project, &format!("/labels/{}", encoded(name))),
            })
        };
        let assignees = self.users(state, &request.assignees);
        let milestone = request.milestone.map(|number| {
            let title = project.milestones.get(number as usize - 1).map_or("", String::as_str);
            self.milestone(state, project, number, title)
        });
        json!({
            "number": request.number, "state": if request.state == "open" { "open" } else { "closed" },
            "locked": false, "title": request.title, "body": request.description, "milestone": milestone,
            "user": self.user(state, &request.author), "assignee": assignees.first(), "assignees": assignees,
            "labels": request.labels.iter().enumerate().map(label).collect::<Vec<_>>(),
            "created_at": date(0), "updated_at": date(0), "author_association": "CONTRIBUTOR",
            "active_lock_reason": null,
        })
    }

    fn users(&self, state: &State, logins: &[String]) -> Vec<Value> {
        logins.iter().map(|login| self.user(state, login)).collect()
    }

    fn end(&self, state: &State, project: Option<&Project>, owner: &str, branch: &str, sha: &str) -> Value {
        json!({
            "label": format!("{owner}:{branch}"), "ref": branch, "sha": sha, "user": self.user(state, owner),
            "repo": project.map(|project| self.repository(state, project)),
        })
    }
}

fn with(mut value: Value, more: Value) -> Value {
    if let (Value::Object(all), Value::Object(more)) = (&mut value, more) {
        all.extend(more);
    }
    value
}

fn signature(commit: &Commit) -> Value {
    let email = format!("{}@users.noreply.github.example", commit.author);
    json!({"name": commit.author, "email": email, "date": date(commit.at)})
}

fn unsigned() -> Value {
    json!({"verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null})
}

/// Seconds since 1970 as GitHub writes them.
pub fn date(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).expect("the fake's clock is near");
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
