//! Where a checkout comes from: the address of `origin`, as git has it.

use url::Url;

use crate::config::ForgeKind;

/// A project on a forge. User and password of the address have no part in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The address of the forge.
    pub url: String,
    /// The path of the project.
    pub project: String,
}

/// The public forges, whose addresses need no mention.
const PUBLIC: [&str; 2] = ["https://gitlab.com", "https://github.com"];

impl Remote {
    /// Reads an address of git; `None` where it names no project on a server.
    pub fn read(address: &str) -> Option<Self> {
        let (url, path) = match address.contains("://") {
            true => of_url(&Url::parse(address).ok()?)?,
            false => of_scp(address)?,
        };
        let project = path.trim_matches('/');
        let project = project.strip_suffix(".git").unwrap_or(project).trim_end_matches('/');
        let is_project = project.split('/').count() > 1 && !project.contains("//");
        is_project.then(|| Self { url, project: project.to_owned() })
    }

    /// The address, where a configuration has to name it.
    pub fn named_url(&self) -> Option<&str> {
        Some(self.url.as_str()).filter(|url| !PUBLIC.contains(url))
    }

    /// Which forge it is, by the name of its host; `None` where that says neither.
    pub fn kind(&self) -> Option<ForgeKind> {
        match &self.url {
            url if url.contains("github") => Some(ForgeKind::Github),
            url if url.contains("gitlab") => Some(ForgeKind::Gitlab),
            _ => None,
        }
    }
}

/// The port of another protocol is not that of the forge.
fn of_url(url: &Url) -> Option<(String, String)> {
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let address = match (url.scheme(), url.port()) {
        (scheme @ ("https" | "http"), Some(port)) => format!("{scheme}://{host}:{port}"),
        (scheme @ ("https" | "http"), None) => format!("{scheme}://{host}"),
        ("file", _) => return None,
        _ => format!("https://{host}"),
    };
    Some((address, url.path().to_owned()))
}

/// `git@host:group/project.git`
fn of_scp(address: &str) -> Option<(String, String)> {
    let (host, path) = address.split_once(':').filter(|(host, _)| !host.contains('/'))?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let is_host =
        host.len() > 1 && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    is_host.then(|| (format!("https://{host}"), path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_address_names_the_project_and_no_secret() {
        for (address, expected) in [
            ("git@gitlab.com:group/sub/project.git", "https://gitlab.com group/sub/project"),
            ("gitlab.example:group/project", "https://gitlab.example group/project"),
            ("ssh://git@gitlab.example:2222/group/project.git", "https://gitlab.example group/project"),
            (
                "https://bot:glpat-secret@git.example:8443/group/project.git/",
                "https://git.example:8443 group/project",
            ),
            ("http://127.0.0.1:8080/group/project.git", "http://127.0.0.1:8080 group/project"),
            ("https://github.com/owner/repository", "https://github.com owner/repository"),
            ("git://git.example/a/b.git", "https://git.example a/b"),
            ("https://gitlab.example/project", ""),
            ("file:///srv/git/group/project.git", ""),
            ("/srv/git/group/project.git", ""),
            ("../project", ""),
            ("C:\\git\\project", ""),
            ("", ""),
        ] {
            let origin = Remote::read(address);
            let found = origin.map(|origin| format!("{} {}", origin.url, origin.project));
            assert_eq!(found.unwrap_or_default(), expected, "{address}");
        }
    }
}
