//! What a registry writes into headers: challenges, and links to the next page.

use dibump::oci::fuzz::{challenges, next_page};
use url::Url;

/// `WWW-Authenticate`: every part of a challenge stands in the header, and none is made up.
pub fn challenge_header(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        challenges(data);
        return;
    };
    let lower = text.to_ascii_lowercase();
    // Escapes are the one thing that a value loses.
    let unescaped = text.replace('\\', "");
    let mut length = 0;
    for (scheme, params) in challenges(data) {
        assert!(lower.contains(&scheme), "the scheme {scheme:?} is not in the header");
        for (name, value) in params {
            assert!(lower.contains(&name), "the name {name:?} is not in the header");
            assert!(unescaped.contains(&value.replace('\\', "")), "the value {value:?} is not in the header");
            length += name.len() + value.len();
        }
        length += scheme.len();
    }
    assert!(length <= text.len(), "the challenges are longer than the header");
}

/// `Link`: the next page is the same list on the same host, without anybody's credentials.
pub fn link_header(data: &[u8]) {
    for list in [
        "https://registry.example/v2/group/image/tags/list?n=100",
        "http://registry.example:5000/v2/_catalog",
        "https://[2001:db8::1]:8443/v2/a/tags/list",
    ] {
        let list = url(list);
        if let Ok(Some(next)) = next_page(&list, data) {
            assert_eq!(next.origin(), list.origin(), "{next}");
            assert_eq!(next.path(), list.path(), "{next}");
            assert_eq!((next.username(), next.password(), next.fragment()), ("", None, None), "{next}");
        }
    }
}

fn url(text: &str) -> Url {
    match text.parse() {
        Ok(url) => url,
        Err(error) => panic!("{text}: {error}"),
    }
}
