//! The layer of an artifact, as its manifest describes it.

/// A blob that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageLayer {
    /// Its digest as the manifest writes it: whoever reads the blob demands one that can be compared.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type.
    pub media_type: String,
}
