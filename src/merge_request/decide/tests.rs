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

#[test]
fn nothing_is_open_yet() {
    check(vec![
        ("a newer release gives a branch", wanting("0.4.12"), "push, created"),
        (
            "a branch without a merge request gets one",
            wanting("0.4.12").branch(ours("0.4.12")),
            "create, created",
        ),
        (
            "a branch for an older release is moved first",
            wanting("0.4.13").branch(ours("0.4.12")),
            "push over head, created",
        ),
        (
            "a merged branch that was left is used again",
            wanting("0.4.12").branch(BranchOwner::Nothing).with(merged("0.4.11")),
            "push over head, created",
        ),
        (
            "a person's branch with our name is left alone",
            wanting("0.4.12").branch(theirs()),
            "edited by others, with a note",
        ),
        ("a branch that could not be read is left alone", wanting("0.4.12").branch(unread()), "unknown: cut"),
        ("nothing to change at all is up to date", wanting("nothing"), "up to date"),
        (
            "an open one from a fork is not ours",
            wanting("0.4.12").open("0.4.12", |mr| mr.from_this_project = false),
            "push, created",
        ),
        (
            "a closed one from a fork silences nothing",
            wanting("0.4.12").with(MergeRequest { from_this_project: false, ..closed("0.4.12") }),
            "push, created",
        ),
    ]);
}

#[test]
fn one_is_open() {
    let conflict = |mr: &mut MergeRequest| mr.mergeability = Mergeability::Conflict;
    let rebase = |rebase| move |upkeep: &mut Upkeep| upkeep.rebase = rebase;
    check(vec![
        (
            "the same change is not pushed again",
            wanting("0.4.12").branch(ours("0.4.12")).open("0.4.12", as_it_is),
            "unchanged",
        ),
        (
            "the recorded commit needs no reading",
            wanting("0.4.12").branch(BranchOwner::Recorded).open("0.4.12", as_it_is),
            "unchanged",
        ),
        (
            "a newer release moves the branch first",
            wanting("0.4.13").branch(ours("0.4.12")).open("0.4.12", as_it_is),
            "push over head, updated",
        ),
        (
            "then title and text follow",
            wanting("0.4.13").branch(ours("0.4.13")).open("0.4.12", as_it_is),
            "edit title text 5, updated",
        ),
        (
            "it never goes back to an older release",
            wanting("0.4.12").branch(ours("0.4.13")).open("0.4.13", as_it_is),
            "unchanged, with a note",
        ),
        (
            "not even when its marker is gone",
            wanting("0.4.12").branch(ours("0.4.13")).open("0.4.13", |mr| mr.description.clear()),
            "unchanged, with a note",
        ),
        (
            "nor to an older major version",
            wanting("0.4.13").other_major("1.0.0", Some(ours("1.0.0"))),
            "unchanged, with a note",
        ),
        (
            "it is rebuilt on a conflict",
            wanting("0.4.12").branch(behind("0.4.12")).open("0.4.12", conflict),
            "push over head, updated",
        ),
        (
            "but not where that was forbidden",
            wanting("0.4.12").branch(behind("0.4.12")).open("0.4.12", conflict).upkeep(rebase(Rebase::Never)),
            "unchanged",
        ),
        (
            "being behind is no reason to push",
            wanting("0.4.12").branch(behind("0.4.12")).open("0.4.12", as_it_is),
            "unchanged",
        ),
        (
            "except where that was asked for",
            wanting("0.4.12")
                .branch(behind("0.4.12"))
                .open("0.4.12", as_it_is)
                .upkeep(rebase(Rebase::Behind)),
            "push over head, updated",
        ),
        (
            "a conflict on the target's own head is old news",
            wanting("0.4.12").branch(ours("0.4.12")).open("0.4.12", conflict),
            "unchanged",
        ),
        ("a branch that is gone is made again", wanting("0.4.12").open("0.4.12", as_it_is), "push, updated"),
        (
            "a branch that lost its commit is made again",
            wanting("0.4.12").branch(BranchOwner::Nothing).open("0.4.12", as_it_is),
            "push over head, updated",
        ),
        (
            "what could not be read stays",
            wanting("0.4.13").branch(unread()).open("0.4.12", as_it_is),
            "unknown: cut",
        ),
    ]);
}

#[test]
fn people_were_there() {
    let pointed_elsewhere = |mr: &mut MergeRequest| mr.target_branch = Branch("release-1.4".into());
    check(vec![
        (
            "a person's commit stays, and the text says what it lacks",
            wanting("0.4.13").branch(theirs()).lacking("version: 0.4.13").open("0.4.12", as_it_is),
            "edit notice 5, updated",
        ),
        (
            "also where it lacks nothing",
            wanting("0.4.12").branch(theirs()).open("0.4.12", as_it_is),
            "edit notice 5, updated",
        ),
        (
            "without its marker the report alone says so",
            wanting("0.4.13").branch(theirs()).open("0.4.12", |mr| mr.description = "Mine".into()),
            "edited by others, with a note",
        ),
        (
            "a person's title stays",
            wanting("0.4.13").branch(ours("0.4.13")).open("0.4.12", |mr| mr.title = "My title".into()),
            "edit text 5, updated",
        ),
        (
            "a person's labels stay",
            wanting("0.4.12").branch(ours("0.4.12")).open("0.4.12", |mr| mr.labels = vec!["mine".into()]),
            "unchanged",
        ),
        (
            "a text whose marker was deleted stays",
            wanting("0.4.13").branch(ours("0.4.13")).open("0.4.12", |mr| mr.description = "Mine".into()),
            "unchanged, with a note",
        ),
        (
            "its branch still moves",
            wanting("0.4.13").branch(ours("0.4.12")).open("0.4.12", |mr| mr.description = "Mine".into()),
            "push over head, updated",
        ),
        (
            "one that was pointed to another branch stays there, and no second one is opened",
            wanting("0.4.13").branch(ours("0.4.12")).open("0.4.12", pointed_elsewhere),
            "edited by others, with a note",
        ),
        (
            "a tick asks for a rebuild, which is written down first",
            wanting("0.4.12").branch(theirs()).open("0.4.12", |mr| ticked(mr, "rebuild")),
            "edit text 5, updated",
        ),
        (
            "then it is done, over people's commits",
            wanting("0.4.12").branch(theirs()).open("0.4.12", |mr| asked_at(mr, "head")),
            "push over head, updated",
        ),
        (
            "but not over commits that came after the tick",
            wanting("0.4.12").branch(theirs()).open("0.4.12", |mr| asked_at(mr, "earlier")),
            "edit notice 5, updated",
        ),
        (
            "a rebuild of what stands on the target's head is only described anew",
            wanting("0.4.12").branch(ours("0.4.12")).open("0.4.12", |mr| asked_at(mr, "head")),
            "edit text 5, updated",
        ),
    ]);
}

#[test]
fn approved_ones_may_be_left_in_peace() {
    check(vec![
        (
            "a newer release is named in the text",
            wanting("0.4.13").branch(ours("0.4.12")).open("0.4.12", as_it_is).approved(),
            "edit notice 5, updated",
        ),
        (
            "the same release with other keys stays too",
            wanting("0.4.12").branch(ours("0.4.11")).open("0.4.12", as_it_is).approved(),
            "unchanged, with a note",
        ),
        (
            "without an approval it moves",
            wanting("0.4.13")
                .branch(ours("0.4.12"))
                .open("0.4.12", as_it_is)
                .upkeep(|upkeep| upkeep.freeze = Freeze::Approved),
            "push over head, updated",
        ),
        (
            "a branch that is gone is made again",
            wanting("0.4.12").open("0.4.12", as_it_is).approved(),
            "push, updated",
        ),
        (
            "a tick moves it all the same",
            wanting("0.4.13").branch(ours("0.4.12")).open("0.4.12", |mr| asked_at(mr, "head")).approved(),
            "push over head, updated",
        ),
    ]);
}

#[test]
fn people_said_no() {
    let reopen = |upkeep: &mut Upkeep| upkeep.on_closed = OnClosed::Reopen;
    let again = |mut mr: MergeRequest| {
        ticked(&mut mr, "again");
        mr
    };
    let untitled = MergeRequest { description: String::new(), ..closed("0.4.12") };
    check(vec![
        (
            "closed by a person silences the release",
            wanting("0.4.12").with(closed("0.4.12")),
            "closed by others, with a note",
        ),
        ("but not the next one", wanting("0.4.13").with(closed("0.4.12")), "push, created"),
        (
            "closed by the bot silences nothing",
            wanting("0.4.12").with(closed_by_the_bot("0.4.12")),
            "push, created",
        ),
        (
            "closed without its marker is known by its title",
            wanting("0.4.12").with(untitled),
            "closed by others, with a note",
        ),
        (
            "merged and reverted silences the release",
            wanting("0.4.12").with(merged("0.4.12")),
            "closed by others, with a note",
        ),
        ("but not the next one after it", wanting("0.4.13").with(merged("0.4.12")), "push, created"),
        (
            "a tick proposes it again: reopened where the branch is as it was",
            wanting("0.4.12").branch(ours("0.4.12")).with(again(closed("0.4.12"))),
            "reopen 5, reopened",
        ),
        (
            "a tick proposes it again: opened anew where the branch is gone",
            wanting("0.4.12").with(again(closed("0.4.12"))),
            "push, created",
        ),
        (
            "a tick on a merged one proposes it anew",
            wanting("0.4.12").with(again(merged("0.4.12"))),
            "push, created",
        ),
        (
            "what was closed after the tick was closed again silences",
            wanting("0.4.12").with(again(closed("0.4.12"))).with(closed("0.4.12")),
            "closed by others, with a note",
        ),
        (
            "reopening may be the rule",
            wanting("0.4.12").branch(ours("0.4.12")).with(closed("0.4.12")).upkeep(reopen),
            "reopen 5, reopened",
        ),
        (
            "but not of what was merged and reverted",
            wanting("0.4.12").with(merged("0.4.12")).upkeep(reopen),
            "closed by others, with a note",
        ),
    ]);
}

#[test]
fn what_nobody_needs_is_closed() {
    let withdrawn = "0.4.12 is not published any more";
    let close = format!("close notice 5, closed: {withdrawn}");
    let open = || wanting("nothing").branch(ours("0.4.12")).open("0.4.12", as_it_is);
    let settled = || wanting("1.0.0").branch(ours("1.0.0")).open("1.0.0", as_it_is);
    check(vec![
        (
            "a change that the target branch has already",
            open().fate("0.4.12", OfferStatus::OnTarget),
            "close notice 5, closed: main has 0.4.12 or a newer release already",
        ),
        ("a release that was withdrawn", open().fate("0.4.12", OfferStatus::Withdrawn), &close),
        (
            "a release that the configuration excludes by now",
            open().fate("0.4.12", OfferStatus::Excluded("it is ignored".into())),
            "close notice 5, closed: the configuration excludes 0.4.12: it is ignored",
        ),
        (
            "a withdrawn release goes although an older one is wanted",
            wanting("0.4.12")
                .branch(ours("0.4.13"))
                .open("0.4.13", as_it_is)
                .fate("0.4.13", OfferStatus::Withdrawn),
            "close notice 5, closed: 0.4.13 is not published any more",
        ),
        (
            "a withdrawn release gives way to a newer one in place",
            wanting("0.4.13")
                .branch(ours("0.4.12"))
                .open("0.4.12", as_it_is)
                .fate("0.4.12", OfferStatus::Withdrawn),
            "push over head, updated",
        ),
        (
            "keys that are aligned under the same release are not on the target branch",
            wanting("0.4.12")
                .branch(ours("0.4.12"))
                .open("0.4.12", as_it_is)
                .fate("0.4.12", OfferStatus::OnTarget),
            "unchanged",
        ),
        ("nothing is closed where nobody can tell", open(), "up to date, with a note"),
        (
            "nor where people's commits are on the branch",
            wanting("nothing")
                .branch(theirs())
                .open("0.4.12", as_it_is)
                .fate("0.4.12", OfferStatus::Withdrawn),
            "up to date, with a note",
        ),
        (
            "nor where the branch could not be read",
            wanting("nothing")
                .branch(unread())
                .open("0.4.12", as_it_is)
                .fate("0.4.12", OfferStatus::Withdrawn),
            "up to date, with a note",
        ),
        (
            "nor where a person deleted the marker",
            wanting("nothing")
                .branch(ours("0.4.12"))
                .open("0.4.12", |mr| mr.description.clear())
                .fate("0.4.12", OfferStatus::Withdrawn),
            "up to date, with a note",
        ),
        (
            "nor one from a fork",
            wanting("nothing")
                .open("0.4.12", |mr| mr.from_this_project = false)
                .fate("0.4.12", OfferStatus::Withdrawn),
            "up to date",
        ),
        (
            "its branch goes with the next write",
            wanting("nothing").branch(ours("0.4.12")).with(closed_by_the_bot("0.4.12")),
            "remove dibump/main/images-0.x, closed: superseded",
        ),
        (
            "but not with people's commits on it",
            wanting("nothing").branch(theirs()).with(closed_by_the_bot("0.4.12")),
            "up to date",
        ),
        (
            "nor where a person closed it",
            wanting("nothing").branch(ours("0.4.12")).with(closed("0.4.12")),
            "up to date",
        ),
        (
            "another major version's is superseded once the wanted one is open",
            settled().other_major("0.4.12", Some(ours("0.4.12"))),
            "close notice 9, closed: superseded by 1.0.0",
        ),
        (
            "and not before",
            wanting("1.0.0").branch(ours("1.0.0")).other_major("0.4.12", Some(ours("0.4.12"))),
            "create, created",
        ),
        ("nor with people's commits on it", settled().other_major("0.4.12", Some(theirs())), "unchanged"),
    ]);
}

#[test]
fn a_tag_that_moved_is_a_persons_business() {
    let open =
        |change: fn(&mut MergeRequest)| wanting("0.4.12").branch(ours("0.4.12")).open("0.4.12", change);
    check(vec![
        ("the text warns", open(as_it_is).tag_moved(), "edit notice 5, updated"),
        (
            "auto-merge is switched off before",
            open(|mr| mr.auto_merge = true).tag_moved(),
            "no auto-merge, updated",
        ),
        (
            "a rebuild that was asked for describes it anew",
            open(|mr| asked_at(mr, "head")).tag_moved(),
            "edit text 5, updated",
        ),
        (
            "a newer release makes it old news",
            wanting("0.4.13").branch(ours("0.4.12")).open("0.4.12", as_it_is).tag_moved(),
            "push over head, updated",
        ),
    ]);
    let warned = open(as_it_is).tag_moved();
    let Decision::Do { action, .. } = warned.decide() else { panic!() };
    let Action::Edit { edit, .. } = *action else { panic!() };
    let again = open(as_it_is).tag_moved();
    let mut observed = again.observed.clone();
    observed.current.merge_requests[0].description = edit.description.unwrap();
    let again = Scene { observed, ..again };
    assert_eq!(words(&again.decide()), "refused: tag moved, with a note", "it is warned about once");
}

#[test]
fn the_forge_may_merge_by_itself() {
    let asked = |ownership: BranchOwner, change: fn(&mut MergeRequest)| {
        wanting("0.4.12").branch(ownership).open("0.4.12", change).upkeep(|upkeep| upkeep.auto_merge = true)
    };
    let ready = || asked(ours("0.4.12"), as_it_is);
    check(vec![
        (
            "once a pipeline looks after the bot's commit",
            ready().pipeline("head", false),
            "auto-merge head, updated",
        ),
        ("not without a pipeline", ready(), "wait"),
        ("not with another commit's pipeline", ready().pipeline("older", false), "wait"),
        (
            "not while the forge shows another head",
            asked(ours("0.4.12"), |mr| mr.head = Some(id("older"))).pipeline("head", false),
            "wait",
        ),
        ("not after it failed", ready().pipeline("head", true), "unchanged, with a note"),
        (
            "not a draft",
            asked(ours("0.4.12"), |mr| mr.draft = true).pipeline("head", false),
            "unchanged, with a note",
        ),
        ("not what is only recorded", asked(BranchOwner::Recorded, as_it_is).pipeline("head", false), "wait"),
        (
            "not where nobody asked for it",
            wanting("0.4.12").branch(ours("0.4.12")).open("0.4.12", as_it_is).pipeline("head", false),
            "unchanged",
        ),
        (
            "once is enough",
            asked(ours("0.4.12"), |mr| mr.auto_merge = true).pipeline("head", false),
            "unchanged",
        ),
        (
            "a new change switches it off first",
            wanting("0.4.13").branch(ours("0.4.12")).open("0.4.12", |mr| mr.auto_merge = true),
            "no auto-merge, updated",
        ),
    ]);
}

#[test]
fn a_commit_claims_the_patch_that_it_is() {
    let Decision::Do { action, .. } = wanting("0.4.12").decide() else { panic!() };
    let Action::Push(commit) = *action else { panic!() };
    assert_eq!(trailer::read(&commit.message).map(|t| t.patch), Some(patch("0.4.12").id()));
    assert_eq!(*commit.files["values.yaml"], *b"version: 0.4.12\n");
    assert_eq!(commit.parent, id("target"));
}

/// The scene after an edit of its merge request.
fn after(scene: &Scene) -> Scene {
    let Decision::Do { action, .. } = scene.decide() else { panic!("{:?}", scene.decide()) };
    let Action::Edit { edit, .. } = *action else { panic!() };
    let mut scene = scene.clone();
    let mr = &mut scene.observed.current.merge_requests[0];
    mr.title = edit.title.unwrap_or(mr.title.clone());
    mr.description = edit.description.unwrap();
    scene
}

#[test]
fn after_an_edit_nothing_is_left_to_do() {
    let moved = wanting("0.4.13").branch(ours("0.4.13")).open("0.4.12", as_it_is);
    assert_eq!(words(&after(&moved).decide()), "unchanged");
    let titled = wanting("0.4.13").branch(ours("0.4.13")).open("0.4.12", |mr| mr.title = "My title".into());
    let once = after(&titled);
    assert_eq!(words(&once.decide()), "unchanged");
    let later = Scene { wanted: Some("0.4.14"), ..once.branch(ours("0.4.14")) };
    assert_eq!(words(&later.decide()), "edit text 5, updated", "a person's title stays a person's");
    let theirs = wanting("0.4.13").branch(theirs()).open("0.4.12", as_it_is);
    assert_eq!(words(&after(&theirs).decide()), "edited by others, with a note");
    let frozen = wanting("0.4.13").branch(ours("0.4.12")).open("0.4.12", as_it_is).approved();
    assert_eq!(words(&after(&frozen).decide()), "unchanged, with a note");
}

#[test]
fn a_rebuild_is_asked_for_done_and_forgotten() {
    let asked = after(&wanting("0.4.12").branch(theirs()).open("0.4.12", |mr| ticked(mr, "rebuild")));
    let description =
        |scene: &Scene| Description::read(&scene.observed.current.merge_requests[0].description).unwrap();
    assert_eq!(description(&asked).boxes(), Boxes::default());
    assert_eq!(words(&asked.decide()), "push over head, updated");
    let mut pushed = asked.branch(ours("0.4.12"));
    pushed.observed.current.source.as_mut().unwrap().head = id("rebuilt");
    let described = after(&pushed);
    assert_eq!(description(&described).marker.rebuild, None);
    assert_eq!(words(&described.decide()), "unchanged");
}

#[test]
fn aligning_keys_is_not_silenced_by_the_update_that_was_merged() {
    let scene = wanting("0.4.12").with(merged("0.4.12"));
    let aligning =
        Update { current: "0.4.12".parse().ok(), patch: patch("0.4.12\nother: key"), ..update("0.4.12") };
    let wanted = DesiredState { work: Work::Update(Box::new(aligning)), ..scene.wanted() };
    assert_eq!(words(&next(&scene.observed, &wanted)), "push, created");
}

#[test]
fn what_closes_a_merge_request_is_written_into_it() {
    let scene = wanting("nothing")
        .branch(ours("0.4.12"))
        .open("0.4.12", as_it_is)
        .fate("0.4.12", OfferStatus::Withdrawn);
    let closed = after(&scene);
    let text = &closed.observed.current.merge_requests[0].description;
    insta::assert_snapshot!(text.lines().find(|line| line.contains("0.4.12")).unwrap(), @"> Closed: 0.4.12 is not published any more.");
    let marker = Description::read(text).unwrap().marker;
    assert_eq!(marker.closed.as_deref(), Some("0.4.12 is not published any more"));
}

#[test]
fn what_may_not_be_opened_now_is_withheld_and_what_is_open_is_kept() {
    let decide = |scene: &Scene| {
        next(&scene.observed, &DesiredState { withheld: Some(Outcome::Limited), ..scene.wanted() })
    };
    for scene in [wanting("0.4.12"), wanting("0.4.12").branch(ours("0.4.12"))] {
        let note = Some("0.4.12 waits to be proposed".to_owned());
        assert_eq!(decide(&scene), Decision::Done { outcome: Outcome::Limited, note });
    }
    let older = wanting("0.4.13").branch(ours("0.4.12")).open("0.4.12", as_it_is);
    assert!(matches!(decide(&older), Decision::Do { leads_to: Outcome::Updated, .. }));
    let closed = wanting("0.4.12").branch(ours("0.4.12")).with(closed("0.4.12"));
    assert!(matches!(decide(&closed), Decision::Done { outcome: Outcome::ClosedByOthers, .. }));
}
