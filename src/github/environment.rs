//! What an Actions job's environment says: which GitHub, which repository, which token. The environment is an argument.

use url::Url;

use super::api::{Api, api_url};
use super::{Identity, RepositoryId};
use crate::http::{Origin, Secret, redacted};

/// Which GitHub to talk to, as far as the environment knows.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The APIs.
    pub api: Option<Api>,
    /// The repository of the job, whose own token serves no other.
    pub repository: Option<RepositoryId>,
    token: Option<Secret>,
}

/// A variable that cannot be understood. Only addresses can be wrong, so its value is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is no http(s) address: `{value}`")]
pub struct InvalidEnvironment {
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
) -> Result<Environment, InvalidEnvironment> {
    let set = |name: &str| env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let read = |name: &str| set(name).map(|value| address(name, &value)).transpose();
    let own = match read("GITHUB_API_URL")? {
        Some(api) => Some(api),
        None => read("GITHUB_SERVER_URL")?.as_ref().and_then(api_url),
    };
    let rest = configured.cloned().or_else(|| own.clone());
    let at_home = own.is_some() && rest.as_ref().and_then(Origin::of) == own.as_ref().and_then(Origin::of);
    let graphql = read("GITHUB_GRAPHQL_URL")?.filter(|_| at_home);
    let api = rest.as_ref().and_then(Api::new).map(|api| api.with_graphql(graphql));
    let repository = set("GITHUB_REPOSITORY").filter(|_| at_home).and_then(|text| text.parse().ok());
    Ok(Environment { api, repository, token: set("GITHUB_TOKEN").map(Secret::new) })
}

impl Environment {
    /// The token for an API; `None` if it belongs to another scheme, host or port.
    pub fn token_for(&self, api: &Api) -> Option<Identity> {
        let own = Origin::of(self.api.as_ref()?.rest())?;
        let token = self.token.clone().filter(|_| Origin::of(api.rest()).as_ref() == Some(&own));
        token.map(Identity::Token)
    }
}

fn address(name: &str, value: &str) -> Result<Url, InvalidEnvironment> {
    match value.parse::<Url>() {
        Ok(url) if Origin::of(&url).is_some() => Ok(url),
        Ok(url) => Err(InvalidEnvironment { name: name.to_owned(), value: redacted(&url) }),
        Err(_) => Err(InvalidEnvironment { name: name.to_owned(), value: value.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)], configured: Option<&str>) -> Environment {
        let env = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        from_environment(&env, configured.map(|url| url.parse().unwrap()).as_ref()).unwrap()
    }

    const JOB: [(&str, &str); 5] = [
        ("GITHUB_API_URL", "https://ghe.example/api/v3"),
        ("GITHUB_GRAPHQL_URL", "https://ghe.example/api/graphql"),
        ("GITHUB_SERVER_URL", "https://ghe.example"),
        ("GITHUB_REPOSITORY", "octo/deployment"),
        ("GITHUB_TOKEN", " ghs_x\n"),
    ];

    fn token(found: &Environment, api: &str) -> Option<String> {
        match found.token_for(&Api::new(&api.parse().unwrap()).unwrap())? {
            Identity::Token(secret) => Some(secret.expose().to_owned()),
            Identity::App(_) => None,
        }
    }

    #[test]
    fn a_job_knows_its_github_repository_and_token() {
        let found = read(&JOB, None);
        let api = found.api.clone().unwrap();
        assert_eq!(api.rest().as_str(), "https://ghe.example/api/v3");
        assert_eq!(api.graphql().as_str(), "https://ghe.example/api/graphql");
        assert_eq!(found.repository, Some("Octo/Deployment".parse().unwrap()));
        assert_eq!(token(&found, "https://ghe.example/api/v3").as_deref(), Some("ghs_x"));
        let by_server = read(&[("GITHUB_SERVER_URL", "https://github.com")], None);
        assert_eq!(by_server.api.unwrap().rest().as_str(), "https://api.github.com/");
    }

    #[test]
    fn the_token_goes_to_one_host_only() {
        let found = read(&JOB, None);
        for other in
            ["http://ghe.example/api/v3", "https://ghe.example:8443/api/v3", "https://api.github.com"]
        {
            assert_eq!(token(&found, other), None, "{other}");
        }
        assert_eq!(token(&read(&[("GITHUB_TOKEN", "t")], None), "https://api.github.com"), None);
    }

    #[test]
    fn a_configured_github_has_the_token_and_nothing_else_of_the_job() {
        let found = read(&JOB, Some("https://other.example/api/v3"));
        assert_eq!(found.repository, None);
        assert_eq!(found.api.as_ref().unwrap().graphql().as_str(), "https://other.example/api/graphql");
        assert_eq!(token(&found, "https://other.example/api/v3").as_deref(), Some("ghs_x"));
    }

    #[test]
    fn an_address_that_is_none_is_named() {
        let env = |name: &str| (name == "GITHUB_API_URL").then(|| "api.github.com".to_owned());
        let error = from_environment(&env, None).unwrap_err();
        assert_eq!(error.to_string(), "GITHUB_API_URL is no http(s) address: `api.github.com`");
    }
}
