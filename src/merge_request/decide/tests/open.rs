//! An offer that is open, or is to be opened.

use super::*;

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
            "being behind does not cause a push",
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
