//! Releases for which a person ended a hold.

use std::fmt;
use std::str::FromStr;

use super::{InvalidVersion, Version};

/// A release for which a person ended a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Whose it is; `None` where only one producer of the files has it.
    pub producer: Option<String>,
    /// Its version.
    pub version: Version,
}

/// A version that a person accepted, and that several producers have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is open which release `accept: [{version}]` means: {} have it", producers.join(" and "))]
pub struct AmbiguousAcceptance {
    /// The version.
    pub version: Version,
    /// The producers that have it; two at least.
    pub producers: Vec<String>,
}

impl AmbiguousAcceptance {
    /// What is to be written instead.
    pub fn remedy(&self) -> String {
        let each = self.producers.iter().map(|producer| format!("`{producer}@{}`", self.version));
        format!("name the producer: {}", each.collect::<Vec<_>>().join(" or "))
    }
}

/// Refuses a version without a producer that several of these producers have; each with what is accepted for it.
///
/// # Errors
/// There is such a version.
pub fn must_be_clear<'a, T: Copy>(
    producers: &[(T, &'a [Accepted])],
    has: impl Fn(T, &Version) -> bool,
    name: impl Fn(T) -> &'a str,
) -> Result<(), AmbiguousAcceptance> {
    let bare = |accepted: &&'a Accepted| accepted.producer.is_none();
    let all = producers.iter().flat_map(|(_, accepted)| accepted.iter().filter(bare));
    for version in all.map(|accepted| &accepted.version) {
        let is_meant = |accepted: &[Accepted]| {
            accepted.iter().any(|own| own.producer.is_none() && own.version == *version)
        };
        let holders =
            producers.iter().filter(|(producer, accepted)| is_meant(accepted) && has(*producer, version));
        let names: Vec<String> = holders.map(|(producer, _)| name(*producer).to_owned()).collect();
        if names.len() > 1 {
            return Err(AmbiguousAcceptance { version: version.clone(), producers: names });
        }
    }
    Ok(())
}

impl FromStr for Accepted {
    type Err = InvalidVersion;

    /// `0.4.13`, or `kiwi-imagebuilder@0.1.3`.
    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        match text.split_once('@').filter(|(producer, _)| !producer.is_empty()) {
            Some((producer, version)) => {
                Ok(Self { producer: Some(producer.to_owned()), version: version.parse()? })
            }
            None => Ok(Self { producer: None, version: text.parse()? }),
        }
    }
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.producer.as_ref().map_or(Ok(()), |producer| write!(f, "{producer}@"))?;
        self.version.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_named_with_its_producer_or_without() {
        for text in ["0.4.13", "kiwi-imagebuilder@0.1.3"] {
            assert_eq!(text.parse::<Accepted>().unwrap().to_string(), text);
        }
        for text in ["", "@0.4.13", "kiwi@", "kiwi@latest", "a@b@0.1.3"] {
            assert!(text.parse::<Accepted>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_version_alone_must_be_that_of_one_producer() {
        let accepted = |text: &str| -> Vec<Accepted> {
            text.split_whitespace().map(|text| text.parse().unwrap()).collect()
        };
        let have = |(_, versions): (&str, &str), version: &Version| versions.contains(version.as_str());
        for (both, dib_has, expected) in [
            ("0.4.13", "0.4.13", None),
            ("0.4.13", "0.4.13 0.1.3", None),
            ("0.1.3", "0.4.13 0.1.3", Some("dib@0.1.3")),
            ("dib@0.1.3", "0.4.13 0.1.3", None),
            ("0.4.13 dib@0.1.3", "0.4.13 0.1.3", None),
            ("0.9.9", "0.4.13", None),
        ] {
            let both = accepted(both);
            let producers = [(("dib", dib_has), &both[..]), (("kiwi", "0.1.3"), &both[..])];
            let told = must_be_clear(&producers, have, |(name, _)| name).err().map(|error| error.remedy());
            let named = |expected: &str| told.as_ref().is_some_and(|told| told.contains(expected));
            assert_eq!(told.is_some(), expected.is_some(), "{told:?}");
            assert!(expected.is_none_or(|expected| named(expected) && named("kiwi@0.1.3")), "{told:?}");
        }
    }
}
