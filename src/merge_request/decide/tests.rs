use super::*;
use crate::merge_request::FileChange;

const DESCRIPTION_LIMIT: usize = 1_000_000;

/// The files of an update to `version`, which start with a line of the target branch.
fn patch(version: &str) -> Patch {
    let before = b"version: 0.4.11\n".to_vec();
    let after = format!("version: {version}\n").into_bytes();
    Patch::new([("values.yaml".to_owned(), FileChange { before, after })].into())
}

fn update(version: &str) -> Update {
    Update {
        producer: "images".into(),
        source: Branch("dibump/main/images-0.x".into()),
        target: Branch("main".into()),
        parent: id("target"),
        current: "0.4.11".parse().ok(),
        version: version.parse().unwrap(),
        patch: patch(version),
        title: format!("Update images to {version}"),
        text: format!("Moves to {version}."),
        commit_message: format!("Update images to {version}"),
        settings: MergeRequestSettings::default(),
        description_limit: DESCRIPTION_LIMIT,
    }
}

fn id(text: &str) -> CommitId {
    CommitId(text.into())
}

fn ours(version: &str) -> Ownership {
    Ownership::Ours { patch: patch(version).id(), parent: id("target"), release: version.parse().ok() }
}

fn others() -> Ownership {
    Ownership::Others { why: "2 commits are on the source branch".into() }
}

/// An open merge request as the bot wrote it.
fn open(version: &str) -> MergeRequest {
    let update = update(version);
    MergeRequest {
        number: 5,
        url: "https://forge.example/5".into(),
        state: MergeRequestState::Open,
        title: update.title.clone(),
        description: marker::describe(&update.text, &update.marker(&id("head")), DESCRIPTION_LIMIT),
        source_branch: update.source,
        target_branch: update.target,
        from_this_project: true,
        head: Some(id("head")),
        mergeability: Mergeability::Clean,
        labels: vec![],
        draft: false,
        auto_merge: false,
    }
}

fn with(version: &str, change: impl FnOnce(&mut MergeRequest)) -> Vec<MergeRequest> {
    let mut mr = open(version);
    change(&mut mr);
    vec![mr]
}

fn closed(version: &str) -> Vec<MergeRequest> {
    with(version, |mr| mr.state = MergeRequestState::Closed)
}

fn merged(version: &str) -> Vec<MergeRequest> {
    with(version, |mr| mr.state = MergeRequestState::Merged)
}

fn closed_by_the_bot(version: &str) -> Vec<MergeRequest> {
    let update = update(version);
    let marker = Marker { closed: Some("superseded".into()), ..update.marker(&id("head")) };
    with(version, |mr| {
        mr.state = MergeRequestState::Closed;
        mr.description = marker::describe(&update.text, &marker, DESCRIPTION_LIMIT);
    })
}

fn decide(source: Option<Ownership>, merge_requests: Vec<MergeRequest>, wanted: &str) -> Decision {
    let source = source.map(|ownership| SourceBranch { head: id("head"), ownership });
    let wanted = match wanted {
        "nothing" => Wanted::Nothing,
        version => Wanted::Update(Box::new(update(version))),
    };
    next(&Observed { source, merge_requests }, &wanted)
}

/// A decision in few words.
fn words(decision: &Decision) -> String {
    match decision {
        Decision::Done { outcome, note } => match note {
            Some(_) => format!("{outcome}, with a note"),
            None => outcome.to_string(),
        },
        Decision::Do { action, leads_to } => match action.as_ref() {
            Action::Push(commit) => {
                let over = commit.expected_head.as_ref().map(|head| format!(" over {head}"));
                format!("push{}, {leads_to}", over.unwrap_or_default())
            }
            Action::Create(_) => format!("create, {leads_to}"),
            Action::Edit { edit, .. } => {
                let title = edit.title.as_ref().map_or("", |_| " title");
                let text = edit.description.as_ref().map_or("", |_| " text");
                format!("edit{title}{text}, {leads_to}")
            }
        },
    }
}

type Row = (&'static str, Option<Ownership>, Vec<MergeRequest>, &'static str, &'static str);

#[test]
fn every_state_has_one_decision() {
    let conflict = |mr: &mut MergeRequest| mr.mergeability = Mergeability::Conflict;
    let stale = Ownership::Ours { patch: patch("0.4.12").id(), parent: id("older"), release: None };
    let unknown = Ownership::Unknown { why: "cut".into() };
    let rows: Vec<Row> = vec![
        // Nothing is there yet.
        ("a newer release gives a branch", None, vec![], "0.4.12", "push, created"),
        (
            "a branch without a merge request gets one",
            Some(ours("0.4.12")),
            vec![],
            "0.4.12",
            "create, created",
        ),
        (
            "a branch for an older release is moved first",
            Some(ours("0.4.12")),
            vec![],
            "0.4.13",
            "push over head, created",
        ),
        (
            "a merged branch that was left is used again",
            Some(Ownership::Nothing),
            merged("0.4.11"),
            "0.4.12",
            "push over head, created",
        ),
        (
            "a person's branch with our name is left alone",
            Some(others()),
            vec![],
            "0.4.12",
            "edited-by-others, with a note",
        ),
        (
            "a branch that could not be read is left alone",
            Some(unknown.clone()),
            vec![],
            "0.4.12",
            "unknown(cut)",
        ),
        // Ours is open.
        (
            "the same change is not pushed again",
            Some(ours("0.4.12")),
            vec![open("0.4.12")],
            "0.4.12",
            "unchanged",
        ),
        (
            "the recorded commit needs no reading",
            Some(Ownership::Recorded),
            vec![open("0.4.12")],
            "0.4.12",
            "unchanged",
        ),
        (
            "a newer release moves the branch first",
            Some(ours("0.4.12")),
            vec![open("0.4.12")],
            "0.4.13",
            "push over head, updated",
        ),
        (
            "then title and text follow",
            Some(ours("0.4.13")),
            vec![open("0.4.12")],
            "0.4.13",
            "edit title text, updated",
        ),
        (
            "it never goes back to an older release",
            Some(ours("0.4.13")),
            vec![open("0.4.13")],
            "0.4.12",
            "unchanged, with a note",
        ),
        (
            "not even when its marker is gone",
            Some(ours("0.4.13")),
            with("0.4.13", |mr| mr.description.clear()),
            "0.4.12",
            "unchanged, with a note",
        ),
        (
            "it is rebuilt on a conflict",
            Some(stale.clone()),
            with("0.4.12", conflict),
            "0.4.12",
            "push over head, updated",
        ),
        ("being behind is no reason to push", Some(stale), vec![open("0.4.12")], "0.4.12", "unchanged"),
        (
            "a conflict on the target's own head is old news",
            Some(ours("0.4.12")),
            with("0.4.12", conflict),
            "0.4.12",
            "unchanged",
        ),
        ("a branch that is gone is made again", None, vec![open("0.4.12")], "0.4.12", "push, updated"),
        (
            "a branch that lost its commit is made again",
            Some(Ownership::Nothing),
            vec![open("0.4.12")],
            "0.4.12",
            "push over head, updated",
        ),
        (
            "nothing left to change is up to date",
            Some(ours("0.4.12")),
            vec![open("0.4.12")],
            "nothing",
            "up-to-date, with a note",
        ),
        ("nothing to change at all is up to date", None, vec![], "nothing", "up-to-date"),
        // People were there.
        (
            "a person's commit stays",
            Some(others()),
            vec![open("0.4.12")],
            "0.4.13",
            "edited-by-others, with a note",
        ),
        ("what could not be read stays", Some(unknown), vec![open("0.4.12")], "0.4.13", "unknown(cut)"),
        (
            "a person's title stays",
            Some(ours("0.4.13")),
            with("0.4.12", |mr| mr.title = "My title".into()),
            "0.4.13",
            "edit text, updated",
        ),
        (
            "a text whose marker was deleted stays",
            Some(ours("0.4.13")),
            with("0.4.12", |mr| mr.description = "Mine".into()),
            "0.4.13",
            "unchanged, with a note",
        ),
        (
            "its branch still moves",
            Some(ours("0.4.12")),
            with("0.4.12", |mr| mr.description = "Mine".into()),
            "0.4.13",
            "push over head, updated",
        ),
        // People said no.
        (
            "closed by a person silences the release",
            None,
            closed("0.4.12"),
            "0.4.12",
            "closed-by-others, with a note",
        ),
        ("but not the next one", None, closed("0.4.12"), "0.4.13", "push, created"),
        ("closed by the bot silences nothing", None, closed_by_the_bot("0.4.12"), "0.4.12", "push, created"),
        (
            "closed without its marker is known by its title",
            None,
            with("0.4.12", |mr| {
                mr.state = MergeRequestState::Closed;
                mr.description.clear();
            }),
            "0.4.12",
            "closed-by-others, with a note",
        ),
        (
            "merged and reverted silences the release",
            None,
            merged("0.4.12"),
            "0.4.12",
            "closed-by-others, with a note",
        ),
        ("but not the next one after it", None, merged("0.4.12"), "0.4.13", "push, created"),
        // Forks.
        (
            "an open one from a fork is not ours",
            None,
            with("0.4.12", |mr| mr.from_this_project = false),
            "0.4.12",
            "push, created",
        ),
        (
            "a closed one from a fork silences nothing",
            None,
            {
                let mut fork = closed("0.4.12");
                fork[0].from_this_project = false;
                fork
            },
            "0.4.12",
            "push, created",
        ),
    ];
    for (sentence, source, merge_requests, wanted, expected) in rows {
        assert_eq!(words(&decide(source, merge_requests, wanted)), expected, "{sentence}");
    }
}

#[test]
fn a_commit_claims_the_patch_that_it_is() {
    let Decision::Do { action, .. } = decide(None, vec![], "0.4.12") else { panic!() };
    let Action::Push(commit) = *action else { panic!() };
    assert_eq!(trailer::read(&commit.message).map(|t| t.patch), Some(patch("0.4.12").id()));
    assert_eq!(commit.files["values.yaml"], b"version: 0.4.12\n");
    assert_eq!(commit.parent, id("target"));
}

#[test]
fn a_persons_title_stays_a_persons_through_every_edit() {
    let titled = with("0.4.12", |mr| mr.title = "My title".into());
    let Decision::Do { action, .. } = decide(Some(ours("0.4.13")), titled.clone(), "0.4.13") else {
        panic!()
    };
    let Action::Edit { edit, .. } = *action else { panic!() };
    let mut again = titled;
    again[0].description = edit.description.unwrap();
    assert_eq!(words(&decide(Some(ours("0.4.13")), again.clone(), "0.4.13")), "unchanged");
    assert_eq!(words(&decide(Some(ours("0.4.14")), again, "0.4.14")), "edit text, updated");
}

#[test]
fn aligning_keys_is_not_silenced_by_the_update_that_was_merged() {
    let mut aligning = update("0.4.12");
    aligning.current = aligning.version.clone().into();
    aligning.patch = patch("0.4.12\nother: key");
    let observed = Observed { source: None, merge_requests: merged("0.4.12") };
    assert_eq!(words(&next(&observed, &Wanted::Update(Box::new(aligning)))), "push, created");
}

#[test]
fn after_an_edit_nothing_is_left_to_do() {
    let Decision::Do { action, .. } = decide(Some(ours("0.4.13")), vec![open("0.4.12")], "0.4.13") else {
        panic!()
    };
    let Action::Edit { edit, .. } = *action else { panic!() };
    let edited = with("0.4.12", |mr| {
        mr.title = edit.title.unwrap();
        mr.description = edit.description.unwrap();
    });
    assert_eq!(words(&decide(Some(ours("0.4.13")), edited, "0.4.13")), "unchanged");
}
