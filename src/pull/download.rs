//! The bytes of a layer, fetched in as many requests as it takes.

use bytes::Bytes;
use tokio::sync::mpsc::Sender;

use super::PullJob;
use super::tries::Tries;
use crate::blob::{BlobBody, ResumePoint};
use crate::ending::{Ending, Ends as _, sentence};
use crate::image_folder::LayerSpool;
use crate::registry::RegistryError;

/// So many parts wait to be decoded; one has at most some hundred kilobytes.
pub(super) const PARTS: usize = 16;

/// So much of what is kept is read at once.
const REPLAYED_AT_ONCE: usize = 256 << 10;

/// A layer on its way.
pub(super) struct Download<'a> {
    pub(super) job: &'a PullJob,
}

/// What was handed on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fed {
    /// As many bytes as the layer has, or all that somebody wanted.
    All,
    /// Something that cannot be gone on with.
    Part,
}

/// How a body ended.
enum Poured {
    End,
    Cut(RegistryError),
    /// Nobody takes more.
    Unwanted,
}

impl Download<'_> {
    /// Hands on the bytes of the layer from its beginning, what is kept of it first. A connection that is cut is made again
    /// where it was.
    pub(super) async fn feed(
        &self,
        tries: &mut Tries,
        spool: &mut Option<Box<dyn LayerSpool>>,
        to: Sender<Bytes>,
    ) -> Result<Fed, RegistryError> {
        let job = self.job;
        let mut at = self.replay(spool, &to).await;
        let mut validator = spool.as_ref().and_then(|spool| spool.validator()).filter(|_| at > 0);
        if job.expected.layer.as_ref().is_some_and(|layer| at >= layer.size) {
            return Ok(Fed::All);
        }
        loop {
            let resume = (at > 0).then(|| ResumePoint { from: at, validator: validator.clone() });
            let poured = match job.source.open(resume.as_ref()).await {
                Ok(None) => return Ok(Fed::Part),
                Ok(Some(mut blob)) => {
                    validator = blob.validator;
                    let mut pouring = Pouring { at: &mut at, tries, spool, validator: validator.as_deref() };
                    self.pour(&mut *blob.body, &mut pouring, &to).await
                }
                Err(error) => Poured::Cut(error),
            };
            let cut = match poured {
                Poured::Unwanted => return Ok(Fed::All),
                _ if job.expected.layer.as_ref().is_some_and(|layer| at >= layer.size) => {
                    return Ok(Fed::All);
                }
                Poured::End => match &job.expected.layer {
                    Some(layer) => self.short(at, layer.size),
                    // A server that says how long it is was held to that.
                    None => return Ok(Fed::All),
                },
                Poured::Cut(error) if error.ending() != Ending::Unknown => return Err(error),
                Poured::Cut(error) => error,
            };
            if !tries.again().await {
                return Err(cut);
            }
            tracing::debug!("{}; the download goes on at byte {at}", sentence(&cut));
        }
    }

    /// Hands on what is kept, and gives how many bytes that is.
    async fn replay(&self, spool: &mut Option<Box<dyn LayerSpool>>, to: &Sender<Bytes>) -> u64 {
        let Some(kept) = spool.as_mut() else { return 0 };
        let (received, mut at) = (kept.received().min(self.job.expected.most_received()), 0);
        while at < received {
            let mut part = vec![0; REPLAYED_AT_ONCE];
            let read = tokio::task::block_in_place(|| kept.read(&mut part));
            let read = match read {
                Ok(read) if read > 0 => read,
                // What follows is not kept: the place in the file would be another one.
                _ => {
                    *spool = None;
                    return at;
                }
            };
            part.truncate(read);
            at += read as u64;
            if to.send(part.into()).await.is_err() {
                break;
            }
        }
        at
    }

    /// Hands on one body, and at most one byte more than the layer has.
    async fn pour(&self, body: &mut dyn BlobBody, pouring: &mut Pouring<'_>, to: &Sender<Bytes>) -> Poured {
        let whole = self.job.expected.most_received();
        while *pouring.at <= whole {
            let part = match body.next().await {
                Ok(Some(part)) => part,
                Ok(None) => return Poured::End,
                Err(error) => return Poured::Cut(error),
            };
            let room = usize::try_from((whole - *pouring.at).saturating_add(1)).unwrap_or(usize::MAX);
            let part = part.slice(..part.len().min(room));
            pouring.keep(&part);
            *pouring.at += part.len() as u64;
            pouring.tries.reached(*pouring.at);
            if to.send(part).await.is_err() {
                return Poured::Unwanted;
            }
        }
        Poured::End
    }

    fn short(&self, at: u64, whole: u64) -> RegistryError {
        RegistryError::Invalid {
            subject: self.job.uri.clone(),
            reason: format!("it ended after {at} of {whole} bytes"),
        }
    }
}

/// How far a download is, and where its bytes are kept.
struct Pouring<'a> {
    at: &'a mut u64,
    tries: &'a mut Tries,
    spool: &'a mut Option<Box<dyn LayerSpool>>,
    validator: Option<&'a str>,
}

impl Pouring<'_> {
    /// Keeps a part. Where that fails, the download goes on without.
    fn keep(&mut self, part: &[u8]) {
        let Some(spool) = self.spool.as_mut() else { return };
        if let Err(error) = tokio::task::block_in_place(|| spool.append(part, self.validator)) {
            tracing::warn!(%error, "what is received cannot be kept");
            // It would have a gap.
            if let Err(error) = spool.discard() {
                tracing::warn!(%error, "what was received cannot be removed");
            }
            *self.spool = None;
        }
    }
}
