//! Both changes of daylight saving, windows over midnight, and what is refused.

use super::*;

const PARIS: &str = "Europe/Paris";

fn cron(text: &str) -> Times {
    Times::Cron(Box::new(text.parse().unwrap()))
}

fn window(text: &str) -> Times {
    Times::Window(text.parse().unwrap())
}

fn schedule(zone: &str, times: Times) -> Schedule {
    Schedule::new(zone.parse().unwrap(), vec![times], false)
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// How many minutes of a span are open.
fn open_minutes(schedule: &Schedule, from: &str, hours: i64) -> i64 {
    let minute = |count| at(from) + SignedDuration::from_mins(count);
    (0..hours * 60).filter(|count| schedule.is_open(minute(*count))).count() as i64
}

#[test]
fn a_schedule_without_times_is_always_open() {
    let always = Schedule::new(Zone::default(), Vec::new(), false);
    assert!(always.is_open(at("2026-11-26T12:00:00Z")));
    assert_eq!(always.next_opening(at("2026-11-26T12:00:00Z")), Some(at("2026-11-26T12:00:00Z")));
}

#[test]
fn cron_names_minutes_on_the_clocks_of_the_zone() {
    let nights = schedule(PARIS, cron("* 22-23,0-5 * * *"));
    for (time, open) in [
        ("2026-01-15T20:59:59Z", false),
        ("2026-01-15T21:00:00Z", true),
        ("2026-01-16T04:59:59Z", true),
        ("2026-01-16T05:00:00Z", false),
        ("2026-07-15T19:59:59Z", false),
        ("2026-07-15T20:00:00Z", true),
    ] {
        assert_eq!(nights.is_open(at(time)), open, "{time}");
    }
    assert_eq!(nights.next_opening(at("2026-01-15T12:34:56Z")), Some(at("2026-01-15T21:00:00Z")));
    let workdays = schedule("America/New_York", cron("0-29 9 * * mon-fri"));
    assert!(workdays.is_open(at("2026-11-25T14:29:59Z")));
    assert!(!workdays.is_open(at("2026-11-25T14:30:00Z")));
    assert_eq!(workdays.next_opening(at("2026-11-27T14:30:00Z")), Some(at("2026-11-30T14:00:00Z")));
}

#[test]
fn windows_name_parts_of_the_week_and_may_last_beyond_midnight() {
    let nights = schedule("UTC", window("mon-fri 22:00-06:00"));
    for (time, open) in [
        ("2026-11-23T05:59:00Z", false),
        ("2026-11-23T22:00:00Z", true),
        ("2026-11-24T05:59:59Z", true),
        ("2026-11-24T06:00:00Z", false),
        ("2026-11-28T05:59:59Z", true),
        ("2026-11-28T22:00:00Z", false),
    ] {
        assert_eq!(nights.is_open(at(time)), open, "{time}");
    }
    assert_eq!(nights.next_opening(at("2026-11-28T06:00:30Z")), Some(at("2026-11-30T22:00:00Z")));
    assert_eq!(
        open_minutes(&schedule("UTC", window("sat,Sunday")), "2026-11-23T00:00:00Z", 168),
        2 * 24 * 60
    );
    assert_eq!(
        open_minutes(&schedule("UTC", window("fri-mon 12:00-24:00")), "2026-11-23T00:00:00Z", 168),
        4 * 12 * 60
    );
}

#[test]
fn in_spring_an_hour_does_not_come() {
    let night = "2026-03-28T23:00:00Z";
    assert_eq!(open_minutes(&schedule(PARIS, window("01:00-04:00")), night, 23), 120);
    assert_eq!(open_minutes(&schedule(PARIS, cron("* 1-3 * * *")), night, 23), 120);
    assert_eq!(open_minutes(&schedule(PARIS, window("02:00-03:00")), night, 23), 0);
    // A window into which the clocks jump begins when they do.
    let late = schedule(PARIS, window("02:30-04:00"));
    assert_eq!(late.next_opening(at(night)), Some(at("2026-03-29T01:00:00Z")));
    assert!(late.is_open(at("2026-03-29T01:00:00Z")) && !late.is_open(at("2026-03-29T00:59:59Z")));
    // Nobody must miss the night: the minute that does not come falls behind the gap, for whoever asks.
    let once = schedule(PARIS, cron("30 2 * * *"));
    assert_eq!(open_minutes(&once, night, 23), 1);
    let behind = at("2026-03-29T01:00:00Z");
    assert!(once.is_open(behind));
    assert_eq!(once.next_opening(at(night)), Some(behind));
}

#[test]
fn in_autumn_an_hour_comes_twice() {
    let night = "2026-10-24T22:00:00Z";
    assert_eq!(open_minutes(&schedule(PARIS, window("01:00-04:00")), night, 25), 4 * 60);
    assert_eq!(open_minutes(&schedule(PARIS, cron("* 1-3 * * *")), night, 25), 4 * 60);
    assert_eq!(open_minutes(&schedule(PARIS, window("02:00-03:00")), night, 25), 2 * 60);
    let evening = schedule(PARIS, window("22:00-23:00"));
    assert_eq!(evening.next_opening(at("2026-10-24T21:30:00Z")), Some(at("2026-10-25T21:00:00Z")));
}

#[test]
fn a_week_around_each_change_loses_and_doubles_nothing_else() {
    for begin in ["2026-03-26T00:00:00Z", "2026-10-22T00:00:00Z"] {
        for times in ["sat 20:00-23:00", "12:00-13:00"] {
            let schedule = schedule(PARIS, window(times));
            let days = if times.starts_with("sat") { 3 } else { 7 };
            assert_eq!(open_minutes(&schedule, begin, 168), days * 60, "{times} from {begin}");
        }
    }
}

#[test]
fn what_never_comes_or_has_another_form_is_refused() {
    let mut told = String::new();
    for text in ["0 0 31 2 *", "* * * * * *", "0 0 * * * * 2027", "H 4 * * *", "61 * * * *", ""] {
        told += &format!("{}\n", text.parse::<Minutes>().unwrap_err());
    }
    insta::assert_snapshot!(told, @"
    `0 0 31 2 *` never comes
    `* * * * * *` is not a cron expression (expected five fields, as in `* 22-23 * * 1-5`)
    `0 0 * * * * 2027` is not a cron expression (expected five fields, as in `* 22-23 * * 1-5`)
    `H 4 * * *` is not a cron expression (expected five fields, as in `* 22-23 * * 1-5`)
    `61 * * * *` is not a cron expression (expected five fields, as in `* 22-23 * * 1-5`)
    `` is not a cron expression (expected five fields, as in `* 22-23 * * 1-5`)
    ");
    assert!("0 0 29 2 *".parse::<Minutes>().is_ok(), "it comes every four years");
    for text in [
        "",
        "mon 22:00",
        "25:00-26:00",
        "10:60-11:00",
        "10:00-10:00",
        "24:00-01:00",
        "mo 10:00-11:00",
        "mon tue 1",
    ] {
        assert!(text.parse::<Window>().is_err(), "{text}");
    }
    assert!("Europe/Atlantis".parse::<Zone>().is_err());
    assert_eq!("europe/paris".parse::<Zone>().unwrap().to_string(), PARIS);
}
