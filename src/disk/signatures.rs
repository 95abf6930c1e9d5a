//! Signatures as they are kept on disk: bytes in base64, to be verified again by whoever reads them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::release::Digest;
use crate::signature::{Evidence, Layout};

/// What was found beside one image.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeptSignatures(Vec<KeptEvidence>);

#[derive(Debug, Serialize, Deserialize)]
struct KeptEvidence {
    layout: KeptLayout,
    manifest: String,
    blobs: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KeptLayout {
    Classic,
    Bundle,
}

impl KeptSignatures {
    pub(super) fn of(evidence: &[Evidence]) -> Self {
        let kept = |evidence: &Evidence| KeptEvidence {
            layout: match evidence.layout {
                Layout::Classic => KeptLayout::Classic,
                Layout::Bundle => KeptLayout::Bundle,
            },
            manifest: STANDARD.encode(&evidence.manifest),
            blobs: evidence
                .blobs
                .iter()
                .map(|(digest, blob)| (digest.to_string(), STANDARD.encode(blob)))
                .collect(),
        };
        Self(evidence.iter().map(kept).collect())
    }

    /// What was kept; `None` if the file is not what this wrote.
    pub(super) fn evidence(self) -> Option<Vec<Evidence>> {
        self.0.into_iter().map(KeptEvidence::evidence).collect()
    }
}

impl KeptEvidence {
    fn evidence(self) -> Option<Evidence> {
        let blob = |(digest, blob): (String, String)| {
            Some((digest.parse::<Digest>().ok()?, STANDARD.decode(blob).ok()?))
        };
        Some(Evidence {
            layout: match self.layout {
                KeptLayout::Classic => Layout::Classic,
                KeptLayout::Bundle => Layout::Bundle,
            },
            manifest: STANDARD.decode(self.manifest).ok()?,
            blobs: self.blobs.into_iter().map(blob).collect::<Option<_>>()?,
        })
    }
}
