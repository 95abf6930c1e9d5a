//! The bytes of a layer, fetched in as many requests as it takes.

use bytes::Bytes;
use tokio::sync::mpsc::Sender;

use super::PullJob;
use super::tries::Tries;
use crate::blob::{BlobBody, ResumePoint};
use crate::ending::{Ending, Ends as _, sentence};
use crate::registry::RegistryError;

/// So many parts wait to be decoded; one has at most some hundred kilobytes.
pub(super) const PARTS: usize = 16;

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
    /// Hands on the bytes of the layer from its beginning. A connection that is cut is made again where it was.
    pub(super) async fn feed(&self, tries: &mut Tries, to: Sender<Bytes>) -> Result<Fed, RegistryError> {
        let job = self.job;
        let (mut at, mut validator) = (0, None);
        loop {
            let resume = (at > 0).then(|| ResumePoint { from: at, validator: validator.clone() });
            let poured = match job.source.open(resume.as_ref()).await {
                Ok(None) => return Ok(Fed::Part),
                Ok(Some(mut blob)) => {
                    validator = blob.validator;
                    self.pour(&mut *blob.body, &mut at, tries, &to).await
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

    /// Hands on one body, and at most one byte more than the layer has.
    async fn pour(
        &self,
        body: &mut dyn BlobBody,
        at: &mut u64,
        tries: &mut Tries,
        to: &Sender<Bytes>,
    ) -> Poured {
        let whole = self.job.expected.most_received();
        while *at <= whole {
            let part = match body.next().await {
                Ok(Some(part)) => part,
                Ok(None) => return Poured::End,
                Err(error) => return Poured::Cut(error),
            };
            let room = usize::try_from((whole - *at).saturating_add(1)).unwrap_or(usize::MAX);
            let part = part.slice(..part.len().min(room));
            *at += part.len() as u64;
            tries.reached(*at);
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
