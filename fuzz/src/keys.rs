//! Names and versions: what parses prints back as it was.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use dibump::release::facets::{Facets, K8sVersion, Scheme};
use dibump::release::{Digest, ImageKey, Prefix, Version};
use dibump::values::KeyPath;

/// Image keys, their facets, versions, prefixes, digests and paths, from every line of the text.
pub fn key_parsing(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for line in text.lines().chain([text]) {
        image_key(line);
        facets(line);
        prefix(line);
        prints_back::<Version>(line, &[line]);
        prints_back::<Digest>(line, &[line]);
        if let Ok(version) = line.parse::<K8sVersion>() {
            // Names write `-` before a revision, annotations `+`.
            let parts = |text: &str| text.split_once(['+', '-']).map(|(a, b)| (a.to_owned(), b.to_owned()));
            let (written, printed) = (line.strip_prefix('v').unwrap_or(line), version.to_string());
            assert!(
                parts(&printed) == parts(written) && printed.len() == written.len(),
                "{line:?} is {printed:?}"
            );
        }
        if let Ok(path) = line.parse::<KeyPath>() {
            assert_eq!(path.to_string().parse(), Ok(path), "{line:?}");
        }
    }
}

fn image_key(line: &str) {
    prints_back::<ImageKey>(line, &[line]);
    if line.parse::<ImageKey>().is_ok() {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        assert!(line.chars().all(fits), "{line:?}");
    }
}

/// A name of a known scheme is made of its facets, but for the revision that old names carry.
fn facets(line: &str) {
    let Some((facets, scheme)) = Facets::parse_name(line) else { return };
    let version = facets.k8s_version.to_string();
    let version = if scheme == Scheme::DotsPatch { version } else { version.replace('.', "-") };
    let Facets { os, os_release, flavor, k8s_flavor, .. } = &facets;
    let name = format!("{os}-{os_release}-{flavor}-{k8s_flavor}-{version}");
    let rest = line.strip_prefix(&name).unwrap_or_else(|| panic!("{line:?} is read as {name:?}"));
    assert!(rest.is_empty() || rest.starts_with("-rke2r"), "{line:?} is read as {name:?}");
}

fn prefix(line: &str) {
    let bare = line.strip_prefix("oci://").unwrap_or(line).trim_end_matches('/');
    prints_back::<Prefix>(line, &[&format!("oci://{bare}")]);
    if let (Ok(prefix), Ok(key)) = (line.parse::<Prefix>(), "image".parse()) {
        assert_eq!(prefix.repository(&key).to_string(), format!("{bare}/image"));
    }
}

fn prints_back<T: FromStr + Display + Debug + PartialEq>(line: &str, expected: &[&str]) {
    let Ok(value) = line.parse::<T>() else { return };
    let printed = value.to_string();
    assert!(expected.contains(&printed.as_str()), "{line:?} prints as {printed:?}");
    assert!(printed.parse::<T>().is_ok_and(|again| again == value), "{printed:?} is read as something else");
}
