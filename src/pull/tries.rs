//! How often a download is begun again.

use std::time::Duration;

/// Tries are counted anew whenever a download gets further than it ever was: what is fetched again is no progress, so that
/// a way that spoils every download is not tried for ever.
#[derive(Debug)]
pub(super) struct Tries {
    most: u32,
    backoff: Duration,
    furthest: u64,
    /// Tries since it last got further.
    failed: u32,
}

impl Tries {
    pub(super) fn new(most: u32, backoff: Duration) -> Self {
        Self { most, backoff, furthest: 0, failed: 0 }
    }

    /// So many bytes are there.
    pub(super) fn reached(&mut self, bytes: u64) {
        if bytes > self.furthest {
            (self.furthest, self.failed) = (bytes, 0);
        }
    }

    /// Whether there is another try, at once.
    pub(super) fn at_once(&mut self) -> bool {
        self.failed += 1;
        self.failed < self.most
    }

    /// Whether there is another try, and waits until it is due. The first one after progress is due at once.
    pub(super) async fn again(&mut self) -> bool {
        if !self.at_once() {
            return false;
        }
        if let Some(doubled) = self.failed.checked_sub(2) {
            tokio::time::sleep(self.backoff.saturating_mul(1 << doubled.min(16))).await;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_progress_gives_more_tries() {
        let mut tries = Tries::new(3, Duration::ZERO);
        for bytes in [5, 6] {
            tries.reached(bytes);
            assert!(tries.again().await && tries.again().await, "after {bytes}");
        }
        for bytes in [1, 6] {
            tries.reached(bytes);
        }
        assert!(!tries.again().await, "the same bytes again are not progress");
    }
}
