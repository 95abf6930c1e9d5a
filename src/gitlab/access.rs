//! Who the token belongs to and what it may do. GitLab tells different tokens different parts of it.

use gitlab::api::personal_access_tokens::PersonalAccessTokenSelf;
use gitlab::api::projects::protected_branches::ProtectedBranches;
use gitlab::api::users::CurrentUser;
use serde::Deserialize;

use super::Token;
use super::client::{Client, built};
use super::error::Failure;
use super::project::{self, Permissions, ProjectId};
use crate::forge::{Access, Branch};

/// Access level "Developer": may push to branches that are not protected.
const DEVELOPER: u64 = 30;

/// Under which all source branches stand.
const OUR_BRANCHES: &str = "dibump/";

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

/// The project must be visible; everything else is told or not.
pub(super) async fn read(client: &Client, project: &ProjectId) -> Result<Access, Failure> {
    let endpoint = built(ProtectedBranches::builder().project(project).build())?;
    let (user_endpoint, token_endpoint) =
        (built(CurrentUser::builder().build())?, built(PersonalAccessTokenSelf::builder().build())?);
    let (project, user, token, rules) = tokio::join!(
        project::read(client, project),
        client.ask::<WireUser>(&user_endpoint),
        client.ask::<WireToken>(&token_endpoint),
        client.all::<Rule>(&endpoint),
    );
    let project = project?;
    let (user, token, rules) = (told(user)?, told(token)?, told(rules)?);
    let level = project.permissions.as_ref().and_then(Permissions::level);
    let scopes = token.as_ref().map(|token| token.scopes.clone());
    Ok(Access {
        user: user.map(|user| user.username),
        may_push: may_push(client.token(), scopes.as_deref(), level, rules.as_deref()),
        lacks_scope: scopes
            .as_ref()
            .filter(|scopes| !scopes.iter().any(|scope| scope == "api"))
            .map(|_| "api"),
        scopes,
        expires_at: token.and_then(|token| token.expires_at),
        role: project.role(),
        may_merge: may_merge(level, project.default_branch.as_deref(), rules.as_deref()),
        may_force_push: may_force_push(rules.as_deref()),
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
    token: Option<&Token>,
    scopes: Option<&[String]>,
    level: Option<u64>,
    rules: Option<&[Rule]>,
) -> Option<bool> {
    let lacks_scope = scopes.is_some_and(|scopes| !scopes.iter().any(|scope| scope == "api"));
    if matches!(token, None | Some(Token::Job(_))) || lacks_scope {
        return Some(false);
    }
    let level = level?;
    if level < DEVELOPER {
        return Some(false);
    }
    let ours = rules?.iter().filter(|rule| covers_our_branches(&rule.name));
    ours.map(|rule| allows(&rule.push_access_levels, level)).try_fold(true, |all, one| Some(all && one?))
}

/// Whether a merge request into the default branch may be merged, by us or for us.
fn may_merge(level: Option<u64>, branch: Option<&str>, rules: Option<&[Rule]>) -> Option<bool> {
    let rule = rules?.iter().find(|rule| Some(rule.name.as_str()) == branch);
    rule.map_or(Some(level? >= DEVELOPER), |rule| allows(&rule.merge_access_levels, level?))
}

/// Whether a source branch that is protected may be made anew.
fn may_force_push(rules: Option<&[Rule]>) -> Option<bool> {
    Some(rules?.iter().filter(|rule| covers_our_branches(&rule.name)).all(|rule| rule.allow_force_push))
}

/// Whether a pattern may match a branch below `dibump/`.
fn covers_our_branches(pattern: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, _)) => OUR_BRANCHES.starts_with(start) || start.starts_with(OUR_BRANCHES),
        None => pattern.starts_with(OUR_BRANCHES),
    }
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
        let private = Token::Private(secret());
        let rule = |name: &str, level: Option<u64>| Rule {
            name: name.to_owned(),
            push_access_levels: vec![PushLevel { access_level: level }],
            merge_access_levels: Vec::new(),
            allow_force_push: false,
        };
        let ours = |level: Option<u64>| vec![rule("main", Some(40)), rule("dib*", level)];
        let api = ["api".to_owned()];
        let read_api = ["read_api".to_owned()];
        let job = Token::Job(secret());
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
            assert_eq!(may_push(token, scopes, level, rules.as_deref()), expected, "{level:?} {rules:?}");
        }
    }
}
