//! Which release is proposed: a query that is answered step by step, because reading a release costs requests.
//!
//! [`next_wanted`] is asked again after each reading, until it has decided. It reads nothing itself.

use std::fmt;

use super::data::{Candidate, ReleaseData, SelectionQuery};
use super::gates;
use super::hold::{Hold, Missing};
use super::policy::{Exclusion, GateMode};
use super::{Coverage, Release, Version};

/// What became of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectionVerdict {
    /// It is proposed.
    Proposed,
    /// It is proposed in spite of these rules; there is at least one.
    Despite(Vec<Objection>),
    /// It could be proposed, but a newer one is.
    Superseded,
    /// The policy excludes it.
    Excluded(Exclusion),
    /// It is held.
    Held(Hold),
    /// It could not be read; nothing older is proposed in its place.
    Unknown(String),
}

/// A rule that speaks against a release, and why it does not decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The rule.
    pub rule: Rule,
    /// Why it does not decide.
    pub waiver: Waiver,
}

/// A rule of the policy, or a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The policy would exclude the release.
    Policy(Exclusion),
    /// A gate would hold it.
    Gate(Hold),
}

/// Why a rule does not decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiver {
    /// A person named the release (`--to`).
    Asked,
    /// A person ended the hold (`accept:`).
    Accepted,
    /// It was waited for long enough; the release is proposed as a draft.
    Overdue,
    /// The gate only warns here.
    Warns,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// What became of each version, newest first.
    pub verdicts: Vec<(Version, SelectionVerdict)>,
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

/// Says which releases must be read before the query can be answered, or answers it.
pub fn next_wanted(query: &SelectionQuery<'_>, known: &ReleaseData) -> Next {
    let mut unread: Vec<Version> =
        query.current.filter(|v| !known.releases.contains_key(v)).cloned().into_iter().collect();
    let choice = match query.to {
        Some(to) => forced(query, known, to, &mut unread),
        None => newest_first(query, known, &mut unread),
    };
    if unread.is_empty() { Next::Decided(choice) } else { Next::Read(unread) }
}

/// A person's choice: policy and gates are overridden, and the verdict says which rules. Nobody's word makes up for a
/// signature.
fn forced(
    query: &SelectionQuery<'_>,
    known: &ReleaseData,
    to: &Version,
    unread: &mut Vec<Version>,
) -> Choice {
    let verdict = match known.releases.get(to) {
        None => {
            if !unread.contains(to) {
                unread.push(to.clone());
            }
            SelectionVerdict::Proposed
        }
        Some(release) => match judge(query, known, &known.candidate(to), release, true) {
            verdict @ (SelectionVerdict::Proposed | SelectionVerdict::Despite(_)) => {
                overridden(query, to, verdict)
            }
            verdict => verdict,
        },
    };
    let proposed = verdict.is_proposed().then(|| to.clone());
    Choice { verdicts: vec![(to.clone(), verdict)], proposed }
}

/// The verdict on a release that a person asked for, with the rule of the policy that it breaks before the others.
fn overridden(query: &SelectionQuery<'_>, to: &Version, verdict: SelectionVerdict) -> SelectionVerdict {
    let exclusion = match query.policy.admits(to, query.current) {
        Err(Exclusion::Current) | Ok(()) => return verdict,
        Err(exclusion) => Objection { rule: Rule::Policy(exclusion), waiver: Waiver::Asked },
    };
    let others = if let SelectionVerdict::Despite(objections) = verdict { objections } else { Vec::new() };
    SelectionVerdict::Despite(std::iter::once(exclusion).chain(others).collect())
}

/// The newest admitted release that nothing holds; reading stops at the first that is proposed or unknown, and where as
/// many as are looked at are held.
fn newest_first(query: &SelectionQuery<'_>, known: &ReleaseData, unread: &mut Vec<Version>) -> Choice {
    let mut verdicts = Vec::new();
    let mut settled = false;
    let mut proposed = None;
    let mut looking = Looking::default();
    for candidate in known.candidates.values().rev() {
        let version = &candidate.version;
        let verdict = match query.policy.admits(version, query.current) {
            Err(Exclusion::Current) => current(query, version),
            Err(exclusion) => SelectionVerdict::Excluded(exclusion),
            Ok(()) if settled => SelectionVerdict::Superseded,
            Ok(()) => match (looking.may_look_at(version, query), known.releases.get(version)) {
                (Err(held), _) => SelectionVerdict::Excluded(Exclusion::TooFarBack(held)),
                (Ok(()), None) => {
                    unread.push(version.clone());
                    settled = looking.has_asked_enough();
                    SelectionVerdict::Superseded
                }
                (Ok(()), Some(release)) => judge(query, known, candidate, release, false),
            },
        };
        if verdict.is_proposed() {
            proposed = Some(version.clone());
        }
        settled |= verdict.is_proposed() || matches!(verdict, SelectionVerdict::Unknown(_));
        verdicts.push((version.clone(), verdict));
    }
    // With nothing newer the file's own release is the wanted one: its keys may be wrong.
    let unknown = verdicts.iter().any(|(_, verdict)| matches!(verdict, SelectionVerdict::Unknown(_)));
    let is_held = |own: &&Version| matches!(current(query, own), SelectionVerdict::Held(_));
    let proposed =
        proposed.or_else(|| query.current.filter(|_| !unknown).filter(|own| !is_held(own)).cloned());
    Choice { verdicts, proposed }
}

/// How far it was looked back, above the file's release and, where that is allowed, below it.
#[derive(Default)]
struct Looking {
    /// How many releases were judged, and how many are to be read now.
    judged: usize,
    asked: usize,
    /// On either side, how many were looked at, and the last of them.
    sides: [(usize, Option<Version>); 2],
}

impl Looking {
    /// Whether a release is one of those that are looked at; else the last one that was.
    fn may_look_at(&mut self, version: &Version, query: &SelectionQuery<'_>) -> Result<(), Version> {
        let is_below = query.current.is_some_and(|current| version < current);
        let (count, last) = &mut self.sides[usize::from(is_below)];
        match last {
            Some(last) if *count >= query.policy.look_back => Err(last.clone()),
            _ => {
                (*count, *last) = (*count + 1, Some(version.clone()));
                self.judged += 1;
                Ok(())
            }
        }
    }

    /// Whether enough is to be read at once: as much as was read in vain. The newest release alone is read first, because
    /// most often nothing holds it.
    fn has_asked_enough(&mut self) -> bool {
        self.judged -= 1;
        self.asked += 1;
        self.asked >= self.judged.max(1)
    }
}

/// The release that the file names is not judged; only putting its keys right may be held.
fn current(query: &SelectionQuery<'_>, version: &Version) -> SelectionVerdict {
    let accepted = query.policy.accepts(version);
    let holds = |hold: &&Hold| {
        query.policy.gates.mode_of(hold) == GateMode::Hold && !(accepted && hold.can_be_overridden())
    };
    match query.found.get(version).into_iter().flatten().find(holds) {
        Some(hold) => SelectionVerdict::Held(hold.clone()),
        None => SelectionVerdict::Excluded(Exclusion::Current),
    }
}

/// The first hold that nothing waives; what is waived is told.
fn judge(
    query: &SelectionQuery<'_>,
    known: &ReleaseData,
    candidate: &Candidate,
    release: &Release,
    asked: bool,
) -> SelectionVerdict {
    if let Coverage::Unknown { reason } = &release.coverage {
        return SelectionVerdict::Unknown(reason.clone());
    }
    if release.artifacts.is_empty() {
        return SelectionVerdict::Held(Hold::Empty);
    }
    let mut objections = Vec::new();
    for hold in gates::holds(query, known, candidate, release) {
        match waiver(query, candidate, release, &hold, asked) {
            Some(waiver) => objections.push(Objection { rule: Rule::Gate(hold), waiver }),
            None if query.policy.gates.mode_of(&hold) == GateMode::Off => {}
            None => return SelectionVerdict::Held(hold),
        }
    }
    if objections.is_empty() { SelectionVerdict::Proposed } else { SelectionVerdict::Despite(objections) }
}

/// Why a hold does not decide, if it does not.
fn waiver(
    query: &SelectionQuery<'_>,
    candidate: &Candidate,
    release: &Release,
    hold: &Hold,
    asked: bool,
) -> Option<Waiver> {
    let gates = &query.policy.gates;
    match gates.mode_of(hold) {
        GateMode::Off => None,
        GateMode::Warn => Some(Waiver::Warns),
        GateMode::Hold if !hold.can_be_overridden() => None,
        GateMode::Hold if asked => Some(Waiver::Asked),
        GateMode::Hold if query.policy.accepts(&candidate.version) => Some(Waiver::Accepted),
        GateMode::Hold => {
            let waits =
                matches!(hold, Hold::Incomplete(_)).then(|| gates::date(candidate, release)).flatten();
            let until = waits.and_then(|date| date.checked_add(gates.incomplete_timeout).ok());
            until.filter(|until| *until <= query.now).map(|_| Waiver::Overdue)
        }
    }
}

impl SelectionVerdict {
    /// Whether the release is the one to go to.
    pub fn is_proposed(&self) -> bool {
        matches!(self, Self::Proposed | Self::Despite(_))
    }

    /// The rules that spoke against a release that is proposed all the same.
    pub fn objections(&self) -> &[Objection] {
        match self {
            Self::Despite(objections) => objections,
            _ => &[],
        }
    }
}

impl Choice {
    /// What was proposed is held after all.
    pub(crate) fn hold(&mut self, version: &Version, hold: Hold) {
        self.proposed = None;
        let told = self.verdicts.iter_mut().find(|(told, _)| told == version);
        told.into_iter().for_each(|(_, verdict)| *verdict = SelectionVerdict::Held(hold.clone()));
    }

    /// What it lacks, where the release is proposed as a draft because it was waited for long enough.
    pub fn overdue(&self) -> Option<&Missing> {
        let objections = self.verdicts.iter().flat_map(|(_, verdict)| verdict.objections());
        objections.filter(|objection| objection.waiver == Waiver::Overdue).find_map(|objection| {
            match &objection.rule {
                Rule::Gate(Hold::Incomplete(missing)) => Some(missing),
                _ => None,
            }
        })
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.waiver {
            Waiver::Asked => "as asked, although ",
            Waiver::Accepted => "as accepted, although ",
            Waiver::Overdue => "as a draft, although ",
            Waiver::Warns => "although ",
        })?;
        match &self.rule {
            Rule::Policy(exclusion) => exclusion.fmt(f),
            Rule::Gate(hold) => hold.fmt(f),
        }
    }
}

impl fmt::Display for SelectionVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proposed => f.write_str("proposed"),
            Self::Despite(objections) => {
                let objections: Vec<String> = objections.iter().map(ToString::to_string).collect();
                write!(f, "proposed {}", objections.join("; "))
            }
            Self::Superseded => f.write_str("superseded by a newer one"),
            Self::Excluded(exclusion) => exclusion.fmt(f),
            Self::Held(hold) => write!(f, "held: {hold}"),
            Self::Unknown(reason) => write!(f, "unknown: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests;
