//! Whether the release that the files will name has all its images, as far as anything tells.

use crate::release::data::ReleaseData;
use crate::release::{Coverage, Family, Release, Version, gates};

/// What is known of the images of a release.
#[derive(Debug, Clone)]
pub struct Completeness {
    /// The release.
    pub version: Version,
    /// How much of it is known.
    pub coverage: Coverage,
    /// How many images of it are known.
    pub images: usize,
    /// Its series beside those of the release before; `None` where nothing is known of one, or not all of this one.
    pub series: Option<SeriesCount>,
    /// What it lacks, item by item, whatever the settings say of that.
    pub missing: Vec<String>,
}

/// The series that a release should have, by the release before.
#[derive(Debug, Clone)]
pub struct SeriesCount {
    /// The release before.
    pub previous: Version,
    /// How many of its series are there.
    pub present: usize,
    /// How many should be: a minor that left with every family is no loss.
    pub expected: usize,
}

impl Completeness {
    pub(super) fn of(release: &Release, known: &ReleaseData) -> Self {
        let previous = known.lines_before(&release.version);
        let missing = gates::missing(release, previous.as_ref());
        let series = previous.filter(|_| release.is_complete()).map(|(version, before)| {
            let present = before.intersection(&release.lines()).count();
            let of_families = |family: &Family| before.iter().filter(|line| line.family == *family).count();
            let lost = missing.iter().flat_map(|missing| &missing.families).map(of_families).sum::<usize>();
            let lost = lost + missing.iter().map(|missing| missing.lines.len()).sum::<usize>();
            SeriesCount { previous: version.clone(), present, expected: present + lost }
        });
        Self {
            version: release.version.clone(),
            coverage: release.coverage.clone(),
            images: release.artifacts.len(),
            series,
            missing: missing.map(|missing| missing.items()).unwrap_or_default(),
        }
    }

    /// Whether nothing is known to be missing.
    pub fn is_complete(&self) -> bool {
        self.coverage == Coverage::Complete && self.missing.is_empty()
    }

    /// What could not be told, in a sentence.
    pub fn doubt(&self) -> Option<String> {
        match &self.coverage {
            Coverage::Complete => None,
            Coverage::Partial { reason } | Coverage::Unknown { reason } => {
                Some(format!("not checked: whether {} has more artifacts: {reason}", self.version))
            }
        }
    }
}
