//! What is written, and that nothing is left to do after it.

use super::*;

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
            "not where it was not asked for",
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
