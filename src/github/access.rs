//! Who the token belongs to and what it may do. GitHub tells different tokens different parts of it.

use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;

use super::error::Failure;
use super::repository::{Owner, Permissions};
use super::{GitHub, Identity};
use crate::forge::{Access, Branch};

/// What tokens of Actions jobs and App installations begin with.
const OF_AN_APP: &str = "ghs_";

/// Scopes of classic tokens that let one push, at least to what is public.
const PUSHING: [&str; 2] = ["repo", "public_repo"];

/// The token's owner, and what the headers say of the token.
struct Told {
    user: Option<String>,
    scopes: Option<Vec<String>>,
    expires_at: Option<jiff::civil::Date>,
}

#[derive(Deserialize)]
struct WireViewer {
    viewer: Owner,
}

impl GitHub {
    /// The repository must be visible; everything else is told or not.
    pub(super) async fn read_access(&self) -> Result<Access, Failure> {
        let (about, told) = tokio::join!(self.about(), self.told());
        let (about, told) = (about?, told?);
        let permissions = about.permissions.as_ref();
        Ok(Access {
            user: told.user,
            may_push: may_push(self.client.identity(), told.scopes.as_deref(), permissions),
            name_rule: None,
            may_force_push: None,
            may_merge: None,
            lacks_scope: told.scopes.as_ref().filter(|scopes| !may_write(scopes)).map(|_| PUSHING[0]),
            scopes: told.scopes,
            expires_at: told.expires_at,
            role: permissions.and_then(role).map(str::to_owned),
            default_branch: Some(Branch(about.default_branch.clone())),
        })
    }

    /// An App is not a user, and the token of a job is nobody's: GraphQL alone names whom it acts for.
    async fn told(&self) -> Result<Told, Failure> {
        let nobody = Told { user: None, scopes: None, expires_at: None };
        if self.client.identity().is_none() {
            return Ok(nobody);
        }
        if let Some(user) = self.client.app_user().await? {
            return Ok(Told { user: Some(user), ..nobody });
        }
        match self.client.get_as("/user", None).await {
            Ok(answer) => {
                let user = serde_json::from_slice::<Owner>(&answer.body);
                let user = user.map_err(|error| Failure::Malformed(format!("unexpected user: {error}")))?;
                let (scopes, expires_at) = (scopes(&answer.headers), expires_at(&answer.headers));
                Ok(Told { user: Some(user.login), scopes, expires_at })
            }
            Err(failure) if failure.status() == Some(403) => {
                let viewer = self.client.graphql::<WireViewer>("query { viewer { login } }", json!({})).await;
                Ok(Told { user: viewer.ok().map(|read| read.viewer.login), ..nobody })
            }
            Err(failure) if failure.status() == Some(401) => Ok(nobody),
            Err(failure) => Err(failure),
        }
    }
}

/// The scopes of a classic token; a fine-grained one has none and says nothing of its permissions.
fn scopes(headers: &HeaderMap) -> Option<Vec<String>> {
    let text = headers.get("x-oauth-scopes")?.to_str().ok()?;
    let scopes: Vec<String> =
        text.split(',').map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    (!scopes.is_empty()).then_some(scopes)
}

/// The day, as in `2027-06-01 12:00:00 UTC`.
fn expires_at(headers: &HeaderMap) -> Option<jiff::civil::Date> {
    headers.get("github-authentication-token-expiration")?.to_str().ok()?.get(..10)?.parse().ok()
}

fn may_write(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| PUSHING.contains(&scope.as_str()))
}

/// The permissions are those of a user; of an App they say nothing.
fn may_push(
    identity: Option<&Identity>,
    scopes: Option<&[String]>,
    permissions: Option<&Permissions>,
) -> Option<bool> {
    let is_app = match identity {
        None => return Some(false),
        Some(Identity::App(_)) => true,
        Some(Identity::Token(secret)) => secret.begins_with(OF_AN_APP),
    };
    if scopes.is_some_and(|scopes| !may_write(scopes)) {
        return Some(false);
    }
    match permissions?.push {
        false if is_app => None,
        push => Some(push),
    }
}

/// GitHub's names of its roles, the highest that applies.
fn role(permissions: &Permissions) -> Option<&'static str> {
    let Permissions { admin, maintain, push, triage, pull } = permissions;
    let roles =
        [(admin, "Admin"), (maintain, "Maintain"), (push, "Write"), (triage, "Triage"), (pull, "Read")];
    roles.into_iter().find(|(held, _)| **held).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Origin, Secret};

    #[test]
    fn what_may_be_pushed_follows_from_token_scopes_and_permissions() {
        let origin = Origin::of(&"https://api.github.com".parse().unwrap()).unwrap();
        let token = |text: &str| Some(Identity::Token(Secret::new(text).bound_to(origin.clone())));
        let rights = |push| Permissions { admin: false, maintain: false, push, triage: false, pull: true };
        for (identity, scopes, push, expected) in [
            (None, None, Some(true), Some(false)),
            (token("ghp_x"), Some("repo"), Some(true), Some(true)),
            (token("ghp_x"), Some("read:packages"), Some(true), Some(false)),
            (token("ghp_x"), Some("repo"), Some(false), Some(false)),
            (token("github_pat_x"), None, Some(true), Some(true)),
            (token("ghs_x"), None, Some(false), None),
            (token("ghs_x"), None, None, None),
        ] {
            let scopes = scopes.map(|scope: &str| vec![scope.to_owned()]);
            let permissions = push.map(rights);
            let found = may_push(identity.as_ref(), scopes.as_deref(), permissions.as_ref());
            assert_eq!(found, expected, "{identity:?} {scopes:?} {push:?}");
        }
    }
}
