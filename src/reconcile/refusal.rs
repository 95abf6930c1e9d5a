//! Why a mapping is left alone as a whole: each refusal says where, and what a person can do.

use super::Listed;
use crate::release::{Version, named};
use crate::values::Position;

/// Why a mapping cannot be reconciled safely.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing would be left of a mapping that lists something.
    #[error(
        "{version} would empty the mapping: none of its {listed} keys has an artifact or a successor there \
         (choose another release, or empty the mapping by hand)"
    )]
    EmptiesTheMapping {
        /// The wanted release.
        version: Version,
        /// How many entries the mapping has.
        listed: usize,
    },
    /// Keys that the wanted release does not publish, and that may be another producer's.
    #[error(
        "{version} does not publish {}, and it is not known to which registry {} (set `registry_key:`, or let the `tag` of \
         the registry in `os_images_oci_registries` refer to the version key)",
        places(.keys),
        if .keys.len() == 1 { "it belongs" } else { "they belong" }
    )]
    KeysOfUnknownRegistry {
        /// The keys.
        keys: Vec<Listed>,
        /// The wanted release.
        version: Version,
    },
    /// A key that is written twice, with different values: only a person knows which one is meant.
    #[error("`{key}` is written twice with different values, first at {first} (remove one of them)")]
    WrittenTwice {
        /// The key.
        key: String,
        /// Where it is written first.
        first: Position,
        /// Where it is written again.
        second: Position,
    },
    /// An entry that would have to go holds an anchor that is used elsewhere.
    #[error("`{key}` has to go, but its anchor is used elsewhere (move the anchor to an entry that stays)")]
    AnchorUsedElsewhere {
        /// The key.
        key: String,
        /// Where it stands.
        at: Position,
    },
}

impl Refusal {
    /// Where, if it is about one place.
    pub fn at(&self) -> Option<Position> {
        match self {
            Self::WrittenTwice { second, .. } => Some(*second),
            Self::AnchorUsedElsewhere { at, .. } => Some(*at),
            Self::EmptiesTheMapping { .. } | Self::KeysOfUnknownRegistry { .. } => None,
        }
    }
}

fn places(keys: &[Listed]) -> String {
    let place = |listed: &Listed| format!("`{}` ({})", listed.key, listed.at);
    named(keys.iter().map(place))
}
