//! How many bytes of answers are received at once, whoever asked for them.

use tokio::sync::{Semaphore, SemaphorePermit};

/// As much may be under way in all, in bytes.
const MOST: usize = 64 << 20;

/// An answer up to this size needs no room: how many of them there are is limited per host.
const SMALL: usize = 256 << 10;

/// What is counted.
const UNIT: usize = 1 << 10;

/// The room for answers under way.
#[derive(Debug)]
pub(super) struct Flight(Semaphore);

/// The room of one answer.
#[derive(Debug, Default)]
pub(super) struct Room<'a>(Option<SemaphorePermit<'a>>);

impl Default for Flight {
    fn default() -> Self {
        Self(Semaphore::new(MOST / UNIT))
    }
}

impl Flight {
    /// Waits, where `received` bytes are no small answer any more, until there is room for all that it may become. Room is
    /// taken once: an answer that held some and waited for more could wait for another one that does the same.
    pub(super) async fn hold<'a>(&'a self, room: &mut Room<'a>, received: usize, whole: usize) {
        if received <= SMALL || room.0.is_some() {
            return;
        }
        let units = u32::try_from(whole.min(MOST).div_ceil(UNIT)).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        room.0 = self.0.acquire_many(units).await.ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_large_answer_waits_for_room_and_a_small_one_does_not() {
        use futures::FutureExt as _;
        let flight = Flight::default();
        let (mut first, mut second) = (Room::default(), Room::default());
        flight.hold(&mut first, SMALL + 1, MOST).await;
        assert!(flight.hold(&mut second, SMALL, MOST).now_or_never().is_some());
        assert!(flight.hold(&mut second, SMALL + 1, MOST / 2).now_or_never().is_none());
        drop(first);
        assert!(flight.hold(&mut second, SMALL + 1, MOST / 2).now_or_never().is_some());
        assert!(flight.hold(&mut second, MOST, MOST).now_or_never().is_some(), "it has its room");
    }
}
