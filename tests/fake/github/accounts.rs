//! Users, Apps and packages: what stands outside of repositories.

use axum::http::Method;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use super::caller::Caller;
use super::json::{Links, date};
use super::state::{State, Token, TokenKind};
use super::wire::{Answer, Asked};
use super::{error, not_found, page, token_of};

/// Endpoints for whoever has a token.
pub(super) fn answer(
    state: &State,
    links: &Links<'_>,
    caller: &Caller,
    asked: &Asked,
    segments: &[&str],
) -> Option<Answer> {
    match (&asked.method, segments) {
        (&Method::GET, ["user"]) => Some(user(state, links, caller)),
        (&Method::GET, ["orgs", owner, "repos"]) => Some(repositories(state, links, asked, owner)),
        (&Method::GET, ["orgs", owner, "packages"]) => {
            Some(packages(state, links, caller, asked, owner, true))
        }
        (&Method::GET, ["users", owner, "packages"]) => {
            Some(packages(state, links, caller, asked, owner, false))
        }
        _ => None,
    }
}

/// The repositories of an organisation.
fn repositories(state: &State, links: &Links<'_>, asked: &Asked, owner: &str) -> Answer {
    let below = format!("{}/", owner.to_lowercase());
    let ours = state.projects.values().filter(|project| project.path.to_lowercase().starts_with(&below));
    let list: Vec<Value> = ours
        .map(|project| {
            json!({
                "id": project.id,
                "full_name": project.path,
                "default_branch": project.default_branch,
                "topics": project.topics,
                "archived": false,
                "disabled": false,
            })
        })
        .collect();
    match list.is_empty() {
        true => not_found(),
        false => page(links, asked, list),
    }
}

fn user(state: &State, links: &Links<'_>, caller: &Caller) -> Answer {
    let Some(login) = &caller.login else { return error(401, "Requires authentication") };
    if caller.is_app() {
        return error(403, "Resource not accessible by integration");
    }
    let mut answer = Answer::json(200, &links.single_user(state, login));
    if let TokenKind::Classic { scopes } = &caller.kind {
        answer = answer.header("x-oauth-scopes", &scopes.join(", "));
    }
    match &caller.expires_at {
        Some(at) => answer.header("github-authentication-token-expiration", at),
        None => answer,
    }
}

/// For classic tokens of scope `read:packages` only, be the package as public as it may.
fn packages(
    state: &State,
    links: &Links<'_>,
    caller: &Caller,
    asked: &Asked,
    owner: &str,
    organisation: bool,
) -> Answer {
    if asked.query("package_type") != Some("container") {
        return error(400, "Invalid argument.");
    }
    let Some(account) = state.users.iter().find(|user| user.login.eq_ignore_ascii_case(owner)) else {
        return not_found();
    };
    if account.is_organisation != organisation {
        return not_found();
    }
    match &caller.kind {
        _ if caller.login.is_none() => return error(401, "Requires authentication"),
        TokenKind::Classic { scopes } if scopes.iter().any(|scope| scope == "read:packages") => {}
        TokenKind::Classic { .. } => {
            return error(403, "You need at least read:packages scope to list packages.");
        }
        _ => return error(403, "Resource not accessible by integration"),
    }
    let ours = state.packages.iter().filter(|package| package.owner.eq_ignore_ascii_case(owner));
    page(links, asked, ours.enumerate().map(|(i, package)| links.package(state, package, i)).collect())
}

/// Endpoints for an App that signs; `None` for any other.
pub(super) fn of_an_app(
    state: &mut State,
    links: &Links<'_>,
    asked: &Asked,
    segments: &[&str],
) -> Option<Answer> {
    let known = matches!(
        (&asked.method, segments),
        (&Method::GET, ["app"] | ["repos", _, _, "installation"])
            | (&Method::POST, ["app", "installations", _, "access_tokens"])
    );
    if !known {
        return None;
    }
    let Some(app) = state.app.clone() else { return Some(not_found()) };
    if let Err(refusal) = signed(&app.id, &app.public_key, token_of(&asked.headers).as_deref()) {
        return Some(refusal);
    }
    Some(match segments {
        ["app"] => Answer::json(
            200,
            &json!({
                "id": 1, "slug": app.slug, "node_id": "A_1", "name": app.slug, "client_id": app.id,
                "owner": links.user(state, "somebody"), "description": null, "external_url": links.0,
                "html_url": format!("{}/apps/{}", links.0, app.slug), "created_at": date(0), "updated_at": date(0),
                "permissions": {"contents": "write"}, "events": [],
            }),
        ),
        ["repos", owner, name, _] => {
            let ours = state.find(&format!("{owner}/{name}")).is_some_and(|p| p.id == app.repository);
            if ours { Answer::json(200, &links.installation(state, &app)) } else { not_found() }
        }
        [_, _, number, _] if *number == app.installation.to_string() => give_token(state),
        _ => not_found(),
    })
}

fn give_token(state: &mut State) -> Answer {
    let Some(app) = state.app.clone() else { return not_found() };
    state.installation_tokens += 1;
    let text = format!("ghs_installation{}", state.installation_tokens);
    let kind = TokenKind::Installation { repository: app.repository, permissions: app.permissions };
    let token = Token { kind, login: format!("{}[bot]", app.slug), expires_at: None, expired: false };
    state.tokens.insert(text.clone(), token);
    let now = i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap_or(0);
    Answer::json(
        201,
        &json!({
            "token": text, "expires_at": date(now + app.lifetime), "permissions": {"contents": "write"},
            "repository_selection": "selected",
        }),
    )
}

/// Signed by the App's key, for at most ten minutes and not from the future.
fn signed(id: &str, public_key: &str, token: Option<&str>) -> Result<(), Answer> {
    let refused = |why: &str| error(401, why);
    let token = token.ok_or_else(|| refused("A JSON web token could not be decoded"))?;
    let key = DecodingKey::from_rsa_pem(public_key.as_bytes()).expect("the story's key is one");
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_required_spec_claims(&["exp", "iss"]);
    validation.set_issuer(&[id]);
    let claims = jsonwebtoken::decode::<Value>(token, &key, &validation);
    let claims = claims.map_err(|_| refused("A JSON web token could not be decoded"))?.claims;
    let (iat, exp) = (claims["iat"].as_u64().unwrap_or(u64::MAX), claims["exp"].as_u64().unwrap_or(u64::MAX));
    match exp.saturating_sub(jsonwebtoken::get_current_timestamp()) <= 600 && iat < exp {
        true => Ok(()),
        false => Err(refused("'Expiration time' claim ('exp') is too far in the future")),
    }
}
