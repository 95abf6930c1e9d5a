//! Who the token belongs to and what it may do. GitLab tells different tokens different parts of it.

use std::borrow::Cow;

use gitlab::api::Endpoint;
use gitlab::api::personal_access_tokens::PersonalAccessTokenSelf;
use gitlab::api::projects::protected_branches::ProtectedBranches;
use gitlab::api::users::CurrentUser;
use serde::Deserialize;

use super::GitLabToken;
use super::client::{Client, built};
use super::error::Failure;
use super::project::{self, Permissions, ProjectId};
use crate::forge::{Access, Branch};

/// Access level "Developer": may push to branches that are not protected.
const DEVELOPER: u64 = 30;

#[derive(Debug, Deserialize)]
struct WireUser {
    username: String,
}

#[derive(Debug, Deserialize)]
struct WireToken {
    scopes: Vec<String>,
    expires_at: Option<jiff::civil::Date>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    /// A branch, or a pattern with `*`.
    name: String,
    #[serde(default)]
    push_access_levels: Vec<PushLevel>,
    #[serde(default)]
    merge_access_levels: Vec<PushLevel>,
    #[serde(default)]
    allow_force_push: bool,
}

#[derive(Debug, Deserialize)]
struct PushLevel {
    /// 0 for nobody; null where the rule names a user or a group.
    access_level: Option<u64>,
}

/// `GET /projects/:id/push_rule`: only maintainers are told, and only where there are push rules (Premium).
struct PushRuleEndpoint<'a>(&'a ProjectId);

#[derive(Debug, Deserialize)]
struct PushRule {
    /// An RE2 expression.
    branch_name_regex: Option<String>,
}

impl Endpoint for PushRuleEndpoint<'_> {
    fn method(&self) -> http::Method {
        http::Method::GET
    }

    fn endpoint(&self) -> Cow<'static, str> {
        format!("{}/push_rule", self.0.route()).into()
    }
}

/// The project must be visible; everything else is told or not.
pub(super) async fn read(client: &Client, project: &ProjectId, source: &Branch) -> Result<Access, Failure> {
    let push_rule = PushRuleEndpoint(project);
    let endpoint = built(ProtectedBranches::builder().project(project).build())?;
    let (user_endpoint, token_endpoint) =
        (built(CurrentUser::builder().build())?, built(PersonalAccessTokenSelf::builder().build())?);
    let (project, user, token, rules, push_rule) = tokio::join!(
        project::read(client, project),
        client.ask::<WireUser>(&user_endpoint),
        client.ask::<WireToken>(&token_endpoint),
        client.all::<Rule>(&endpoint),
        client.ask::<Option<PushRule>>(&push_rule),
    );
    let project = project?;
    let (user, token, rules) = (told(user)?, told(token)?, told(rules)?);
    let push_rule = told(push_rule)?.flatten().and_then(|rule| rule.branch_name_regex);
    let level = project.permissions.as_ref().and_then(Permissions::level);
    let scopes = token.as_ref().map(|token| token.scopes.clone());
    Ok(Access {
        user: user.map(|user| user.username),
        may_push: may_push(client.token(), scopes.as_deref(), level, rules.as_deref(), source),
        name_rule: push_rule.filter(|rule| breaks(rule, source)),
        lacks_scope: scopes
            .as_ref()
            .filter(|scopes| !scopes.iter().any(|scope| scope == "api"))
            .map(|_| "api"),
        scopes,
        expires_at: token.and_then(|token| token.expires_at),
        role: project.role(),
        may_merge: may_merge(level, project.default_branch.as_deref(), rules.as_deref()),
        may_force_push: may_force_push(rules.as_deref(), source),
        default_branch: project.default_branch.map(Branch),
    })
}

/// A refusal means "not told"; no answer is still an error.
fn told<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(told) => Ok(Some(told)),
        Err(failure) if matches!(failure.status(), Some(400..=407)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn may_push(
    token: Option<&GitLabToken>,
    scopes: Option<&[String]>,
    level: Option<u64>,
    rules: Option<&[Rule]>,
    source: &Branch,
) -> Option<bool> {
    let lacks_scope = scopes.is_some_and(|scopes| !scopes.iter().any(|scope| scope == "api"));
    if matches!(token, None | Some(GitLabToken::Job(_))) || lacks_scope {
        return Some(false);
    }
    let level = level?;
    if level < DEVELOPER {
        return Some(false);
    }
    let ours = rules?.iter().filter(|rule| covers(&rule.name, source));
    ours.map(|rule| allows(&rule.push_access_levels, level)).try_fold(true, |all, one| Some(all && one?))
}

/// Whether a merge request into the default branch may be merged, by us or for us.
fn may_merge(level: Option<u64>, branch: Option<&str>, rules: Option<&[Rule]>) -> Option<bool> {
    let rule = rules?.iter().find(|rule| Some(rule.name.as_str()) == branch);
    rule.map_or(Some(level? >= DEVELOPER), |rule| allows(&rule.merge_access_levels, level?))
}

/// Whether a source branch that is protected may be made anew.
fn may_force_push(rules: Option<&[Rule]>, source: &Branch) -> Option<bool> {
    Some(rules?.iter().filter(|rule| covers(&rule.name, source)).all(|rule| rule.allow_force_push))
}

/// Whether a pattern matches a branch; `*` stands for any text.
fn covers(pattern: &str, Branch(source): &Branch) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == source };
    let Some(mut left) = source.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(end)
}

/// Whether the name of a branch is not what a push rule asks for (`ee/app/models/push_rule.rb`, `branch_name_allowed?`). An
/// expression that we cannot read says nothing.
fn breaks(rule: &str, Branch(source): &Branch) -> bool {
    !rule.is_empty() && regex::Regex::new(rule).is_ok_and(|rule| !rule.is_match(source))
}

/// `None` where only users or groups are named that we cannot compare ourselves with.
fn allows(levels: &[PushLevel], level: u64) -> Option<bool> {
    let levels = || levels.iter().map(|allowed| allowed.access_level);
    if levels().flatten().any(|needed| needed > 0 && needed <= level) {
        return Some(true);
    }
    levels().all(|needed| needed.is_some()).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{BoundSecret, Origin, Secret};

    fn secret() -> BoundSecret {
        Secret::new("t").bound_to(Origin::of(&"https://gitlab.example".parse().unwrap()).unwrap())
    }

    #[test]
    fn what_may_be_pushed_follows_from_token_role_and_rules() {
        let private = GitLabToken::Private(secret());
        let rule = |name: &str, level: Option<u64>| Rule {
            name: name.to_owned(),
            push_access_levels: vec![PushLevel { access_level: level }],
            merge_access_levels: Vec::new(),
            allow_force_push: false,
        };
        let ours = |level: Option<u64>| vec![rule("main", Some(40)), rule("dib*", level)];
        let api = ["api".to_owned()];
        let read_api = ["read_api".to_owned()];
        let job = GitLabToken::Job(secret());
        for (token, scopes, level, rules, expected) in [
            (Some(&private), Some(&api), Some(30), Some(vec![rule("main", Some(40))]), Some(true)),
            (Some(&private), Some(&api), Some(20), None, Some(false)),
            (Some(&private), Some(&read_api), Some(40), None, Some(false)),
            (Some(&private), None, None, None, None),
            (Some(&private), Some(&api), Some(30), None, None),
            (Some(&private), Some(&api), Some(30), Some(ours(Some(40))), Some(false)),
            (Some(&private), Some(&api), Some(40), Some(ours(Some(40))), Some(true)),
            (Some(&private), Some(&api), Some(40), Some(ours(Some(0))), Some(false)),
            (Some(&private), Some(&api), Some(30), Some(ours(None)), None),
            (Some(&job), None, Some(40), Some(Vec::new()), Some(false)),
            (None, None, None, None, Some(false)),
        ] {
            let scopes = scopes.map(|s| s.as_slice());
            let source = Branch("dibump/main/images-0.x".to_owned());
            assert_eq!(
                may_push(token, scopes, level, rules.as_deref(), &source),
                expected,
                "{level:?} {rules:?}"
            );
        }
    }

    #[test]
    fn rules_are_those_of_the_branch_that_will_be_pushed() {
        let source = Branch("dibump/main/images-0.x".to_owned());
        for (pattern, fits) in [
            ("dibump/*", true),
            ("dib*", true),
            ("*", true),
            ("*/main/*", true),
            ("*-0.x", true),
            ("dibump/main/images-0.x", true),
            ("dibump/main*-1.x", false),
            ("dibump/", false),
            ("renovate/*", false),
        ] {
            assert_eq!(covers(pattern, &source), fits, "{pattern}");
        }
        for (rule, is_broken) in
            [("^(users|renovate)/", true), ("^dibump/", false), ("main", false), ("", false), ("(", false)]
        {
            assert_eq!(breaks(rule, &source), is_broken, "{rule}");
        }
    }
}
