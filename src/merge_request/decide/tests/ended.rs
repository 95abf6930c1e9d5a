//! An offer that people or the bot ended, or whose release is gone.

use super::*;

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
        ("nothing is closed where the releases are unknown", open(), "up to date, with a note"),
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
