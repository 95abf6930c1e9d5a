//! Why an image is not taken into the store.

use crate::release::{Digest, Size};

/// What is wrong with an artifact, or with the file in it. Its bytes are those of its digest, so that asking again gives the
/// same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnacceptableImage {
    /// An image of one's own whose address cannot be pulled from.
    #[error("its uri is `{0}` (expected oci://registry/path/image:tag, or a URL of http or https)")]
    Source(String),
    /// An image of one's own on a host that may not be asked.
    #[error("its host `{0}` is not allowed; --allow-host {0} allows it")]
    Host(String),
    /// Not exactly one layer.
    #[error("its manifest does not have exactly one layer")]
    Layers,
    /// A digest that nothing can be compared with.
    #[error("the digest of its layer is `{0}` (expected sha256)")]
    LayerDigest(String),
    /// An annotation that is not a number.
    #[error("its {name} is `{text}` (expected a number of bytes)")]
    NotANumber {
        /// The annotation.
        name: &'static str,
        /// What it says.
        text: String,
    },
    /// More than may be stored.
    #[error("it has {}, more than --max-image-size allows ({})", Size(*.size), Size(*.most))]
    TooLarge {
        /// What the image has.
        size: u64,
        /// What it may have.
        most: u64,
    },
    /// A key or a file name that cannot be part of a URL and of a path.
    #[error(
        "{0:?} cannot be the name of a file (expected one path part of letters, digits, `.`, `_`, `+` and `-`)"
    )]
    Name(String),
    /// A name that the server of the images needs itself.
    #[error("its filename `{0}` is reserved by the server of the images")]
    Reserved(String),
    /// An archive was announced, and there is something else.
    #[error("its layer is not a tar archive")]
    NotAnArchive,
    /// A header of the archive that cannot be read.
    #[error("its archive is broken: {0}")]
    BrokenArchive(String),
    /// Something that is not a file.
    #[error("its archive holds {kind} (`{name}`), and only one regular file may be there")]
    NotAFile {
        /// What it is.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A name that leads out of the folder.
    #[error("its archive holds {0:?}, which leads elsewhere")]
    LeadsElsewhere(String),
    /// A second file.
    #[error("its archive holds more than one file: `{first}` and `{second}`")]
    SeveralFiles {
        /// The first one.
        first: String,
        /// The second one.
        second: String,
    },
    /// No file at all.
    #[error("its archive holds no file")]
    NoFile,
    /// A file in the archive that is larger than the image could be.
    #[error("its archive holds a file of {}, more than the image may have ({})", Size(*.size), Size(*.most))]
    FileTooLarge {
        /// What its header says.
        size: u64,
        /// What it may have.
        most: u64,
    },
    /// More beside the file than an archive needs.
    #[error("its archive has more than {} beside the file", Size(*.0))]
    Padding(u64),
    /// Compressed data that cannot be read.
    #[error("it cannot be decompressed: {0}")]
    Corrupt(String),
    /// More bytes than announced.
    #[error("it has more than the {expected} bytes that are announced")]
    Longer {
        /// What was announced, or allowed.
        expected: u64,
    },
    /// Fewer bytes than announced.
    #[error("it has {found} bytes, and not {expected} as announced")]
    Shorter {
        /// What was announced.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// Another image than the annotations promise.
    #[error("its sha256 is {}, and not {} as announced", .found.hex(), .expected.hex())]
    Sha256 {
        /// What was announced.
        expected: Digest,
        /// What there is.
        found: Digest,
    },
    /// Two images for one URL.
    #[error("`{other}` is another image for the same URL /{route}")]
    SameRoute {
        /// The other image.
        other: String,
        /// The URL's path.
        route: String,
    },
}
