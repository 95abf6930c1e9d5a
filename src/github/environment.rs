//! What an Actions job's environment says: which GitHub, which repository, which token. The environment is an argument.

use url::Url;

use super::api::{Api, api_url};
use super::{Identity, RepositoryId};
use crate::http::{BoundSecret, Origin, Secret};
use crate::release::address_without_user_info;

/// Which GitHub to talk to, as far as the environment knows.
#[derive(Debug, Clone, Default)]
pub struct GitHubVariables {
    /// The APIs.
    pub api: Option<Api>,
    /// The repository of the job, whose own token serves no other.
    pub repository: Option<RepositoryId>,
    token: Option<BoundSecret>,
}

/// A variable that cannot be used. Only addresses can be wrong, so its value is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {name} `{value}`: expected an http(s) address without user and password")]
pub struct InvalidGitHubVariables {
    /// The variable.
    pub name: String,
    /// What it holds, without user and password.
    pub value: String,
}

/// Reads `GITHUB_TOKEN`, `GITHUB_API_URL`, `GITHUB_GRAPHQL_URL`, `GITHUB_SERVER_URL` and `GITHUB_REPOSITORY`.
///
/// `configured` is the REST API that the configuration names; it goes before the job's own. `GITHUB_TOKEN` belongs to
/// the one that is used. The job's repository belongs to the job's GitHub, and is left out for another.
///
/// # Errors
/// If the address of the job's GitHub is none.
pub fn from_environment(
    env: &dyn Fn(&str) -> Option<String>,
    configured: Option<&Url>,
) -> Result<GitHubVariables, InvalidGitHubVariables> {
    let read = |name: &str| env(name).map(|value| address(name, &value)).transpose();
    let own = match read("GITHUB_API_URL")? {
        Some(api) => Some(api),
        None => read("GITHUB_SERVER_URL")?.as_ref().and_then(api_url),
    };
    let rest = configured.cloned().or_else(|| own.clone());
    let at_home = own.is_some() && rest.as_ref().and_then(Origin::of) == own.as_ref().and_then(Origin::of);
    let graphql = read("GITHUB_GRAPHQL_URL")?.filter(|_| at_home);
    let api = rest.as_ref().and_then(Api::new).map(|api| api.with_graphql(graphql));
    let repository = env("GITHUB_REPOSITORY").filter(|_| at_home).and_then(|text| text.parse().ok());
    let origin = api.as_ref().and_then(|api| Origin::of(api.rest()));
    let token = env("GITHUB_TOKEN").zip(origin).map(|(token, origin)| Secret::new(token).bound_to(origin));
    Ok(GitHubVariables { api, repository, token })
}

impl GitHubVariables {
    /// The token for an API; `None` if it belongs to another scheme, host or port, or to another path of this host.
    pub fn token_for(&self, api: &Api) -> Option<Identity> {
        let place = |api: &Api| (Origin::of(api.rest()), api.rest().path().trim_end_matches('/').to_owned());
        let is_own = self.api.as_ref().is_some_and(|own| place(own) == place(api));
        self.token.clone().filter(|_| is_own).map(Identity::Token)
    }
}

fn address(name: &str, value: &str) -> Result<Url, InvalidGitHubVariables> {
    let is_usable =
        |url: &Url| Origin::of(url).is_some() && url.username().is_empty() && url.password().is_none();
    value.parse().ok().filter(is_usable).ok_or_else(|| InvalidGitHubVariables {
        name: name.to_owned(),
        value: address_without_user_info(value).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)], configured: Option<&str>) -> GitHubVariables {
        let env = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        from_environment(&env, configured.map(|url| url.parse().unwrap()).as_ref()).unwrap()
    }

    const JOB: [(&str, &str); 5] = [
        ("GITHUB_API_URL", "https://ghe.example/api/v3"),
        ("GITHUB_GRAPHQL_URL", "https://ghe.example/api/graphql"),
        ("GITHUB_SERVER_URL", "https://ghe.example"),
        ("GITHUB_REPOSITORY", "octo/deployment"),
        ("GITHUB_TOKEN", "ghs_x"),
    ];

    /// Whether the token of the environment goes to an API.
    fn goes(found: &GitHubVariables, api: &str) -> bool {
        let identity = found.token_for(&Api::new(&api.parse().unwrap()).unwrap());
        matches!(identity, Some(Identity::Token(secret)) if secret.matches("ghs_x"))
    }

    #[test]
    fn a_job_knows_its_github_repository_and_token() {
        let found = read(&JOB, None);
        let api = found.api.clone().unwrap();
        assert_eq!(api.rest().as_str(), "https://ghe.example/api/v3");
        assert_eq!(api.graphql().as_str(), "https://ghe.example/api/graphql");
        assert_eq!(found.repository, Some("Octo/Deployment".parse().unwrap()));
        assert!(goes(&found, "https://ghe.example/api/v3"));
        let by_server = read(&[("GITHUB_SERVER_URL", "https://github.com")], None);
        assert_eq!(by_server.api.unwrap().rest().as_str(), "https://api.github.com/");
    }

    #[test]
    fn the_token_goes_to_one_host_only() {
        let found = read(&JOB, None);
        for other in [
            "http://ghe.example/api/v3",
            "https://ghe.example:8443/api/v3",
            "https://ghe.example/evil-app/api/v3",
            "https://api.github.com",
        ] {
            assert!(!goes(&found, other), "{other}");
        }
        assert!(!goes(&read(&[("GITHUB_TOKEN", "ghs_x")], None), "https://api.github.com"));
    }

    #[test]
    fn a_configured_github_has_the_token_and_nothing_else_of_the_job() {
        let found = read(&JOB, Some("https://other.example/api/v3"));
        assert_eq!(found.repository, None);
        assert_eq!(found.api.as_ref().unwrap().graphql().as_str(), "https://other.example/api/graphql");
        assert!(goes(&found, "https://other.example/api/v3"));
    }

    #[test]
    fn an_address_that_is_none_is_named() {
        for (value, shown) in [
            ("api.github.com", "api.github.com"),
            ("https://bot:hunter2@ghe.example", "https://***@ghe.example"),
        ] {
            let env = |name: &str| (name == "GITHUB_API_URL").then(|| value.to_owned());
            let error = from_environment(&env, None).unwrap_err();
            let expected = "expected an http(s) address without user and password";
            assert_eq!(error.to_string(), format!("invalid GITHUB_API_URL `{shown}`: {expected}"));
        }
    }
}
