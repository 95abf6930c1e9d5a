//! `include:`, `limits:` and `schedule:`, as written and as meant.

use super::meaning::Meaning;
use super::meant::{ConfiguredProducer, Query};
use super::place::FieldPath;
use super::raw::{RawConfig, RawInclude, RawLimits, RawSchedule};
use super::target::is_path_segment;
use crate::run::Limits;
use crate::schedule::{Schedule, Times, Zone};

/// Stands for the project of a target until a query has found it.
pub(super) const ANY_PROJECT: &str = "any/project";

impl Meaning<'_> {
    /// A query for projects; a file of targets is read elsewhere.
    pub(super) fn query(
        &mut self,
        config: &RawConfig,
        raw: &RawInclude,
        producers: Option<&[ConfiguredProducer]>,
        at: &FieldPath,
    ) -> Option<Option<Query>> {
        let (group, pattern) = match (&raw.file, &raw.group, &raw.target) {
            (Some(_), None, None) if raw.topic.is_none() && raw.has.is_none() => return Some(None),
            (None, Some(group), Some(pattern)) => (group, pattern),
            (None, Some(_), None) => {
                self.error(at, "`target` is missing: what is kept in step in each project".to_owned());
                return None;
            }
            _ => {
                let problem = "names either a `file` alone, or a `group` with a `target`";
                self.error(at, problem.to_owned());
                return None;
            }
        };
        let target = self.target(config, &pattern.in_project(ANY_PROJECT), producers, &at.key("target"));
        let group_path = group.trim_matches('/');
        if !group_path.split('/').all(is_path_segment) {
            let problem = format!("invalid group path `{group}`: expected group/subgroup");
            self.error(&at.key("group"), problem);
            return None;
        }
        let has = self.maybe(raw.has.as_ref(), |meaning, path| meaning.path(path, &at.key("has")));
        let (group, topic) = (group_path.to_owned(), raw.topic.clone());
        Some(Some(Query { group, topic, has: has?, target: target? }))
    }

    /// The nearest schedule of those above each other; what is wrong in it is said where it stands.
    pub(super) fn nearest_schedule(&mut self, levels: [Option<&RawSchedule>; 3]) -> Option<Option<Schedule>> {
        let nearest = levels.into_iter().flatten().next();
        self.silently(|meaning| {
            meaning.maybe(nearest, |meaning, raw| meaning.schedule(raw, &FieldPath::default()))
        })
    }

    pub(super) fn schedule(&mut self, raw: &RawSchedule, at: &FieldPath) -> Option<Schedule> {
        let zone = match &raw.timezone {
            Some(name) => self.take(name.parse(), &at.key("timezone")),
            None => Some(Zone::default()),
        };
        let cron = self.each(&raw.cron, &at.key("cron"), |meaning, text, at| meaning.take(text.parse(), at));
        let windows =
            self.each(&raw.windows, &at.key("windows"), |meaning, text, at| meaning.take(text.parse(), at));
        let windows = windows?.into_iter().map(Times::Window);
        let times: Vec<Times> =
            cron?.into_iter().map(|minutes| Times::Cron(Box::new(minutes))).chain(windows).collect();
        if times.is_empty() {
            self.error(at, "names no time (expected `cron` or `windows`)".to_owned());
            return None;
        }
        Some(Schedule::new(zone?, times, raw.update_outside))
    }
}

impl RawSchedule {
    pub(super) fn of(schedule: &Schedule) -> Self {
        let (mut cron, mut windows) = (Vec::new(), Vec::new());
        for times in schedule.times() {
            match times {
                Times::Cron(minutes) => cron.push(minutes.to_string()),
                Times::Window(window) => windows.push(window.to_string()),
            }
        }
        let timezone = Some(schedule.zone().to_string());
        Self { timezone, cron, windows, update_outside: schedule.update_outside() }
    }
}

impl From<&RawLimits> for Limits {
    fn from(raw: &RawLimits) -> Self {
        let size = |limit: Option<u32>| limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        Self { open: size(raw.open), new_per_run: size(raw.new_per_run) }
    }
}

impl RawLimits {
    pub(super) fn of(limits: &Limits) -> Self {
        let number = |limit: Option<usize>| limit.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX));
        Self { open: number(limits.open), new_per_run: number(limits.new_per_run) }
    }
}
