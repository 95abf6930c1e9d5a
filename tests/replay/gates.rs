//! The gates over real releases: whole ones pass, half-promoted ones are held, broken ones are held with a reason.

use std::collections::BTreeMap;

use dibump::release::data::{Candidate, ReleaseData, SelectionQuery};
use dibump::release::hold::Hold;
use dibump::release::policy::{Policy, UpdateType};
use dibump::release::selection::{Choice, Next, SelectionVerdict, next_wanted};
use dibump::release::{Artifact, Naming, Release, Version};

use super::Releases;

/// Half-promoted states that are tried of each release.
const STATES: usize = 50;
/// How many of a hundred may pass; of a handful of releases chance decides, so that some may in any case.
const PASSING: usize = 1;
const CHANCE: usize = 5;

/// What happened, a line each; an error names what should not have.
pub fn check(releases: &Releases) -> Result<Vec<String>, String> {
    let world = World::of(releases);
    let mut lines = Vec::new();
    let updates = world.updates();
    let mut others = Vec::new();
    for (from, to) in &updates {
        match world.verdict(from, to, &Policy::default()) {
            SelectionVerdict::Held(hold @ Hold::Incomplete(_)) => {
                return Err(format!("{to} after {from} is whole, and held: {hold}"));
            }
            SelectionVerdict::Held(hold) => others.push(format!("{to} is held({}): {hold}", hold.name())),
            _ => {}
        }
    }
    lines.push(format!("{} updates between consecutive releases pass the gate *complete*", updates.len()));
    lines.extend(others);

    let (mut states, mut held) = (0, 0);
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for to in world.releases.values().filter(|release| release.artifacts.len() > 1) {
        // Of the first release with readable names nobody can say what it lacks.
        let Some(from) = world.before(&to.version) else { continue };
        for _ in 0..STATES {
            states += 1;
            let half = dice.part(to);
            let missing = world.with(half).verdict(&from, &to.version, &Policy::default());
            held += usize::from(matches!(missing, SelectionVerdict::Held(_)));
        }
    }
    lines.push(format!("{held} of {states} half-promoted states are held"));
    if states - held > (states * PASSING / 100).max(CHANCE) {
        return Err(format!("only {held} of {states} half-promoted states are held"));
    }

    let patches = Policy { allow: vec![UpdateType::Patch], ..Policy::default() };
    for (from, broken, next, policy) in
        [("0.4.3", "0.4.4", "0.4.5", &Policy::default()), ("0.3.11", "0.3.12", "0.3.13", &patches)]
    {
        let [from, broken, next] = [from, broken, next].map(|text| text.parse::<Version>().unwrap());
        if !world.releases.contains_key(&broken) {
            continue;
        }
        match world.verdict(&from, &broken, policy) {
            SelectionVerdict::Held(hold) => lines.push(format!("{broken} is held({}): {hold}", hold.name())),
            verdict => return Err(format!("{broken} is {verdict}, and should be held")),
        }
        match world.verdict(&from, &next, policy) {
            SelectionVerdict::Proposed => lines.push(format!("{next} is proposed")),
            verdict => return Err(format!("{next} is {verdict}, and should be proposed")),
        }
    }
    Ok(lines)
}

/// All releases, as a registry shows them.
#[derive(Clone)]
struct World {
    releases: BTreeMap<Version, Release>,
}

impl World {
    fn of(releases: &Releases) -> Self {
        let read = |release: &super::Release| {
            let version: Version = release.tag.parse().unwrap();
            let artifacts = release.artifacts.iter().map(|artifact| {
                let (key, annotations) =
                    (artifact["basename"].parse().unwrap(), release.annotations(artifact));
                Artifact::described(key, None, annotations, &Naming::default())
            });
            (version.clone(), Release::complete(version, artifacts))
        };
        Self { releases: releases.releases.iter().map(read).collect() }
    }

    fn with(&self, release: Release) -> Self {
        let mut world = self.clone();
        world.releases.insert(release.version.clone(), release);
        world
    }

    /// Consecutive releases of each release line.
    fn updates(&self) -> Vec<(Version, Version)> {
        let versions: Vec<&Version> = self.releases.keys().collect();
        let line = |version: &Version| (version.triple().0, version.triple().1);
        let pairs = versions.windows(2).filter(|pair| line(pair[0]) == line(pair[1]));
        pairs.map(|pair| (pair[0].clone(), pair[1].clone())).collect()
    }

    /// The release before, if it or one before it has names that can be read.
    fn before(&self, version: &Version) -> Option<Version> {
        let lower = self.releases.range(..version.clone());
        let is_comparable = lower.clone().any(|(_, release)| !release.lines().is_empty());
        lower.last().filter(|_| is_comparable).map(|(version, _)| version.clone())
    }

    /// What becomes of `to` when a file is at `from` and nothing newer is published.
    fn verdict(&self, from: &Version, to: &Version, policy: &Policy) -> SelectionVerdict {
        let there = self.releases.range(..=to.clone());
        let candidate = |(version, _): (&Version, &Release)| {
            let candidate = Candidate { version: version.clone(), released_at: None, first_seen: None };
            (version.clone(), candidate)
        };
        let known = ReleaseData {
            candidates: there.clone().map(candidate).collect(),
            releases: there.map(|(version, release)| (version.clone(), release.clone())).collect(),
            outlines: BTreeMap::new(),
        };
        // The file lists every image of its release.
        let listed =
            known.releases.get(from).into_iter().flat_map(|release| release.artifacts.keys().cloned());
        let listed = listed.collect();
        let query = SelectionQuery {
            policy,
            current: Some(from),
            to: None,
            listed: &listed,
            naming: &Naming::default(),
            found: &BTreeMap::new(),
            requires_signatures: false,
            // Right after the newest image: nobody has waited yet.
            now: known.releases[to].artifacts.values().filter_map(|a| a.created).max().unwrap_or_default(),
        };
        let Next::Decided(Choice { verdicts, .. }) = next_wanted(&query, &known) else {
            panic!("everything was read")
        };
        verdicts.into_iter().find(|(version, _)| version == to).unwrap().1
    }
}

/// The same throws in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Some of the artifacts of a release, at least one and not all.
    fn part(&mut self, whole: &Release) -> Release {
        let count = whole.artifacts.len();
        let wanted = 1 + usize::try_from(self.throw()).unwrap() % (count - 1);
        let mut order: Vec<(u64, &Artifact)> = whole.artifacts.values().map(|a| (self.throw(), a)).collect();
        order.sort_by_key(|(throw, _)| *throw);
        Release::complete(whole.version.clone(), order.into_iter().take(wanted).map(|(_, a)| a.clone()))
    }
}
