//! The store of images: what the file of a wanted image must be, how it is taken out of its layer, and what the store says
//! of what it has.
//!
//! The store is addressed by content: `blobs/sha256/<hex>` is an image, `images/<key>.json` says under which key it is
//! known. Both appear by a rename, so what is visible is whole and was verified. Nothing here touches a disk.

pub mod conditional;
pub mod expected;
pub mod index;
pub mod offer;
pub mod routes;
pub mod sparse;
mod stop;
mod tar;
mod unacceptable;
pub mod unpack;
pub mod unwanted;

pub use expected::{ExpectedImage, ExpectedLayer};
pub use index::{StoredImage, WantedImages};
pub use unacceptable::UnacceptableImage;
pub use unwanted::UnwantedImages;
