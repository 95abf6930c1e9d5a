//! When merge requests may be opened: minutes by cron expressions, or windows of a week, on the clocks of a time zone.
//!
//! The time is an argument. Time zones come with the program, so that a container without them knows daylight saving, too.

mod window;

use std::str::FromStr;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, Zoned};

pub use window::{InvalidWindow, Window};

/// Longer than any window is closed.
const MINUTES_OF_EIGHT_DAYS: i64 = 8 * 24 * 60;

/// When merge requests may be opened, and whether open ones are kept right at other times.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    zone: Zone,
    times: Vec<Times>,
    update_outside: bool,
}

/// Minutes in which a schedule is open.
#[derive(Debug, Clone, PartialEq)]
pub enum Times {
    /// The minutes that a cron expression names.
    Cron(Box<Minutes>),
    /// A part of the week.
    Window(Window),
}

/// A cron expression of five fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Minutes {
    cron: Cron,
    written: String,
}

/// A time zone by its IANA name.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    zone: TimeZone,
    name: String,
}

/// Text that is not a cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCron {
    /// It has another form.
    #[error("`{0}` is not a cron expression (expected five fields, as in `* 22-23 * * 1-5`)")]
    Form(String),
    /// No minute is ever named.
    #[error("`{0}` never comes")]
    Never(String),
}

/// Text that names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time zone (expected an IANA name, as in Europe/Paris)")]
pub struct InvalidZone(pub String);

impl Schedule {
    /// Open in all of these times, and always where there are none.
    pub fn new(zone: Zone, times: Vec<Times>, update_outside: bool) -> Self {
        Self { zone, times, update_outside }
    }

    /// Whether merge requests may be opened now.
    pub fn is_open(&self, now: Timestamp) -> bool {
        let local = now.to_zoned(self.zone.zone.clone());
        self.times.is_empty() || self.times.iter().any(|times| times.include(&local))
    }

    /// When merge requests may be opened next; `now` where they may be. `None` if no time is left.
    pub fn next_opening(&self, now: Timestamp) -> Option<Timestamp> {
        if self.is_open(now) {
            return Some(now);
        }
        self.times.iter().filter_map(|times| times.next(now, &self.zone.zone)).min()
    }

    /// Whether what is open is kept right outside of the schedule.
    pub fn update_outside(&self) -> bool {
        self.update_outside
    }

    /// Its clocks.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Its times.
    pub fn times(&self) -> &[Times] {
        &self.times
    }
}

impl Times {
    /// Of a window, a time that the clocks leave out does not come; a minute of cron comes behind the gap. What the clocks
    /// show twice comes twice.
    fn include(&self, local: &Zoned) -> bool {
        match self {
            Self::Cron(minutes) => minutes.include(local),
            Self::Window(window) => window.includes(local.datetime()),
        }
    }

    fn next(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let minute = |count| now.checked_add(SignedDuration::from_mins(count)).ok();
        let local = minute(1)?.to_zoned(zone.clone());
        match self {
            Self::Cron(minutes) => {
                let next = minutes.cron.find_next_occurrence(&whole_minute(&local)?, true).ok()?;
                // croner puts a time that the clocks leave out behind the gap.
                Some(next.timestamp())
            }
            Self::Window(window) => {
                let starts = (0..MINUTES_OF_EIGHT_DAYS).filter_map(|count| {
                    let local = local.timestamp().checked_add(SignedDuration::from_mins(count)).ok()?;
                    whole_minute(&local.to_zoned(zone.clone()))
                });
                let open = |local: &Zoned| window.includes(local.datetime());
                starts.into_iter().find(open).map(|local| local.timestamp())
            }
        }
    }
}

impl Minutes {
    fn include(&self, local: &Zoned) -> bool {
        let Some(minute) = whole_minute(local) else { return false };
        self.cron.is_time_matching(&minute).unwrap_or(false) || self.comes_behind_a_gap(&minute)
    }

    /// Whether this is the first minute behind a gap of the clocks that holds one of its own: that one is not lost.
    fn comes_behind_a_gap(&self, minute: &Zoned) -> bool {
        let before = minute.timestamp().checked_sub(SignedDuration::from_mins(1));
        let before = before.map(|before| before.to_zoned(minute.time_zone().clone()));
        let next = before.ok().and_then(|before| self.cron.find_next_occurrence(&before, false).ok());
        next.is_some_and(|next| next.timestamp() == minute.timestamp())
    }
}

impl FromStr for Minutes {
    type Err = InvalidCron;

    /// Some day must come for it: croner itself finds out only when it is asked for the next one.
    fn from_str(text: &str) -> Result<Self, InvalidCron> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text.trim()).map_err(|_| InvalidCron::Form(text.to_owned()))?;
        let begin = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        cron.find_next_occurrence(&begin, true).map_err(|_| InvalidCron::Never(text.to_owned()))?;
        Ok(Self { cron, written: text.trim().to_owned() })
    }
}

impl std::fmt::Display for Minutes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.written)
    }
}

impl FromStr for Zone {
    type Err = InvalidZone;

    fn from_str(name: &str) -> Result<Self, InvalidZone> {
        let zone = TimeZoneDatabase::bundled().get(name).map_err(|_| InvalidZone(name.to_owned()))?;
        let name = zone.iana_name().unwrap_or(name).to_owned();
        Ok(Self { zone, name })
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, name: "UTC".to_owned() }
    }
}

impl std::fmt::Display for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

fn whole_minute(local: &Zoned) -> Option<Zoned> {
    local.with().second(0).subsec_nanosecond(0).build().ok()
}

#[cfg(test)]
mod tests;
