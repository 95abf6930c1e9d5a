//! A verdict on an image as the one that was asked for: a genuine signature of another image or release does not count.

use std::collections::BTreeMap;
use std::fmt;

use super::{Rejection, Verdict, Verified};
use crate::release::identity::{Asked, ImageIdentity};
use crate::release::policy::IdentityDemand;

/// What a signed image does not prove of itself. It is shown, and an error only where it is required.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacks {
    /// Whether nothing that was signed says that it has the name that was asked for.
    pub name: bool,
    /// Whether nothing that was signed says that it is of the release that was asked for.
    pub release: bool,
    /// The name under which it was signed, where that is another one.
    pub signed_as: Option<String>,
}

impl Lacks {
    /// Whether there is anything that it does not prove.
    pub fn is_any(&self) -> bool {
        self.name || self.release
    }
}

impl Verdict {
    /// The verdict on the image as what was asked for, by the annotations of the manifest that was verified.
    ///
    /// What could not be checked is refused too where the annotations contradict: no signature would make up for that.
    #[must_use]
    pub fn judged_as(
        self,
        asked: &Asked<'_>,
        annotations: &BTreeMap<String, String>,
        demand: IdentityDemand,
    ) -> Self {
        let identity = ImageIdentity::of(asked, annotations);
        match (self, identity.contradiction()) {
            (Self::Verified(_) | Self::Unknown { .. }, Some(contradiction)) => {
                Self::Bad(vec![Rejection::WrongImage(contradiction.clone())])
            }
            (Self::Verified(verified), None) => verified.proving(asked, &identity, demand),
            (other, _) => other,
        }
    }
}

impl Verified {
    /// Of the release only annotations speak, which are in the signed bytes; of the name, where they are silent, the last
    /// path segment of the signature's own reference: producers sign elsewhere and copy, and mirrors change all before it.
    fn proving(self, asked: &Asked<'_>, identity: &ImageIdentity, demand: IdentityDemand) -> Verdict {
        let signed_as = self.signed_name().filter(|_| !identity.proves_name);
        let proves_name = identity.proves_name || signed_as == Some(asked.name.as_str());
        let signed_as = signed_as.filter(|_| !proves_name).map(Rejection::quoted);
        let lacks = Lacks { name: !proves_name, release: !identity.proves_release, signed_as };
        match demand {
            IdentityDemand::Required if lacks.is_any() => {
                Verdict::Bad(vec![Rejection::Unproven { name: lacks.name }])
            }
            _ => Verdict::Verified(Self { lacks, ..self }),
        }
    }

    /// The last path segment of the reference, without a tag or a digest.
    fn signed_name(&self) -> Option<&str> {
        let name = self.reference()?.rsplit('/').next()?;
        name.split(['@', ':']).next().filter(|name| !name.is_empty())
    }
}

impl fmt::Display for Lacks {
    /// As it follows "signed by key …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.signed_as {
            write!(f, " as {name}")?;
        }
        f.write_str(match (self.name, self.release) {
            (false, false) => "",
            (false, true) => ", release not proven",
            (true, false) => ", name not proven",
            (true, true) => ", name and release not proven",
        })
    }
}

#[cfg(test)]
mod tests;
