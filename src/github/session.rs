//! What all repositories of one run share: the distance between writes, and the tokens of App installations.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::http::BoundSecret;

/// GitHub asks for no parallel writes and for a second between two of them
/// (<https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api>).
const PACE: Duration = Duration::from_secs(1);

/// Clones share it.
#[derive(Debug, Clone)]
pub struct Pacing {
    pace: Duration,
    /// Made by the first write, because it needs a clock that runs.
    writes: Arc<Mutex<Option<Interval>>>,
    /// By App and owner.
    tokens: Arc<Mutex<HashMap<(String, String), InstallationToken>>>,
}

/// The token of an App's installation, and when it ends in seconds since 1970.
#[derive(Debug, Clone)]
pub(super) struct InstallationToken {
    pub(super) secret: BoundSecret,
    pub(super) expires: u64,
}

/// Nobody else writes while it is held.
pub(super) struct Turn {
    _guard: OwnedMutexGuard<Option<Interval>>,
}

impl Pacing {
    /// A session whose writes are `pace` apart.
    pub fn with_pace(pace: Duration) -> Self {
        Self { pace, writes: Arc::default(), tokens: Arc::default() }
    }

    /// Waits until it is our turn to write.
    pub(super) async fn turn(&self) -> Turn {
        let mut guard = Arc::clone(&self.writes).lock_owned().await;
        if !self.pace.is_zero() {
            let next = guard.get_or_insert_with(|| every(self.pace));
            next.tick().await;
        }
        Turn { _guard: guard }
    }

    pub(super) fn tokens(&self) -> &Mutex<HashMap<(String, String), InstallationToken>> {
        &self.tokens
    }
}

impl Default for Pacing {
    fn default() -> Self {
        Self::with_pace(PACE)
    }
}

fn every(pace: Duration) -> Interval {
    let mut interval = interval(pace);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
