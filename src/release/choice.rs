//! Which release is proposed: a question that is answered step by step, because reading a release costs requests.
//!
//! [`next_wanted`] is asked again after each reading, until it has decided. It reads nothing itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;

use super::policy::{Exclusion, Policy, Step, UnknownAge};
use super::{Coverage, Line, Release, Version};

/// A version that might be a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The version.
    pub version: Version,
    /// When the producer announced it, where a source says so.
    pub released_at: Option<Timestamp>,
}

/// What a target asks of the releases.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The update policy.
    pub policy: &'a Policy,
    /// The release that the file names.
    pub current: Option<&'a Version>,
    /// A person's own choice, which overrides the policy.
    pub to: Option<&'a Version>,
    /// The lines that the file lists, for `step: line`.
    pub listed: &'a BTreeSet<Line>,
    /// The time of asking.
    pub now: Timestamp,
}

/// What is known of a producer's releases at one moment.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Every version that might be a release.
    pub candidates: BTreeMap<Version, Candidate>,
    /// The releases whose artifacts were read.
    pub releases: BTreeMap<Version, Release>,
}

/// Why an admitted release is not proposed now. A later run may propose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// No artifact carries the version (yet).
    Empty,
    /// It is younger than the minimum age.
    Age {
        /// When it will be old enough.
        until: Timestamp,
    },
    /// A minimum age is set, and nothing says how old it is.
    AgeUnknown,
    /// It lacks every listed line of a listed family.
    Line {
        /// The family.
        family: super::Family,
    },
}

/// What became of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is proposed.
    Proposed,
    /// It is proposed because a person said so, against this rule.
    Forced(Exclusion),
    /// It could be proposed, but a newer one is.
    Superseded,
    /// The policy excludes it.
    Excluded(Exclusion),
    /// It is held.
    Held(Hold),
    /// It could not be read; nothing older is proposed in its place.
    Unknown(String),
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// What became of each version, newest first.
    pub verdicts: Vec<(Version, Verdict)>,
    /// The release to go to. It is the file's own when there is nothing newer: its keys may still be wrong.
    pub proposed: Option<Version>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Read the artifacts of these releases and ask again.
    Read(Vec<Version>),
    /// Decided.
    Decided(Choice),
}

/// Says which releases must be read before the question can be answered, or answers it.
pub fn next_wanted(question: &Question<'_>, known: &Known) -> Next {
    let mut unread: Vec<Version> =
        question.current.filter(|v| !known.releases.contains_key(v)).cloned().into_iter().collect();
    let choice = match question.to {
        Some(to) => forced(question, known, to, &mut unread),
        None => newest_first(question, known, &mut unread),
    };
    if unread.is_empty() { Next::Decided(choice) } else { Next::Read(unread) }
}

/// A person's choice: the policy is overridden, and the verdict says which rule.
fn forced(question: &Question<'_>, known: &Known, to: &Version, unread: &mut Vec<Version>) -> Choice {
    let verdict = match known.releases.get(to) {
        None => {
            if !unread.contains(to) {
                unread.push(to.clone());
            }
            Verdict::Proposed
        }
        Some(release) => match (&release.coverage, question.policy.admits(to, question.current)) {
            (Coverage::Unknown { reason }, _) => Verdict::Unknown(reason.clone()),
            (Coverage::Complete, _) if release.artifacts.is_empty() => Verdict::Held(Hold::Empty),
            (_, Err(Exclusion::Current) | Ok(())) => Verdict::Proposed,
            (_, Err(exclusion)) => Verdict::Forced(exclusion),
        },
    };
    let proposed = matches!(verdict, Verdict::Proposed | Verdict::Forced(_)).then(|| to.clone());
    Choice { verdicts: vec![(to.clone(), verdict)], proposed }
}

/// The newest admitted release that nothing holds; reading stops at the first that is proposed or unknown.
fn newest_first(question: &Question<'_>, known: &Known, unread: &mut Vec<Version>) -> Choice {
    let mut verdicts = Vec::new();
    let mut settled = false;
    let mut proposed = None;
    for candidate in known.candidates.values().rev() {
        let version = &candidate.version;
        let verdict = match question.policy.admits(version, question.current) {
            Err(exclusion) => Verdict::Excluded(exclusion),
            Ok(()) if settled => Verdict::Superseded,
            Ok(()) => match known.releases.get(version) {
                None => {
                    unread.push(version.clone());
                    settled = true;
                    Verdict::Superseded
                }
                Some(release) => judge(question, candidate, release),
            },
        };
        if verdict == Verdict::Proposed {
            proposed = Some(version.clone());
        }
        settled |= matches!(verdict, Verdict::Proposed | Verdict::Unknown(_));
        verdicts.push((version.clone(), verdict));
    }
    // With nothing newer the file's own release is the wanted one: its keys may be wrong.
    let unknown = verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Unknown(_)));
    let proposed = proposed.or_else(|| question.current.filter(|_| !unknown).cloned());
    Choice { verdicts, proposed }
}

fn judge(question: &Question<'_>, candidate: &Candidate, release: &Release) -> Verdict {
    if let Coverage::Unknown { reason } = &release.coverage {
        return Verdict::Unknown(reason.clone());
    }
    if release.artifacts.is_empty() {
        return Verdict::Held(Hold::Empty);
    }
    if question.policy.accept.contains(&candidate.version) {
        return Verdict::Proposed;
    }
    match age(question, candidate, release).or_else(|| missing_line(question, release)) {
        Some(hold) => Verdict::Held(hold),
        None => Verdict::Proposed,
    }
}

/// Age counts from the newest date that anything gives: the manifests, or the announcement.
fn age(question: &Question<'_>, candidate: &Candidate, release: &Release) -> Option<Hold> {
    let minimum = question.policy.minimum_age?;
    let dates = release.artifacts.values().filter_map(|artifact| artifact.created);
    match dates.chain(candidate.released_at).max() {
        Some(date) => {
            let until = date.checked_add(minimum).unwrap_or(Timestamp::MAX);
            (until > question.now).then_some(Hold::Age { until })
        }
        None => (question.policy.unknown_age == UnknownAge::Hold).then_some(Hold::AgeUnknown),
    }
}

/// With `step: line`, a release must still publish a listed line of every listed family.
fn missing_line(question: &Question<'_>, release: &Release) -> Option<Hold> {
    if question.policy.step == Step::Newest {
        return None;
    }
    let lines = release.lines();
    let families: BTreeSet<_> = question.listed.iter().map(|line| &line.family).collect();
    let kept = |family: &super::Family| {
        question.listed.iter().any(|line| &line.family == family && lines.contains(line))
    };
    families.into_iter().find(|family| !kept(family)).map(|family| Hold::Line { family: family.clone() })
}

impl Hold {
    /// The gate's name, as it stands in the outcome `held(<gate>)`.
    pub fn gate(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Age { .. } => "age",
            Self::AgeUnknown => "age-unknown",
            Self::Line { .. } => "line",
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no artifact carries it"),
            Self::Age { until } => write!(f, "too young until {}", until.strftime("%Y-%m-%d %H:%M UTC")),
            Self::AgeUnknown => f.write_str("its age is not known (set `unknown_age: allow`, or accept it)"),
            Self::Line { family } => write!(f, "it has no listed line of {family} left"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proposed => f.write_str("proposed"),
            Self::Forced(exclusion) => write!(f, "proposed as asked, although {exclusion}"),
            Self::Superseded => f.write_str("superseded by a newer one"),
            Self::Excluded(exclusion) => exclusion.fmt(f),
            Self::Held(hold) => write!(f, "held: {hold}"),
            Self::Unknown(reason) => write!(f, "unknown: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::{Artifact, Naming};

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn release(version: &str, names: &[&str]) -> Release {
        let artifact = |name: &&str| Artifact::named(name.parse().unwrap(), &Naming::default());
        Release::complete(v(version), names.iter().map(artifact))
    }

    /// Asks until decided; returns what was read in order, and the table.
    fn ask(policy: &Policy, current: &str, to: Option<&str>, world: &[Release]) -> (Vec<String>, String) {
        let listed = world.iter().find(|r| r.version == v(current)).map(Release::lines).unwrap_or_default();
        let (current, to) = (v(current), to.map(v));
        let question = Question {
            policy,
            current: Some(&current),
            to: to.as_ref(),
            listed: &listed,
            now: Timestamp::UNIX_EPOCH,
        };
        let candidate =
            |r: &Release| (r.version.clone(), Candidate { version: r.version.clone(), released_at: None });
        let mut known = Known { candidates: world.iter().map(candidate).collect(), ..Known::default() };
        let mut read = Vec::new();
        loop {
            match next_wanted(&question, &known) {
                Next::Read(versions) => {
                    for version in versions {
                        assert!(!known.releases.contains_key(&version), "{version} is read twice");
                        read.push(version.to_string());
                        let found = world.iter().find(|r| r.version == version).cloned();
                        known
                            .releases
                            .insert(version.clone(), found.unwrap_or_else(|| Release::complete(version, [])));
                    }
                }
                Next::Decided(choice) => {
                    let rows =
                        choice.verdicts.iter().map(|(version, verdict)| format!("{version} {verdict}\n"));
                    let proposed = choice.proposed.map_or("-".to_owned(), |v| v.to_string());
                    return (read, format!("{}→ {proposed}", rows.collect::<String>()));
                }
            }
        }
    }

    const KEY: &str = "ubuntu-noble-plain-rke2-1-31-8";

    #[test]
    fn the_newest_release_is_proposed_and_older_ones_are_not_read() {
        let world = [release("0.4.1", &[KEY]), release("0.4.2", &[KEY]), release("0.4.10", &[KEY])];
        let (read, table) = ask(&Policy::default(), "0.4.1", None, &world);
        assert_eq!(read, ["0.4.1", "0.4.10"]);
        insta::assert_snapshot!(table, @r"
        0.4.10 proposed
        0.4.2 superseded by a newer one
        0.4.1 named in the file
        → 0.4.10
        ");
    }

    #[test]
    fn a_release_without_artifacts_is_held_and_the_next_lower_one_proposed() {
        let world = [release("0.4.1", &[KEY]), release("0.4.2", &[KEY]), release("0.4.3", &[])];
        let (read, table) = ask(&Policy::default(), "0.4.1", None, &world);
        assert_eq!(read, ["0.4.1", "0.4.3", "0.4.2"]);
        assert!(table.contains("0.4.3 held: no artifact carries it\n0.4.2 proposed"), "{table}");
    }

    #[test]
    fn an_unknown_release_is_never_replaced_by_an_older_one() {
        let world =
            [release("0.4.1", &[KEY]), release("0.4.2", &[KEY]), Release::unknown(v("0.4.3"), "time-out")];
        let (_, table) = ask(&Policy::default(), "0.4.1", None, &world);
        assert!(table.contains("0.4.3 unknown: time-out") && table.ends_with("→ -"), "{table}");
    }

    #[test]
    fn with_nothing_newer_the_files_own_release_is_wanted() {
        let world = [release("0.4.0", &[KEY]), release("0.4.1", &[KEY])];
        let (read, table) = ask(&Policy::default(), "0.4.1", None, &world);
        assert_eq!(read, ["0.4.1"]);
        assert!(table.ends_with("→ 0.4.1"), "{table}");
    }

    #[test]
    fn a_person_may_force_a_version_and_is_told_what_was_overridden() {
        let world = [release("0.4.1", &[KEY]), release("0.4.2", &[KEY])];
        let (_, table) = ask(&Policy::default(), "0.4.2", Some("0.4.1"), &world);
        assert_eq!(table, "0.4.1 proposed as asked, although older than the file's\n→ 0.4.1");
        let (_, table) = ask(&Policy::default(), "0.4.2", Some("0.9.9"), &world);
        assert_eq!(table, "0.9.9 held: no artifact carries it\n→ -");
    }

    #[test]
    fn step_line_takes_the_newest_release_that_keeps_a_listed_line_of_every_family() {
        let policy = Policy { step: Step::Line, ..Policy::default() };
        let world = [
            release("0.4.1", &[KEY]),
            release("0.4.2", &["ubuntu-noble-plain-rke2-1-31-9"]),
            release("0.5.0", &["ubuntu-noble-plain-rke2-1-32"]),
        ];
        let (_, table) = ask(&policy, "0.4.1", None, &world);
        assert!(
            table.contains("0.5.0 held: it has no listed line of ubuntu plain rke2 left\n0.4.2 proposed"),
            "{table}"
        );
    }

    #[test]
    fn a_minimum_age_holds_young_releases_and_those_of_unknown_age() {
        let day = SignedDuration::from_hours(24);
        let policy = Policy { minimum_age: Some(day), ..Policy::default() };
        let mut young = release("0.4.3", &[KEY]);
        for artifact in young.artifacts.values_mut() {
            artifact.created = Some(Timestamp::UNIX_EPOCH - SignedDuration::from_hours(1));
        }
        let mut old = release("0.4.2", &[KEY]);
        for artifact in old.artifacts.values_mut() {
            artifact.created = Some(Timestamp::UNIX_EPOCH - day);
        }
        let world = [release("0.4.1", &[KEY]), old, young, release("0.4.4", &[KEY])];
        let (_, table) = ask(&policy, "0.4.1", None, &world);
        insta::assert_snapshot!(table, @r"
        0.4.4 held: its age is not known (set `unknown_age: allow`, or accept it)
        0.4.3 held: too young until 1970-01-01 23:00 UTC
        0.4.2 proposed
        0.4.1 named in the file
        → 0.4.2
        ");
        let accepted = Policy { accept: vec![v("0.4.4")], ..policy };
        assert!(ask(&accepted, "0.4.1", None, &world).1.ends_with("→ 0.4.4"));
    }

    use jiff::SignedDuration;
}
