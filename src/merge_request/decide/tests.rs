mod ended;
mod open;
mod writes;

use std::collections::BTreeMap;

use super::super::branch::BranchPrefix;
use super::super::description::Boxes;
use super::super::fate::{OfferStatus, ProducerFates};
use super::super::marker::{Digests, Marker, TextHash};
use super::super::patch::{FileChange, Patch};
use super::super::request::{Freeze, MergeRequestSettings, Mergeability, OnClosed, Rebase, Upkeep};
use super::super::trailer;
use super::*;
use crate::release::{Digest, Version};

const LIMIT: usize = 1_000_000;
const SOURCE: &str = "dibump/main/images-0.x";

/// What is there and what is wanted, for one row of the table.
#[derive(Clone)]
struct Scene {
    observed: Observed,
    /// The release that is wanted; `None` for no change.
    wanted: Option<&'static str>,
    upkeep: Upkeep,
    fates: BTreeMap<Version, OfferStatus>,
    /// What the registry's tag points to now.
    digests: Digests,
}

/// Nothing is there, and a release is wanted.
fn wanting(version: &'static str) -> Scene {
    let current = Offer { branch: Branch(SOURCE.into()), source: None, merge_requests: vec![] };
    let observed = Observed { current, others: vec![], approved: false, pipeline: None, no_drafts: false };
    let wanted = Some(version).filter(|version| *version != "nothing");
    Scene { observed, wanted, upkeep: Upkeep::default(), fates: BTreeMap::new(), digests: digests("1") }
}

impl Scene {
    fn branch(mut self, ownership: BranchOwner) -> Self {
        self.observed.current.source = Some(source(ownership));
        self
    }

    fn lacking(mut self, line: &str) -> Self {
        self.observed.current.source.as_mut().unwrap().lacking = vec![line.to_owned()];
        self
    }

    /// One more merge request, newer than those before.
    fn with(mut self, mr: MergeRequest) -> Self {
        self.observed.current.merge_requests.insert(0, mr);
        self
    }

    /// An open merge request of ours as the bot wrote it, and changed since.
    fn open(self, version: &str, change: impl FnOnce(&mut MergeRequest)) -> Self {
        let mut mr = opened(version);
        change(&mut mr);
        self.with(mr)
    }

    fn other_major(mut self, version: &str, ownership: Option<BranchOwner>) -> Self {
        let branch = Branch("dibump/main/images-1.x".into());
        let mut mr = opened(version);
        (mr.number, mr.source_branch) = (9, branch.clone());
        let source = ownership.map(source);
        self.observed.others.push(Offer { branch, source, merge_requests: vec![mr] });
        self
    }

    fn upkeep(mut self, change: impl FnOnce(&mut Upkeep)) -> Self {
        change(&mut self.upkeep);
        self
    }

    fn approved(mut self) -> Self {
        self.observed.approved = true;
        self.upkeep(|upkeep| upkeep.freeze = Freeze::Approved)
    }

    fn pipeline(mut self, head: &str, failed: bool) -> Self {
        self.observed.pipeline = Some(PipelineStatus { head: id(head), failed, succeeded: false });
        self
    }

    fn fate(mut self, version: &str, fate: OfferStatus) -> Self {
        self.fates.insert(version.parse().unwrap(), fate);
        self
    }

    fn tag_moved(mut self) -> Self {
        self.digests = digests("2");
        self
    }

    fn wanted(&self) -> DesiredState {
        let work = match self.wanted {
            Some(version) => Work::Update(Box::new(Update {
                upkeep: self.upkeep,
                needs_a_person: false,
                digests: self.digests.clone(),
                ..update(version)
            })),
            None => Work::Nothing { outcome: Outcome::UpToDate, note: None },
        };
        let fates = ProducerFates::new(self.fates.clone(), false);
        let fates = Fates::new([("images".to_owned(), fates)]);
        DesiredState { place: place(), work, fates, description_limit: LIMIT, withheld: None }
    }

    fn decide(&self) -> Decision {
        next(&self.observed, &self.wanted())
    }
}

/// The files of an update to `version`, which start with a line of the target branch.
fn patch(version: &str) -> Patch {
    let before = (*b"version: 0.4.11\n").into();
    let after = format!("version: {version}\n").into_bytes().into();
    Patch::new([("values.yaml".to_owned(), FileChange { before: Some(before), after })].into())
}

fn update(version: &str) -> Update {
    Update {
        producer: "images".into(),
        current: "0.4.11".parse().ok(),
        version: version.parse().unwrap(),
        patch: patch(version),
        title: format!("Update images to {version}"),
        text: format!("Moves to {version}."),
        commit_message: format!("Update images to {version}"),
        trailers: vec![],
        digests: digests("1"),
        settings: MergeRequestSettings::default(),
        upkeep: Upkeep::default(),
        needs_a_person: false,
    }
}

fn place() -> Place {
    Place::new(
        &BranchPrefix::default(),
        &Branch("main".into()),
        &id("target"),
        "images",
        &"0.4.12".parse().unwrap(),
    )
}

fn digests(digit: &str) -> Digests {
    let digest: Digest = format!("sha256:{}", digit.repeat(64)).parse().unwrap();
    Digests::of([("ubuntu-noble-plain-rke2-1-31-8", &digest)])
}

fn id(text: &str) -> CommitId {
    CommitId(text.into())
}

fn source(ownership: BranchOwner) -> SourceBranch {
    SourceBranch { head: id("head"), ownership, lacking: vec![] }
}

fn ours(version: &str) -> BranchOwner {
    BranchOwner::Ours { patch: patch(version).id(), parent: id("target"), release: version.parse().ok() }
}

/// Ours, on a commit that the target branch has left behind.
fn behind(version: &str) -> BranchOwner {
    BranchOwner::Ours { patch: patch(version).id(), parent: id("older"), release: version.parse().ok() }
}

fn theirs() -> BranchOwner {
    BranchOwner::Others { why: "2 commits are on the source branch".into() }
}

fn unread() -> BranchOwner {
    BranchOwner::Unknown { why: "cut".into() }
}

fn marker(version: &str) -> Marker {
    let update = update(version);
    Marker {
        producer: update.producer,
        target: place().target,
        version: update.version,
        patch: update.patch.id(),
        commit: id("head"),
        title: TextHash::of(&update.title),
        text: None,
        digests: update.digests,
        rebuild: None,
        unset: false,
        closed: None,
    }
}

fn opened(version: &str) -> MergeRequest {
    let update = update(version);
    MergeRequest {
        number: 5,
        url: "https://forge.example/5".into(),
        state: MergeRequestState::Open,
        title: update.title.clone(),
        description: Description::new(&update.text, marker(version)).write(LIMIT),
        source_branch: place().source,
        target_branch: place().target,
        from_this_project: true,
        head: Some(id("head")),
        mergeability: Mergeability::Clean,
        blocked_by: None,
        labels: vec![],
        draft: false,
        auto_merge: false,
    }
}

fn ended(version: &str, state: MergeRequestState) -> MergeRequest {
    MergeRequest { state, ..opened(version) }
}

fn closed(version: &str) -> MergeRequest {
    ended(version, MergeRequestState::Closed)
}

fn merged(version: &str) -> MergeRequest {
    ended(version, MergeRequestState::Merged)
}

fn closed_by_the_bot(version: &str) -> MergeRequest {
    let marker = Marker { closed: Some("superseded".into()), ..marker(version) };
    MergeRequest { description: Description::new("text", marker).write(LIMIT), ..closed(version) }
}

fn as_it_is(_: &mut MergeRequest) {}

fn ticked(mr: &mut MergeRequest, name: &str) {
    let empty = format!("[ ] <!-- dibump:{name} -->");
    assert!(mr.description.contains(&empty), "{}", mr.description);
    mr.description = mr.description.replace(&empty, &format!("[x] <!-- dibump:{name} -->"));
}

/// A person has asked for a rebuild from this head, and the bot has written that down.
fn asked_at(mr: &mut MergeRequest, head: &str) {
    let mut description = Description::read(&mr.description).unwrap();
    description.marker.rebuild = Some(id(head));
    mr.description = description.write(LIMIT);
}

/// A decision in few words.
fn words(decision: &Decision) -> String {
    match decision {
        Decision::Done { outcome, note: Some(_) } => format!("{outcome}, with a note"),
        Decision::Done { outcome, note: None } => outcome.to_string(),
        Decision::Wait { .. } => "wait".to_owned(),
        Decision::Do { action, leads_to } => match action.as_ref() {
            Action::Push(commit) => {
                let over = commit.expected_head.as_ref().map(|head| format!(" over {head}"));
                format!("push{}, {leads_to}", over.unwrap_or_default())
            }
            Action::Create(_) => format!("create, {leads_to}"),
            Action::Edit { number, edit } => format!("{} {number}, {leads_to}", edited(edit)),
            Action::RemoveBranch { branch, .. } => format!("remove {branch}, {leads_to}"),
            Action::EnableAutoMerge { head, .. } => format!("auto-merge {head}, {leads_to}"),
            Action::CancelAutoMerge { .. } => format!("no auto-merge, {leads_to}"),
        },
    }
}

fn edited(edit: &MergeRequestEdit) -> String {
    let verb = match edit.state {
        Some(StateChange::Close) => "close",
        Some(StateChange::Reopen) => "reopen",
        None => "edit",
    };
    let title = edit.title.as_ref().map_or("", |_| " title");
    let text = match &edit.description {
        Some(text) if text.contains("dibump:notice -->") => " notice",
        Some(_) => " text",
        None => "",
    };
    format!("{verb}{title}{text}")
}

fn check(rows: Vec<(&str, Scene, &str)>) {
    for (sentence, scene, expected) in rows {
        assert_eq!(words(&scene.decide()), expected, "{sentence}");
    }
}
