//! Users, installations of an App, packages.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::state::{App, Package, State};
use super::super::wire::encoded;
use super::{Links, date, with};

impl Links<'_> {
    pub fn user(&self, state: &State, login: &str) -> Value {
        let found = state.users.iter().find(|user| user.login.eq_ignore_ascii_case(login));
        let (id, login) = found.map_or((1, login), |user| (user.id, user.login.as_str()));
        let kind = match found {
            _ if login.ends_with("[bot]") => "Bot",
            Some(user) if user.is_organisation => "Organization",
            _ => "User",
        };
        let url = format!("{}/users/{}", self.api(), encoded(login));
        let page = login.strip_suffix("[bot]").map_or_else(|| login.to_owned(), |app| format!("apps/{app}"));
        json!({
            "login": login, "id": id, "node_id": format!("U_{id}"), "type": kind, "site_admin": false,
            "avatar_url": format!("{}/avatars/u/{id}", self.0), "gravatar_id": "", "url": url,
            "html_url": format!("{}/{page}", self.0), "followers_url": format!("{url}/followers"),
            "following_url": format!("{url}/following{{/other_user}}"), "gists_url": format!("{url}/gists{{/gist_id}}"),
            "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{url}/subscriptions"), "organizations_url": format!("{url}/orgs"),
            "repos_url": format!("{url}/repos"), "events_url": format!("{url}/events{{/privacy}}"),
            "received_events_url": format!("{url}/received_events"), "user_view_type": "public",
        })
    }

    /// As in the answer for one.
    pub fn single_user(&self, state: &State, login: &str) -> Value {
        with(
            self.user(state, login),
            json!({
                "name": null, "company": null, "blog": "", "location": null, "email": null, "hireable": null,
                "bio": null, "twitter_username": null, "public_repos": 1, "public_gists": 0, "followers": 0,
                "following": 0, "created_at": date(0), "updated_at": date(0),
            }),
        )
    }

    pub fn installation(&self, state: &State, app: &App) -> Value {
        let (id, account) = (app.installation, self.user(state, state.projects[&app.repository].owner()));
        let permissions = app.permissions.iter().filter_map(|granted| granted.split_once('='));
        json!({
            "id": id, "app_id": 1, "app_slug": app.slug, "client_id": app.id, "target_id": account["id"],
            "target_type": "Organization", "account": account, "repository_selection": "selected", "events": [],
            "access_tokens_url": format!("{}/app/installations/{id}/access_tokens", self.api()),
            "repositories_url": format!("{}/installation/repositories", self.api()),
            "html_url": format!("{}/settings/installations/{id}", self.0), "single_file_name": null,
            "permissions": permissions.collect::<BTreeMap<_, _>>(), "created_at": date(0), "updated_at": date(0),
            "suspended_by": null, "suspended_at": null,
        })
    }

    pub fn package(&self, state: &State, package: &Package, number: usize) -> Value {
        json!({
            "id": 1 + number, "name": package.name, "package_type": "container", "version_count": 1,
            "owner": self.user(state, &package.owner), "visibility": "public", "created_at": date(0),
            "updated_at": date(0), "url": format!("{}/orgs/{}/packages/container/x", self.api(), package.owner),
            "html_url": format!("{}/orgs/{}/packages/container/package/x", self.0, package.owner),
        })
    }
}
