//! What the daemon runs next. The time is an argument.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::schedule::Schedule;

/// What a run is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
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
pub struct Due {
    /// What it is about.
    pub scope: Scope,
    /// The time that its schedules are held against: when it should have begun. One that was delayed is not lost.
    pub time: Timestamp,
}

/// What is to be run, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Agenda {
    rhythm: Rhythm,
    /// From when on the next run by itself is looked for.
    from: Timestamp,
    wanted: Option<Scope>,
}

impl Agenda {
    /// Begins with a run as soon as one may be.
    pub fn new(rhythm: Rhythm, now: Timestamp) -> Self {
        Self { rhythm, from: now, wanted: None }
    }

    /// Follows another rhythm from now on. What was asked for stays.
    pub fn follow(&mut self, rhythm: Rhythm) {
        self.rhythm = rhythm;
    }

    /// Somebody wants a run. However often, it is one run more.
    pub fn want(&mut self, scope: Scope) {
        self.wanted = Some(match (self.wanted.take(), scope) {
            (None, scope) => scope,
            (Some(Scope::Projects(mut all)), Scope::Projects(more)) => {
                all.extend(more);
                Scope::Projects(all)
            }
            (Some(Scope::All), _) | (Some(_), Scope::All) => Scope::All,
        });
    }

    /// When a run begins next, as far as is known now; `None` if never by itself.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        match self.wanted {
            Some(_) => Some(now),
            None => self.planned(self.from)?.checked_add(self.rhythm.delay).ok(),
        }
    }

    /// The run that begins now, if one does. Those of its own that were missed meanwhile are one.
    pub fn begin(&mut self, now: Timestamp) -> Option<Due> {
        let mut planned = self.planned(self.from).filter(|time| *time + self.rhythm.delay <= now);
        if let Some(first) = planned {
            let mut latest = first;
            while let Some(next) = self.planned(latest + self.rhythm.every).filter(|next| *next <= now) {
                latest = next;
            }
            planned = Some(latest);
            self.from = latest + self.rhythm.every;
        }
        match (planned, self.wanted.take()) {
            (Some(time), _) => Some(Due { scope: Scope::All, time }),
            (None, Some(scope)) => Some(Due { scope, time: now }),
            (None, None) => None,
        }
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

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
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

    fn project(name: &str) -> Scope {
        Scope::Projects(BTreeSet::from([name.to_owned()]))
    }

    /// Every run of a span, in a clock that jumps from one to the next.
    fn runs(agenda: &mut Agenda, from: &str, to: &str) -> Vec<String> {
        let (mut now, mut all) = (at(from), Vec::new());
        while let Some(next) = agenda.next(now).filter(|next| *next < at(to)) {
            now = next;
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
        assert_eq!(agenda.begin(at(now)).unwrap().scope, Scope::All);
        for i in 0..200 {
            agenda.want(project(&format!("group/{}", i % 3)));
        }
        let names = (0..3).map(|i| format!("group/{i}")).collect();
        let due = agenda.begin(at("2026-11-26T12:05:00Z")).unwrap();
        assert_eq!(due, Due { scope: Scope::Projects(names), time: at("2026-11-26T12:05:00Z") });
        assert_eq!(agenda.begin(at("2026-11-26T12:06:00Z")), None);
        assert_eq!(agenda.next(at("2026-11-26T12:06:00Z")), Some(at("2026-11-26T13:00:00Z")));
        agenda.want(project("a"));
        agenda.want(Scope::All);
        agenda.want(project("b"));
        assert_eq!(agenda.begin(at("2026-11-26T12:07:00Z")).unwrap().scope, Scope::All);
    }

    #[test]
    fn a_run_that_was_due_while_another_ran_comes_late_once_and_by_its_own_time() {
        let start = "2026-11-26T03:00:00Z";
        let mut agenda = agenda(hours(1), vec![cron("0 * * * *", "UTC")], start);
        agenda.begin(at(start)).unwrap();
        agenda.want(project("a"));
        let late = agenda.begin(at("2026-11-26T06:20:00Z")).unwrap();
        assert_eq!(late, Due { scope: Scope::All, time: at("2026-11-26T06:00:00Z") });
        assert_eq!(agenda.next(at("2026-11-26T06:30:00Z")), Some(at("2026-11-26T07:00:00Z")));
    }

    #[test]
    fn a_delay_moves_the_begin_and_not_the_schedule() {
        let rhythm = Rhythm {
            every: hours(1),
            schedules: vec![cron("0 4 * * *", "UTC")],
            delay: SignedDuration::from_mins(5),
        };
        let mut agenda = Agenda::new(rhythm, at("2026-11-26T03:00:00Z"));
        assert_eq!(agenda.next(at("2026-11-26T03:00:00Z")), Some(at("2026-11-26T04:05:00Z")));
        assert_eq!(agenda.begin(at("2026-11-26T04:04:59Z")), None);
        assert_eq!(agenda.begin(at("2026-11-26T04:05:00Z")).unwrap().time, at("2026-11-26T04:00:00Z"));
        assert_eq!(agenda.next(at("2026-11-26T04:06:00Z")), Some(at("2026-11-27T04:05:00Z")));
    }

    #[test]
    fn another_rhythm_keeps_what_was_asked_for() {
        let now = "2026-11-26T12:00:00Z";
        let mut agenda = agenda(hours(1), Vec::new(), now);
        assert_eq!(agenda.next(at(now)), None, "there is nothing to run");
        agenda.want(project("a"));
        agenda.follow(Rhythm { every: hours(2), schedules: vec![None], delay: SignedDuration::ZERO });
        assert_eq!(agenda.begin(at(now)).unwrap().scope, Scope::All);
        assert_eq!(agenda.next(at(now)), Some(at("2026-11-26T14:00:00Z")));
    }
}
