//! A part of the week: `mon-fri 22:00-06:00`, `sat,sun`, `12:00-13:00`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{DateTime, Weekday};

/// The days of the week as they are written; longer names begin alike.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const MINUTES_OF_A_DAY: u16 = 24 * 60;

/// Days of the week and a time of day. One that ends before it begins lasts beyond midnight, and belongs to the day on
/// which it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// From Monday on.
    days: [bool; 7],
    from: u16,
    to: u16,
    written: String,
}

/// Text that is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a window ({reason}; expected days, a time of day or both, as in `mon-fri 22:00-06:00`)"
)]
pub struct InvalidWindow {
    text: String,
    reason: String,
}

impl Window {
    pub(super) fn includes(&self, local: DateTime) -> bool {
        let minute = local.hour() as u16 * 60 + local.minute() as u16;
        let began_on = |day: Weekday| self.days[day.to_monday_zero_offset() as usize];
        let (today, yesterday) = (began_on(local.weekday()), began_on(local.weekday().previous()));
        match self.from < self.to {
            true => today && (self.from..self.to).contains(&minute),
            false => (today && minute >= self.from) || (yesterday && minute < self.to),
        }
    }
}

impl FromStr for Window {
    type Err = InvalidWindow;

    fn from_str(text: &str) -> Result<Self, InvalidWindow> {
        let window = || {
            let words: Vec<&str> = text.split_whitespace().collect();
            let (days, time) = match words[..] {
                [word] if word.contains(':') => (None, Some(word)),
                [word] => (Some(word), None),
                [days, time] => (Some(days), Some(time)),
                _ => return Err("it has too few or too many words".to_owned()),
            };
            let days = days.map_or(Ok([true; 7]), read_days)?;
            let (from, to) = time.map_or(Ok((0, MINUTES_OF_A_DAY)), read_times)?;
            Ok((days, from, to))
        };
        let (days, from, to) = window().map_err(|reason| InvalidWindow { text: text.to_owned(), reason })?;
        Ok(Self { days, from, to, written: text.trim().to_owned() })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// `mon-fri,sun`; a range may go over Sunday.
fn read_days(text: &str) -> Result<[bool; 7], String> {
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let length = (last + 7 - first) % 7;
        (0..=length).for_each(|offset| days[(first + offset) % 7] = true);
    }
    Ok(days)
}

fn day(text: &str) -> Result<usize, String> {
    let name = text.to_lowercase();
    let full = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let fits = |(short, full): (&&str, &str)| name == **short || name == full;
    DAYS.iter().zip(full).position(fits).ok_or_else(|| format!("`{text}` is not a day of the week"))
}

/// `22:00-06:00`
fn read_times(text: &str) -> Result<(u16, u16), String> {
    let (from, to) = text.split_once('-').ok_or_else(|| format!("`{text}` has no end"))?;
    let (from, to) = (minute(from)?, minute(to)?);
    match from {
        MINUTES_OF_A_DAY => Err("24:00 is the end of a day".to_owned()),
        _ if from == to => Err(format!("`{text}` is empty")),
        _ => Ok((from, to)),
    }
}

fn minute(text: &str) -> Result<u16, String> {
    let two = |text: &str| text.parse::<u16>().ok().filter(|_| text.len() == 2);
    let parts = text.split_once(':').and_then(|(hour, minute)| Some((two(hour)?, two(minute)?)));
    let minute = parts.filter(|(_, minute)| *minute < 60).map(|(hour, minute)| hour * 60 + minute);
    minute
        .filter(|minute| *minute <= MINUTES_OF_A_DAY)
        .ok_or_else(|| format!("`{text}` is not a time of day"))
}
