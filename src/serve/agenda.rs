//! What the daemon runs next. The time is an argument.
//!
//! A pause is measured by the monotonic clock, and a schedule is held against the wall clock: a clock that is set back or
//! forward neither silences the daemon nor makes it run without rest.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::schedule::Schedule;

/// A moment by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// By the wall clock, which may be set.
    pub wall: Timestamp,
    /// By the monotonic clock: how long the daemon has been running.
    pub steady: SignedDuration,
}

impl Moment {
    /// What the wall clock, as it goes now, shows at a time of the steady clock.
    fn wall_at(self, steady: SignedDuration) -> Timestamp {
        later(self.wall, steady.saturating_sub(self.steady))
    }

    /// What the steady clock says when the wall clock, as it goes now, shows `wall`.
    pub fn steady_at(self, wall: Timestamp) -> SignedDuration {
        self.steady.saturating_add(wall.duration_since(self.wall))
    }
}

/// A time later by a duration; the end of all times where it would be after that.
fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

/// What a run is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunScope {
    /// Every target.
    All,
    /// The targets of these projects.
    Projects(BTreeSet<String>),
}

/// How often the daemon runs by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Rhythm {
    /// How long after the begin of a run the next one begins at the earliest.
    pub every: SignedDuration,
    /// When each target branch may be touched; `None` is always. Nothing runs while none may.
    pub schedules: Vec<Option<Schedule>>,
    /// How long after its time a run begins, so that many daemons do not begin at once.
    pub delay: SignedDuration,
}

/// A run that begins now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRun {
    /// What it is about.
    pub scope: RunScope,
    /// The time that its schedules are held against: when it should have begun. One that was delayed is not lost.
    pub time: Timestamp,
}

/// What is to be run, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Agenda {
    rhythm: Rhythm,
    /// From when on the next run by itself is looked for, by the steady clock.
    from: SignedDuration,
    wanted: Option<RunScope>,
}

impl Agenda {
    /// Begins with a run as soon as one may be.
    pub fn new(rhythm: Rhythm, now: Moment) -> Self {
        Self { rhythm, from: now.steady, wanted: None }
    }

    /// Follows another rhythm from now on. What was asked for stays.
    pub fn follow(&mut self, rhythm: Rhythm) {
        self.rhythm = rhythm;
    }

    /// Somebody wants a run. However often, it is one run more.
    pub fn want(&mut self, scope: RunScope) {
        self.wanted = Some(match (self.wanted.take(), scope) {
            (None, scope) => scope,
            (Some(RunScope::Projects(mut all)), RunScope::Projects(more)) => {
                all.extend(more);
                RunScope::Projects(all)
            }
            (Some(RunScope::All), _) | (Some(_), RunScope::All) => RunScope::All,
        });
    }

    /// When a run begins next, as far as is known now; `None` if never by itself.
    pub fn next(&self, now: Moment) -> Option<Timestamp> {
        match self.wanted {
            Some(_) => Some(now.wall),
            None => Some(later(self.planned(now.wall_at(self.from))?, self.rhythm.delay)),
        }
    }

    /// The run that begins now, if one does. Those of its own that were missed meanwhile are one.
    pub fn begin(&mut self, now: Moment) -> Option<DueRun> {
        let planned = self.planned(now.wall_at(self.from));
        let planned = planned.filter(|time| later(*time, self.rhythm.delay) <= now.wall);
        let planned = planned.map(|first| self.latest(first, now.wall));
        if let Some(time) = planned {
            self.from = now.steady_at(later(time, self.rhythm.every));
        }
        match (planned, self.wanted.take()) {
            (Some(time), _) => Some(DueRun { scope: RunScope::All, time }),
            (None, Some(scope)) => Some(DueRun { scope, time: now.wall }),
            (None, None) => None,
        }
    }

    /// The last of the times from `first` on that have passed.
    fn latest(&self, first: Timestamp, now: Timestamp) -> Timestamp {
        let next =
            |time: &Timestamp| self.planned(later(*time, self.rhythm.every)).filter(|next| *next <= now);
        std::iter::successors(Some(first), next).last().unwrap_or(first)
    }

    /// The first time from `from` on at which a target branch may be touched.
    fn planned(&self, from: Timestamp) -> Option<Timestamp> {
        let opens = |schedule: &Option<Schedule>| match schedule {
            None => Some(from),
            Some(schedule) => schedule.next_opening(from),
        };
        self.rhythm.schedules.iter().filter_map(opens).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Times;

    /// A moment of a clock that is right.
    fn at(text: &str) -> Moment {
        let wall: Timestamp = text.parse().unwrap();
        Moment { wall, steady: wall.duration_since(Timestamp::UNIX_EPOCH) }
    }

    /// A moment at which the wall clock shows something else than it should.
    fn shown(text: &str, really: &str) -> Moment {
        Moment { wall: at(text).wall, ..at(really) }
    }

    fn hours(hours: i64) -> SignedDuration {
        SignedDuration::from_hours(hours)
    }

    fn cron(text: &str, zone: &str) -> Option<Schedule> {
        Some(Schedule::new(zone.parse().unwrap(), vec![Times::Cron(Box::new(text.parse().unwrap()))], false))
    }

    fn agenda(every: SignedDuration, schedules: Vec<Option<Schedule>>, now: &str) -> Agenda {
        Agenda::new(Rhythm { every, schedules, delay: SignedDuration::ZERO }, at(now))
    }

    fn project(name: &str) -> RunScope {
        RunScope::Projects(BTreeSet::from([name.to_owned()]))
    }

    /// Every run of a span, in a clock that jumps from one to the next.
    fn runs(agenda: &mut Agenda, from: &str, to: &str) -> Vec<String> {
        let (mut now, mut all) = (at(from), Vec::new());
        while let Some(next) = agenda.next(now).filter(|next| *next < at(to).wall) {
            now = at(&next.to_string());
            all.push(agenda.begin(now).unwrap().time.to_string());
        }
        all
    }

    #[test]
    fn without_a_schedule_a_run_begins_at_once_and_again_when_its_time_is_over() {
        let mut agenda = agenda(hours(1), vec![None], "2026-11-26T12:30:00Z");
        let runs = runs(&mut agenda, "2026-11-26T12:30:00Z", "2026-11-26T15:00:00Z");
        assert_eq!(runs, ["2026-11-26T12:30:00Z", "2026-11-26T13:30:00Z", "2026-11-26T14:30:00Z"]);
    }

    #[test]
    fn weeks_with_a_change_of_the_clocks_lose_and_double_nothing() {
        for (from, to, nights) in [
            ("2026-03-25T12:00:00Z", "2026-04-01T12:00:00Z", ["02:30:00Z", "01:00:00Z", "00:30:00Z"]),
            ("2026-10-21T12:00:00Z", "2026-10-28T12:00:00Z", ["00:30:00Z", "00:30:00Z", "01:30:00Z"]),
        ] {
            let mut nightly = agenda(hours(2), vec![cron("30 2 * * *", "Europe/Paris")], from);
            let ran = runs(&mut nightly, from, to);
            assert_eq!(ran.len(), 7, "{ran:?}");
            // The Saturday before, the Sunday of the change, the Monday after.
            let seen: Vec<&str> = ran[2..5].iter().map(|time| &time[11..]).collect();
            let expected = if from.contains("-03-") { ["01:30:00Z", nights[1], nights[2]] } else { nights };
            assert_eq!(seen, expected, "{ran:?}");
            let mut hourly = agenda(hours(1), vec![cron("0 * * * *", "Europe/Paris")], from);
            assert_eq!(runs(&mut hourly, from, to).len(), 7 * 24);
        }
    }

    #[test]
    fn two_hundred_wishes_are_one_run_more() {
        let now = "2026-11-26T12:00:00Z";
        let mut agenda = agenda(hours(1), vec![None], now);
        assert_eq!(agenda.begin(at(now)).unwrap().scope, RunScope::All);
        for i in 0..200 {
            agenda.want(project(&format!("group/{}", i % 3)));
        }
        let names = (0..3).map(|i| format!("group/{i}")).collect();
        let due = agenda.begin(at("2026-11-26T12:05:00Z")).unwrap();
        assert_eq!(due, DueRun { scope: RunScope::Projects(names), time: at("2026-11-26T12:05:00Z").wall });
        assert_eq!(agenda.begin(at("2026-11-26T12:06:00Z")), None);
        assert_eq!(agenda.next(at("2026-11-26T12:06:00Z")), Some(at("2026-11-26T13:00:00Z").wall));
        agenda.want(project("a"));
        agenda.want(RunScope::All);
        agenda.want(project("b"));
        assert_eq!(agenda.begin(at("2026-11-26T12:07:00Z")).unwrap().scope, RunScope::All);
    }

    #[test]
    fn a_run_that_was_due_while_another_ran_comes_late_once_and_by_its_own_time() {
        let start = "2026-11-26T03:00:00Z";
        let mut agenda = agenda(hours(1), vec![cron("0 * * * *", "UTC")], start);
        agenda.begin(at(start)).unwrap();
        agenda.want(project("a"));
        let late = agenda.begin(at("2026-11-26T06:20:00Z")).unwrap();
        assert_eq!(late, DueRun { scope: RunScope::All, time: at("2026-11-26T06:00:00Z").wall });
        assert_eq!(agenda.next(at("2026-11-26T06:30:00Z")), Some(at("2026-11-26T07:00:00Z").wall));
    }

    #[test]
    fn a_delay_moves_the_begin_and_not_the_schedule() {
        let rhythm = Rhythm {
            every: hours(1),
            schedules: vec![cron("0 4 * * *", "UTC")],
            delay: SignedDuration::from_mins(5),
        };
        let mut agenda = Agenda::new(rhythm, at("2026-11-26T03:00:00Z"));
        assert_eq!(agenda.next(at("2026-11-26T03:00:00Z")), Some(at("2026-11-26T04:05:00Z").wall));
        assert_eq!(agenda.begin(at("2026-11-26T04:04:59Z")), None);
        assert_eq!(agenda.begin(at("2026-11-26T04:05:00Z")).unwrap().time, at("2026-11-26T04:00:00Z").wall);
        assert_eq!(agenda.next(at("2026-11-26T04:06:00Z")), Some(at("2026-11-27T04:05:00Z").wall));
    }

    #[test]
    fn another_rhythm_keeps_what_was_asked_for() {
        let now = "2026-11-26T12:00:00Z";
        let mut agenda = agenda(hours(1), Vec::new(), now);
        assert_eq!(agenda.next(at(now)), None, "there is nothing to run");
        agenda.want(project("a"));
        agenda.follow(Rhythm { every: hours(2), schedules: vec![None], delay: SignedDuration::ZERO });
        assert_eq!(agenda.begin(at(now)).unwrap().scope, RunScope::All);
        assert_eq!(agenda.next(at(now)), Some(at("2026-11-26T14:00:00Z").wall));
    }

    #[test]
    fn a_clock_that_is_set_back_neither_silences_nor_doubles_an_interval() {
        let start = "2026-11-26T12:00:00Z";
        for (clock, really) in [
            ("2026-11-26T11:30:00Z", "2026-11-26T12:30:00Z"),
            ("2010-01-01T00:00:00Z", "2026-11-26T12:30:00Z"),
            ("2126-11-26T12:30:00Z", "2026-11-26T12:30:00Z"),
        ] {
            let mut agenda = agenda(hours(1), vec![None], start);
            agenda.begin(at(start)).unwrap();
            let moment = shown(clock, really);
            assert_eq!(agenda.begin(moment), None, "half of the hour is over: {clock}");
            let in_half_an_hour = later(moment.wall, SignedDuration::from_mins(30));
            assert_eq!(agenda.next(moment), Some(in_half_an_hour), "{clock}");
            let then = Moment { wall: in_half_an_hour, ..at("2026-11-26T13:00:00Z") };
            assert_eq!(agenda.begin(then).unwrap().time, in_half_an_hour, "{clock}");
        }
    }

    #[test]
    fn a_schedule_is_held_against_the_clock_as_it_was_set() {
        let start = "2026-11-26T03:00:00Z";
        let agenda = agenda(hours(1), vec![cron("30 4 * * *", "UTC")], start);
        for (clock, next) in [
            ("2026-11-26T04:10:00Z", "2026-11-26T04:30:00Z"),
            ("2036-02-03T04:10:00Z", "2036-02-03T04:30:00Z"),
            ("2016-02-03T04:50:00Z", "2016-02-04T04:30:00Z"),
        ] {
            assert_eq!(agenda.next(shown(clock, start)), Some(at(next).wall));
        }
    }

    #[test]
    fn a_pause_longer_than_all_times_is_a_run_on_demand() {
        let start = "2026-11-26T12:00:00Z";
        for every in [hours(99_999_999), SignedDuration::MAX] {
            let mut agenda = agenda(every, vec![None], start);
            agenda.begin(at(start)).unwrap();
            assert_eq!(agenda.begin(at("2126-11-26T12:00:00Z")), None);
            agenda.want(project("a"));
            assert_eq!(agenda.begin(at("2126-11-26T12:00:00Z")).unwrap().scope, project("a"));
        }
    }
}
