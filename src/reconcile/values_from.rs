//! Values that follow the Kubernetes versions of images by a list that somebody else keeps: the versions of the charts that
//! RKE2 ships, in `units.calico.helm_chart_versions`.
//!
//! Pure. A [`ValuesFrom`] says at which URL the list of a Kubernetes version is, which item of it and which of its fields is
//! meant ([`list`]), and in which map of the files it belongs ([`map`]). Only the entries of versions that an update brings
//! change; in doubt an entry stays and is told.

pub mod list;
pub mod map;
mod range;
mod rule;

pub use list::{ListAnswer, NoList, VersionList};
pub use map::{FollowedMap, ListedValue, MapError, SetValue, VersionMap};
pub use rule::{InvalidListUrl, ListUrl, PLACEHOLDER, ValuesFrom};

#[cfg(test)]
mod tests;
