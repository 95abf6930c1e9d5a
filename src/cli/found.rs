//! Which configuration file is read where none is named.

use std::path::Path;

use super::failure::Failure;
use crate::disk;

/// The names under which a configuration file is found, below the working directory.
pub(super) const NAMES: [&str; 8] = [
    "dibump.yaml",
    "dibump.yml",
    ".dibump.yaml",
    ".dibump.yml",
    ".gitlab/dibump.yaml",
    ".gitlab/dibump.yml",
    ".github/dibump.yaml",
    ".github/dibump.yml",
];

/// The configuration files that are there.
pub(super) fn configurations() -> Vec<&'static str> {
    NAMES.into_iter().filter(|name| disk::exists(Path::new(name))).collect()
}

/// The only configuration file that is there. Of several none is taken: which one is meant cannot be told.
pub(super) fn configuration() -> Result<Option<&'static Path>, Failure> {
    match *configurations() {
        [] => Ok(None),
        [one] => Ok(Some(Path::new(one))),
        ref several => {
            Err(Failure::person(anyhow::anyhow!("several configuration files: {}", several.join(", ")))
                .hint("keep one of them, or name one with --config"))
        }
    }
}

/// The failure of a command that cannot do without a configuration file.
pub(super) fn none() -> Failure {
    let [first, .., last] = NAMES;
    Failure::person(anyhow::anyhow!("configuration file {first} not found (nor {}, …, {last})", NAMES[2]))
        .hint("name another file with --config; `dibump config example` prints one to begin with")
}
