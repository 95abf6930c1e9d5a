//! What a CI job's environment says: which GitLab, which project, which token. The environment is an argument.

use url::Url;

use super::{GitLabToken, ProjectId};
use crate::http::{Origin, Secret};
use crate::release::address_without_user_info;

/// Which GitLab to talk to, as far as the environment knows.
#[derive(Debug, Clone, Default)]
pub struct GitLabVariables {
    /// The base of the API, `https://host[/root]/api/v4`.
    pub api: Option<Url>,
    /// The project of the job.
    pub project: Option<ProjectId>,
    token: Option<GitLabToken>,
}

/// A variable that cannot be used. Only addresses can be wrong, so its value is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {name} `{value}`: expected an http(s) address without user and password")]
pub struct InvalidGitLabVariables {
    /// The variable.
    pub name: String,
    /// What it holds, without user and password.
    pub value: String,
}

/// Reads `GITLAB_TOKEN`, `CI_API_V4_URL`, `CI_SERVER_URL`, `CI_PROJECT_ID`, `CI_PROJECT_PATH` and `CI_JOB_TOKEN`.
///
/// `configured` is the API that the configuration names; it goes before the job's own. `GITLAB_TOKEN` belongs to
/// the one that is used. The job's token and project belong to the job's GitLab, and are left out for another.
///
/// # Errors
/// If the address of the job's GitLab is none.
pub fn from_environment(
    env: &dyn Fn(&str) -> Option<String>,
    configured: Option<&Url>,
) -> Result<GitLabVariables, InvalidGitLabVariables> {
    let own = match (env("CI_API_V4_URL"), env("CI_SERVER_URL")) {
        (Some(api), _) => Some(address("CI_API_V4_URL", &api, "")?),
        (None, Some(server)) => Some(address("CI_SERVER_URL", &server, "/api/v4")?),
        (None, None) => None,
    };
    let api = configured.cloned().or_else(|| own.clone());
    let at_home = own.is_some() && api.as_ref().and_then(Origin::of) == own.as_ref().and_then(Origin::of);
    let project = env("CI_PROJECT_ID")
        .and_then(|id| id.parse().ok().map(ProjectId::Number))
        .or_else(|| env("CI_PROJECT_PATH").map(ProjectId::Path));
    let origin = api.as_ref().and_then(Origin::of);
    let bound = |name: &str| Some(Secret::new(env(name)?).bound_to(origin.clone()?));
    let job = || bound("CI_JOB_TOKEN").filter(|_| at_home).map(GitLabToken::Job);
    let token = bound("GITLAB_TOKEN").map(GitLabToken::Private).or_else(job);
    Ok(GitLabVariables { api, project: project.filter(|_| at_home), token })
}

impl GitLabVariables {
    /// The token for the API at `api`; `None` if it belongs to another scheme, host or port, or to another application
    /// on this host: whoever names an API by a path of their own is not the GitLab.
    pub fn token_for(&self, api: &Url) -> Option<GitLabToken> {
        let own = self.api.as_ref()?;
        let place = |url: &Url| Some((Origin::of(url)?, url.path().trim_end_matches('/').to_owned()));
        self.token.clone().filter(|_| place(own).is_some() && place(own) == place(api))
    }
}

fn address(name: &str, value: &str, below: &str) -> Result<Url, InvalidGitLabVariables> {
    let url = format!("{}{below}", value.trim_end_matches('/')).parse::<Url>().ok();
    let is_usable =
        |url: &Url| Origin::of(url).is_some() && url.username().is_empty() && url.password().is_none();
    url.filter(is_usable).ok_or_else(|| InvalidGitLabVariables {
        name: name.to_owned(),
        value: address_without_user_info(value).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)], configured: Option<&str>) -> GitLabVariables {
        let env = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        from_environment(&env, configured.map(|url| url.parse().unwrap()).as_ref()).unwrap()
    }

    const JOB: [(&str, &str); 5] = [
        ("CI_API_V4_URL", "https://gitlab.example/root/api/v4"),
        ("CI_SERVER_URL", "https://gitlab.example/root"),
        ("CI_PROJECT_ID", "42"),
        ("CI_PROJECT_PATH", "group/project"),
        ("CI_JOB_TOKEN", "job"),
    ];

    #[test]
    fn a_job_knows_its_gitlab_project_and_token() {
        let found = read(&JOB, None);
        let api = found.api.clone().unwrap();
        assert_eq!(api.as_str(), "https://gitlab.example/root/api/v4");
        assert_eq!(found.project, Some(ProjectId::Number(42)));
        assert!(matches!(found.token_for(&api), Some(GitLabToken::Job(secret)) if secret.matches("job")));
        let by_path = read(&[("CI_SERVER_URL", "https://h.example/"), ("CI_PROJECT_PATH", "a/b")], None);
        assert_eq!(by_path.api.unwrap().as_str(), "https://h.example/api/v4");
        assert_eq!(by_path.project, Some(ProjectId::Path("a/b".to_owned())));
    }

    #[test]
    fn an_access_token_goes_before_the_job_token_and_to_one_host_only() {
        let mut set = JOB.to_vec();
        set.push(("GITLAB_TOKEN", "glpat-x"));
        let found = read(&set, None);
        let token = |url: &str| found.token_for(&url.parse().unwrap());
        assert!(
            matches!(token("https://gitlab.example/root/api/v4/"), Some(GitLabToken::Private(s)) if s.matches("glpat-x"))
        );
        for other in [
            "http://gitlab.example/root/api/v4",
            "https://gitlab.example:8443/root/api/v4",
            "https://gitlab.com/api/v4",
            "https://gitlab.example/api/v4",
            "https://gitlab.example/root/evil-app/api/v4",
        ] {
            assert!(token(other).is_none(), "{other}");
        }
    }

    #[test]
    fn nothing_of_the_job_goes_to_another_gitlab() {
        let found = read(&JOB, Some("https://other.example/api/v4"));
        assert!(found.token_for(found.api.as_ref().unwrap()).is_none());
        assert_eq!(found.project, None);
        let with_token = read(&[("GITLAB_TOKEN", "t")], Some("https://other.example/api/v4"));
        assert!(with_token.token_for(with_token.api.as_ref().unwrap()).is_some());
        assert!(
            read(&[("GITLAB_TOKEN", "t")], None).token_for(&"https://a.example".parse().unwrap()).is_none()
        );
    }

    #[test]
    fn an_address_that_is_none_is_named() {
        for (value, shown) in [
            ("gitlab.example", "gitlab.example"),
            ("https://bot:hunter2@gitlab.example", "https://***@gitlab.example"),
            ("bot:hunter2@gitlab.example", "***@gitlab.example"),
        ] {
            let env = |name: &str| (name == "CI_SERVER_URL").then(|| value.to_owned());
            let error = from_environment(&env, None).unwrap_err();
            let expected = "expected an http(s) address without user and password";
            assert_eq!(error.to_string(), format!("invalid CI_SERVER_URL `{shown}`: {expected}"));
        }
    }
}
