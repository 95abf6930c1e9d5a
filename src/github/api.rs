//! Where a GitHub's API is: the public one, one with data residency (`*.ghe.com`), or a GitHub Enterprise Server.

use url::Url;

use crate::forge_api;

/// Where the public GitHub's API is.
const PUBLIC: &str = "https://api.github.com";

/// The addresses of both APIs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// `https://api.github.com`, or `https://HOST/api/v3`; without a slash at its end.
    rest: Url,
    graphql: Url,
}

impl Api {
    /// The API whose REST part is at `rest`. GraphQL stands at `/graphql` below it, on an Enterprise Server at
    /// `/api/graphql` beside it.
    pub fn new(rest: &Url) -> Option<Self> {
        let text = rest.as_str().trim_end_matches('/');
        let graphql = format!("{}/graphql", text.strip_suffix("/v3").unwrap_or(text));
        Some(Self { rest: rest.clone(), graphql: graphql.parse().ok()? })
    }

    /// The public GitHub's.
    pub fn public() -> Option<Self> {
        Self::new(&PUBLIC.parse().ok()?)
    }

    /// With GraphQL elsewhere.
    #[must_use]
    pub fn with_graphql(mut self, graphql: Option<Url>) -> Self {
        self.graphql = graphql.unwrap_or(self.graphql);
        self
    }

    /// The address of the REST API.
    pub fn rest(&self) -> &Url {
        &self.rest
    }

    /// The address of the GraphQL API.
    pub fn graphql(&self) -> &Url {
        &self.graphql
    }

    /// The address of a route and its query, which begin with a slash. `/graphql` is the other API.
    pub(super) fn url(&self, route: &str) -> Option<Url> {
        if route == "/graphql" {
            return Some(self.graphql.clone());
        }
        format!("{}{route}", self.rest.as_str().trim_end_matches('/')).parse().ok()
    }

    /// The host, for messages.
    pub(super) fn host(&self) -> String {
        forge_api::host(&self.rest)
    }
}

/// The REST API of the GitHub at `address`, which may already be that of its API.
pub fn api_url(address: &Url) -> Option<Url> {
    let text = address.as_str().trim_end_matches('/');
    let host = address.host_str()?;
    let at = |host: &str| format!("{}://{host}", address.scheme());
    let api = if text.ends_with("/api/v3") || host.starts_with("api.") {
        text.to_owned()
    } else if host == "github.com" || host == "www.github.com" {
        at("api.github.com")
    } else if host.ends_with(".ghe.com") {
        at(&format!("api.{host}"))
    } else {
        format!("{text}/api/v3")
    };
    api.parse().ok()
}

/// The REST API of the GitHub that a container registry belongs to: `ghcr.io`, `containers.SUBDOMAIN.ghe.com`, or
/// `containers.HOST` of an Enterprise Server. `None` for any other registry.
pub fn api_of_registry(host: &str) -> Option<Url> {
    let github = match host {
        "ghcr.io" => "github.com",
        host => host.strip_prefix("containers.")?,
    };
    api_url(&format!("https://{github}").parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_apis_follow_from_an_address() {
        for (address, rest, graphql) in [
            ("https://github.com", "https://api.github.com/", "https://api.github.com/graphql"),
            ("https://api.github.com/", "https://api.github.com/", "https://api.github.com/graphql"),
            ("https://octo.ghe.com", "https://api.octo.ghe.com/", "https://api.octo.ghe.com/graphql"),
            ("https://ghe.example/", "https://ghe.example/api/v3", "https://ghe.example/api/graphql"),
            (
                "http://ghe.example:8080/api/v3/",
                "http://ghe.example:8080/api/v3",
                "http://ghe.example:8080/api/graphql",
            ),
        ] {
            let found = api_url(&address.parse().unwrap()).unwrap();
            assert_eq!(found.as_str(), rest);
            let api = Api::new(&found).unwrap();
            assert_eq!(api.graphql().as_str(), graphql);
            let route = format!("{}/repos/a/b?x=1", rest.trim_end_matches('/'));
            assert_eq!(api.url("/repos/a/b?x=1").unwrap().as_str(), route);
        }
    }

    #[test]
    fn a_registry_of_github_leads_to_its_api() {
        let of = |host: &str| api_of_registry(host).map(String::from);
        assert_eq!(of("ghcr.io").as_deref(), Some("https://api.github.com/"));
        assert_eq!(of("containers.octo.ghe.com").as_deref(), Some("https://api.octo.ghe.com/"));
        assert_eq!(of("containers.ghe.example").as_deref(), Some("https://ghe.example/api/v3"));
        assert_eq!(of("registry.gitlab.com"), None);
    }
}
