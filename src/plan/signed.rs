//! The signatures of the images that a plan lists, as far as they were checked.

use std::collections::{BTreeMap, BTreeSet};

use crate::release::{Digest, ImageKey};
use crate::signature::Verdict;

/// What is known of the signatures of images, by the digest of the image.
pub type Signatures = BTreeMap<Digest, Verdict>;

/// Nothing could be told of these images, for this reason.
pub fn unknown(images: &[(ImageKey, Digest)], reason: &str) -> Signatures {
    let unknown = || Verdict::Unknown { reason: reason.to_owned() };
    images.iter().map(|(_, digest)| (digest.clone(), unknown())).collect()
}

/// What is to be said of the signatures of the images that a plan lists.
#[derive(Debug, Clone)]
pub enum Signed {
    /// They were not asked for, for this reason where somebody might expect it.
    NotAsked(Option<String>),
    /// They were.
    Checked(Checked),
}

/// The signatures of the images that a plan lists.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What became of each image.
    pub verdicts: BTreeMap<ImageKey, Verdict>,
}

impl Signed {
    /// What was checked.
    pub fn checked(&self) -> Option<&Checked> {
        match self {
            Self::Checked(checked) => Some(checked),
            Self::NotAsked(_) => None,
        }
    }

    /// What a reader should know, in a sentence.
    pub fn sentence(&self) -> Option<String> {
        match self {
            Self::Checked(checked) => Some(checked.sentence()),
            Self::NotAsked(reason) => reason.as_ref().map(|reason| format!("not checked, {reason}")),
        }
    }
}

impl Checked {
    /// The images that are not verified, worst first.
    pub fn faults(&self) -> Vec<(&ImageKey, &Verdict)> {
        let mut faults: Vec<_> = self.verdicts.iter().filter(|(_, verdict)| !verdict.is_verified()).collect();
        faults.sort_by_key(|(_, verdict)| match verdict {
            Verdict::Bad(_) => 0,
            Verdict::Unsigned => 1,
            Verdict::Unknown { .. } | Verdict::Verified(_) => 2,
        });
        faults
    }

    /// How many images are signed, and by whom.
    fn sentence(&self) -> String {
        let signers: BTreeSet<String> = self
            .verdicts
            .values()
            .filter_map(|verdict| match verdict {
                Verdict::Verified(verified) => Some(verified.key().short()),
                _ => None,
            })
            .collect();
        let (count, signed) = (self.verdicts.len(), self.verdicts.len() - self.faults().len());
        match signers.into_iter().collect::<Vec<_>>().join(" and ") {
            by if by.is_empty() => format!("none of {count} images is signed as expected"),
            by => format!("{signed} of {count} images are signed, by key {by}{}", self.unproven()),
        }
    }

    /// Of how many signed images name or release is not proven.
    fn unproven(&self) -> String {
        let lacks = || self.verdicts.values().filter_map(Verdict::lacks);
        let counts = [
            ("release", lacks().filter(|lacks| lacks.release).count()),
            ("name", lacks().filter(|lacks| lacks.name).count()),
        ];
        let told = counts.into_iter().filter(|(_, count)| *count > 0);
        told.map(|(what, count)| format!("; {what} of {count} not proven")).collect()
    }
}
