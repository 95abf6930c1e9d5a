//! Lists of values that others keep, one for each Kubernetes version: each is read once, and kept for ever.
//!
//! What stands at the URL of a version does not change, as a release does not; the plan says the digest of what was read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use tokio::sync::OnceCell;

use crate::blob::BlobSource;
use crate::plan::{ListAnswer, Lists, NoList, ValuesFrom, VersionList, WantedLists};
use crate::registry::RegistryError;
use crate::store::Store;

/// The largest list that is read; RKE2's has 3 KB.
const MOST_BYTES: usize = 1 << 20;
/// So many lists are read for one target: a release has images of some ten Kubernetes minors.
const MOST_LISTS: usize = 100;
/// So many are read at once.
const AT_ONCE: usize = 8;

/// How the file at a URL is opened; why it cannot be, where that is no URL.
type Open = Box<dyn Fn(&str) -> Result<Arc<dyn BlobSource>, String> + Send + Sync>;

/// What reads lists, each once.
pub struct ListReader {
    open: Open,
    store: Arc<dyn Store>,
    read: Mutex<BTreeMap<String, Arc<OnceCell<ListAnswer>>>>,
}

impl ListReader {
    /// A reader that opens files in this way, and keeps in `store` what it read.
    pub fn new(
        open: impl Fn(&str) -> Result<Arc<dyn BlobSource>, String> + Send + Sync + 'static,
        store: Arc<dyn Store>,
    ) -> Self {
        Self { open: Box::new(open), store, read: Mutex::default() }
    }

    /// The lists that are wanted; those beyond the hundredth are not asked for.
    pub async fn read_all(&self, wanted: WantedLists) -> Lists {
        let read = |(place, (url, rules)): (usize, (String, Vec<ValuesFrom>))| async move {
            let answer = match place < MOST_LISTS {
                true => self.read(&url, &rules).await,
                false => Err(NoList::Unusable(format!("more than {MOST_LISTS} lists are asked for"))),
            };
            (url, answer)
        };
        let wanted: Vec<_> = wanted.into_iter().enumerate().map(read).collect();
        futures::stream::iter(wanted).buffered(AT_ONCE).collect().await
    }

    async fn read(&self, url: &str, rules: &[ValuesFrom]) -> ListAnswer {
        let cell = {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(read.entry(url.to_owned()).or_default())
        };
        cell.get_or_init(|| self.kept_or_read(url, rules)).await.clone()
    }

    /// A list is kept where it tells what is asked of it: what does not may be put right.
    async fn kept_or_read(&self, url: &str, rules: &[ValuesFrom]) -> ListAnswer {
        let tells = |list: &VersionList| rules.iter().all(|rule| list.value(rule).is_ok());
        let kept = self.store.list(url).await.and_then(|bytes| VersionList::parse(&bytes).ok());
        if let Some(list) = kept.filter(tells) {
            return Ok(Arc::new(list));
        }
        let source = (self.open)(url).map_err(NoList::Unusable)?;
        let bytes = bytes(source.as_ref()).await?;
        let list = VersionList::parse(&bytes).map_err(NoList::Unusable)?;
        if tells(&list) {
            self.store.keep_list(url, &bytes).await;
        }
        Ok(Arc::new(list))
    }
}

/// All bytes of a file.
async fn bytes(source: &dyn BlobSource) -> Result<Vec<u8>, NoList> {
    let nothing = || NoList::Unusable("nothing was answered".to_owned());
    let mut opened = source.open(None).await.map_err(|error| unread(&error))?.ok_or_else(nothing)?;
    let mut bytes = Vec::new();
    while let Some(part) = opened.body.next().await.map_err(|error| unread(&error))? {
        bytes.extend_from_slice(&part);
        if bytes.len() > MOST_BYTES {
            let most = MOST_BYTES >> 20;
            return Err(NoList::Unusable(format!("it is larger than {most} MiB, which no such list is")));
        }
    }
    Ok(bytes)
}

fn unread(error: &RegistryError) -> NoList {
    match error {
        RegistryError::Unavailable { source, .. } => NoList::Unread(source.to_string()),
        RegistryError::NotUnderstood { reason, .. } | RegistryError::Unusable { reason, .. } => {
            NoList::Unusable(reason.clone())
        }
        other => NoList::Unusable(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::store::NoStore;

    #[tokio::test]
    async fn a_hundred_lists_are_read_and_the_rest_is_told() {
        let opened = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&opened);
        let open = move |_: &str| {
            count.fetch_add(1, Ordering::Relaxed);
            Err("no such host".to_owned())
        };
        let wanted = (0..120).map(|n| (format!("https://lists.example/{n}"), Vec::new())).collect();
        let lists = ListReader::new(open, Arc::new(NoStore)).read_all(wanted).await;
        let told = |why: &str| {
            let is_told = |answer: &&ListAnswer| matches!(answer, Err(NoList::Unusable(text)) if text == why);
            lists.values().filter(is_told).count()
        };
        assert_eq!(opened.load(Ordering::Relaxed), 100);
        assert_eq!((told("no such host"), told("more than 100 lists are asked for")), (100, 20));
    }
}
