//! Whose releases a run may look up.

use crate::release::Prefix;

/// The registries that a run may ask. A values file can name any host: its author decides nothing here.
#[derive(Debug, Clone, Default)]
pub struct Registries {
    /// The producers of the configuration, by name, and where they publish.
    pub configured: Vec<(String, Prefix)>,
    /// Hosts that may be asked below any path.
    pub allowed: Vec<String>,
}

/// As whose a registry is asked.
pub(super) enum AskedAs<'a> {
    /// That of this producer of the configuration, with all that is set for it.
    Configured(&'a str),
    /// One of which only a values file says anything.
    OnlyNamed,
}

impl Registries {
    /// As whose a registry is asked that a values file names; `None` where it is not asked. Its host must be allowed, or that
    /// of a configured producer.
    pub(super) fn asked_as(&self, prefix: &Prefix) -> Option<AskedAs<'_>> {
        if let Some((name, _)) = self.configured.iter().find(|(_, known)| known == prefix) {
            return Some(AskedAs::Configured(name));
        }
        let configured = self.configured.iter().map(|(_, known)| known.host());
        let mut hosts = configured.chain(self.allowed.iter().map(String::as_str));
        hosts.any(|host| host.eq_ignore_ascii_case(prefix.host())).then_some(AskedAs::OnlyNamed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_asked_if_it_is_configured_or_its_host_is_allowed() {
        let registries = Registries {
            configured: vec![("dib".to_owned(), "oci://a.example/group/dib".parse().unwrap())],
            allowed: vec!["b.example:5000".to_owned()],
        };
        for (prefix, expected) in [
            ("oci://a.example/group/dib", "dib"),
            ("oci://a.example/group/kiwi", "only named"),
            ("oci://B.example:5000/any/path", "only named"),
            ("oci://b.example/any/path", "not asked"),
            ("oci://b.example:5001/any/path", "not asked"),
            ("oci://a.example.evil.example/group/dib", "not asked"),
        ] {
            let asked = match registries.asked_as(&prefix.parse().unwrap()) {
                Some(AskedAs::Configured(name)) => name,
                Some(AskedAs::OnlyNamed) => "only named",
                None => "not asked",
            };
            assert_eq!(asked, expected, "{prefix}");
        }
    }
}
