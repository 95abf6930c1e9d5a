//! Whether the daemon still does what it is there for: when a run was due, and when the last one ended.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::serve::Moment;

/// So many pauses may pass after the time of a run before its end is overdue.
const PATIENCE: i32 = 3;

/// The pulse of a daemon.
pub(super) struct Pulse {
    patience: SignedDuration,
    beat: Mutex<Beat>,
}

#[derive(Clone, Copy, Default)]
struct Beat {
    /// When the next run begins, or that under way was due, by the steady clock.
    due: Option<SignedDuration>,
    /// When the last run ended, by the wall clock.
    ended: Option<Timestamp>,
}

impl Pulse {
    /// The pulse of a daemon that rests for `every` between two runs.
    pub(super) fn new(every: SignedDuration) -> Self {
        Self { patience: every.saturating_mul(PATIENCE), beat: Mutex::default() }
    }

    /// The next run begins at `next`; `None` where none will by itself.
    pub(super) fn expect(&self, next: Option<Timestamp>, now: Moment) {
        self.change(|beat| beat.due = next.map(|next| now.steady_at(next)));
    }

    /// A run ended.
    pub(super) fn ended(&self, now: Moment) {
        self.change(|beat| beat.ended = Some(now.wall));
    }

    /// How it is, in a line; an error where a run is overdue.
    pub(super) fn told(&self, now: Moment) -> Result<String, String> {
        let Beat { due, ended } = *self.beat.lock().unwrap_or_else(PoisonError::into_inner);
        let last = match ended {
            Some(time) => format!("the last run ended at {time:.0}"),
            None => "no run has ended yet".to_owned(),
        };
        let late = due.map(|due| now.steady.saturating_sub(due)).filter(|late| *late > self.patience);
        match late {
            Some(late) => Err(format!(
                "overdue: a run was to begin {} s ago and has not ended; {last}\n",
                late.as_secs()
            )),
            None => Ok(format!("ok: {last}\n")),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Beat)) {
        change(&mut self.beat.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many minutes after the begin.
    fn at(minutes: i64) -> Moment {
        let steady = SignedDuration::from_mins(minutes);
        let begin: Timestamp = "2026-11-26T03:00:00.5Z".parse().unwrap();
        Moment { wall: begin.saturating_add(steady).unwrap(), steady }
    }

    #[test]
    fn a_run_that_does_not_end_is_overdue_after_three_pauses() {
        let pulse = Pulse::new(SignedDuration::from_mins(1));
        assert_eq!(pulse.told(at(0)), Ok("ok: no run has ended yet\n".to_owned()));
        pulse.expect(Some(at(1).wall), at(0));
        assert!(pulse.told(at(4)).is_ok(), "it is due for three minutes");
        let told = "overdue: a run was to begin 240 s ago and has not ended; no run has ended yet\n";
        assert_eq!(pulse.told(at(5)), Err(told.to_owned()));
        pulse.ended(at(5));
        pulse.expect(Some(at(6).wall), at(5));
        assert_eq!(pulse.told(at(5)), Ok("ok: the last run ended at 2026-11-26T03:05:00Z\n".to_owned()));
    }

    #[test]
    fn a_daemon_that_waits_for_its_schedule_is_well() {
        let pulse = Pulse::new(SignedDuration::from_mins(1));
        for next in [None, Some(at(9_000).wall), Some(Timestamp::MAX)] {
            pulse.expect(next, at(0));
            assert!(pulse.told(at(8_000)).is_ok(), "{next:?}");
        }
    }
}
