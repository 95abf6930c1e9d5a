//! Values that follow by lists of others, as meant.

use std::collections::BTreeMap;

use url::{Host, Url};

use super::meaning::Meaning;
use super::place::FieldPath;
use super::raw::{RawValueFrom, RawValuesFrom};
use crate::reconcile::values_from::{ListUrl, PLACEHOLDER, ValuesFrom};
use crate::values::KeyPath;

/// The flavor whose distribution publishes such lists.
const RKE2: &str = "rke2";

impl Meaning<'_> {
    /// A host from which lists may be read.
    pub(super) fn list_host(&mut self, text: &String, at: &FieldPath) -> Option<String> {
        let url = Url::parse(&format!("https://{text}/")).ok();
        let is_host = |url: &Url| url.username().is_empty() && url.password().is_none() && url.path() == "/";
        let fits = !text.contains(['/', '?', '#', '@']) && url.as_ref().is_some_and(is_host);
        if !fits {
            // It may hold credentials.
            let shown = text.rsplit('@').next().unwrap_or_default();
            self.error(
                at,
                format!("`{shown}` is not a host (expected HOST[:PORT], as in lists.example:8443)"),
            );
        }
        fits.then(|| text.clone())
    }

    pub(super) fn values_from(
        &mut self,
        raw: &RawValuesFrom,
        hosts: &[String],
        at: &FieldPath,
    ) -> Option<Vec<ValuesFrom>> {
        let rules = match raw {
            RawValuesFrom::One(one) => vec![self.value_from(one, hosts, at)?],
            RawValuesFrom::Several(several) => {
                self.each(several, at, |meaning, one, at| meaning.value_from(one, hosts, at))?
            }
        };
        for (i, rule) in rules.iter().enumerate() {
            if let Some(first) = rules.iter().take(i).position(|other| other.to == rule.to) {
                let first = at.index(first);
                self.error(&at.index(i).key("to"), format!("is the map of {first} too; name each map once"));
                return None;
            }
        }
        Some(rules)
    }

    fn value_from(&mut self, raw: &RawValueFrom, hosts: &[String], at: &FieldPath) -> Option<ValuesFrom> {
        let url = self.list_url(&raw.url, hosts, &at.key("url"));
        let find = self.find(&raw.find, &at.key("find"));
        let to = self.take(raw.to.parse::<KeyPath>(), &at.key("to"));
        let k8s_flavor = raw.k8s_flavor.clone().unwrap_or_else(|| RKE2.to_owned());
        Some(ValuesFrom { url: url?, find: find?, take: raw.take.clone(), to: to?, k8s_flavor })
    }

    fn find(&mut self, raw: &BTreeMap<String, String>, at: &FieldPath) -> Option<(String, String)> {
        let mut fields = raw.iter().map(|(field, text)| (field.clone(), text.clone()));
        let (first, second) = (fields.next(), fields.next());
        if first.is_none() || second.is_some() {
            self.error(
                at,
                "needs one field and its text, as in {filename: /charts/rke2-calico.yaml}".to_owned(),
            );
            return None;
        }
        first
    }

    /// A URL of an allowed host, whatever stands in its placeholder.
    fn list_url(&mut self, text: &str, hosts: &[String], at: &FieldPath) -> Option<ListUrl> {
        let list = self.take(ListUrl::new(text), at)?;
        let of = |version: &str| Url::parse(&text.replace(PLACEHOLDER, version)).ok();
        let (Some(url), Some(other)) = (of("1.2"), of("3.4")) else {
            self.error(at, "is not a URL (expected https://HOST/PATH)".to_owned());
            return None;
        };
        let problem = match host_of(&url) {
            _ if !url.username().is_empty() || url.password().is_some() => {
                "holds credentials; lists are read without".to_owned()
            }
            Some(host) if Some(&host) != host_of(&other).as_ref() => {
                format!("`{PLACEHOLDER}` stands in the host; it belongs in the path")
            }
            Some(_) if url.scheme() != "https" && !is_loopback(&url) => {
                format!("is read over {}; use https", url.scheme())
            }
            Some(host) if !is_one_of(&url, hosts) => {
                format!("host {host} is not allowed; add it to `values_from_hosts:`")
            }
            Some(_) => return Some(list),
            None => "is not a URL (expected https://HOST/PATH)".to_owned(),
        };
        self.error(at, problem);
        None
    }
}

/// Plain HTTP may be spoken to this machine alone.
fn is_loopback(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && is_loopback
}

fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str().filter(|host| !host.is_empty())?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Whether a URL is on one of the hosts, each with or without a port.
fn is_one_of(url: &Url, hosts: &[String]) -> bool {
    let Some(host) = url.host_str() else { return false };
    let with_port = url.port_or_known_default().map(|port| format!("{host}:{port}")).unwrap_or_default();
    let is_it =
        |allowed: &String| allowed.eq_ignore_ascii_case(host) || allowed.eq_ignore_ascii_case(&with_port);
    hosts.iter().any(is_it)
}

impl RawValuesFrom {
    pub(super) fn of(rules: &[ValuesFrom]) -> Self {
        let rule = |rule: &ValuesFrom| RawValueFrom {
            url: rule.url.as_str().to_owned(),
            find: BTreeMap::from([rule.find.clone()]),
            take: rule.take.clone(),
            to: rule.to.to_string(),
            k8s_flavor: Some(rule.k8s_flavor.clone()).filter(|flavor| flavor != RKE2),
        };
        Self::Several(rules.iter().map(rule).collect())
    }
}
