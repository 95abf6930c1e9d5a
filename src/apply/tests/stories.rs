//! From a plan to the merge request that it asks for, over a forge that keeps state.

use super::*;

#[tokio::test]
async fn a_newer_release_gives_one_merge_request_and_a_second_run_writes_nothing() {
    let forge = FakeForge::new();
    let applied = forge.run("0.4.12").await.unwrap();
    assert_eq!(applied.outcome, Outcome::Created);
    assert_eq!(applied.merge_request, Some((1, "https://forge.example/1".into())));
    assert_eq!(forge.written(), ["push", "create"]);
    assert_eq!(forge.file(SOURCE), "# images\nversion: 0.4.12\n");

    assert_eq!(forge.outcome("0.4.12").await, "unchanged");
    assert_eq!(forge.state().requests, ["branches", "merge requests"]);
}

#[tokio::test]
async fn a_newer_release_moves_the_same_merge_request() {
    let forge = FakeForge::new();
    forge.run("0.4.12").await.unwrap();
    forge.written();
    assert_eq!(forge.outcome("0.4.13").await, "updated");
    assert_eq!(forge.written(), ["push", "edit"]);
    assert_eq!(forge.open().title, "Update images to 0.4.13");
    assert_eq!(forge.outcome("0.4.13").await, "unchanged");
    assert_eq!(forge.outcome("0.4.12").await, "unchanged");
    assert!(forge.written().is_empty());
}

#[tokio::test]
async fn an_unrelated_commit_on_the_target_branch_causes_no_write() {
    let forge = FakeForge::new();
    forge.run("0.4.12").await.unwrap();
    forge.commit("main", "Unrelated", "0.4.11", &["other: 1\n"]);
    forge.written();
    assert_eq!(forge.outcome("0.4.12").await, "unchanged");
    assert!(forge.written().is_empty());
}

#[tokio::test]
async fn a_conflict_is_rebuilt_on_the_target_branch_once() {
    let forge = FakeForge::new();
    forge.run("0.4.12").await.unwrap();
    forge.commit("main", "Unrelated", "0.4.11", &["other: 1\n"]);
    forge.change(|mr| mr.mergeability = Mergeability::Conflict);
    forge.written();
    assert_eq!(forge.outcome("0.4.12").await, "updated");
    assert_eq!(forge.written(), ["push"]);
    assert_eq!(forge.file(SOURCE), "# images\nother: 1\nversion: 0.4.12\n");
    assert_eq!(forge.outcome("0.4.12").await, "unchanged");
}

#[tokio::test]
async fn a_run_killed_between_push_and_merge_request_is_finished_by_the_next() {
    let forge = FakeForge::new();
    forge.fail(ForgeError::Refused { action: "".into(), reason: "".into(), hint: None }, true);
    assert!(forge.run("0.4.12").await.is_err());
    assert_eq!(forge.written(), ["push"]);
    assert_eq!(forge.outcome("0.4.12").await, "created");
    assert_eq!(forge.written(), ["create"]);
}

#[tokio::test]
async fn two_runs_at_once_end_with_one_merge_request() {
    let forge = FakeForge::new();
    let (one, two) = tokio::join!(forge.run("0.4.12"), forge.run("0.4.12"));
    let outcomes = [one.unwrap().outcome, two.unwrap().outcome];
    assert!(outcomes.contains(&Outcome::Created), "{outcomes:?}");
    let written = forge.written();
    assert!(written.len() > 2, "the runs did not meet: {written:?}");
    forge.open();
    assert_eq!(forge.state().merge_requests.len(), 1);
    assert_eq!(forge.outcome("0.4.12").await, "unchanged");
}

#[tokio::test]
async fn a_forged_merge_request_from_a_fork_is_not_touched() {
    let real = FakeForge::new();
    real.run("0.4.12").await.unwrap();
    let forged = MergeRequest { from_this_project: false, ..real.open() };

    let forge = FakeForge::new();
    forge.state().merge_requests.push(forged.clone());
    assert_eq!(forge.outcome("0.4.12").await, "created");
    assert_eq!(forge.written(), ["push", "create"]);
    assert_eq!(forge.state().merge_requests.last(), Some(&forged));
    assert_ne!(forge.open().number, forged.number);
}

#[tokio::test]
async fn a_persons_commit_stays() {
    let forge = FakeForge::new();
    forge.run("0.4.12").await.unwrap();
    forge.commit(SOURCE, "My fix", "0.4.12", &["mine: 1\n"]);
    forge.written();
    let applied = forge.run("0.4.13").await.unwrap();
    assert_eq!(applied.outcome, Outcome::EditedByOthers);
    assert_eq!(applied.note.as_deref(), Some("2 commits are on the source branch"));
    assert_eq!(forge.written(), ["edit"]);
    assert!(forge.open().description.contains("it lacks:\n>\n> - `version: 0.4.13`"), "{:?}", forge.open());
    assert_eq!(forge.outcome("0.4.13").await, "edited by others");
    assert!(forge.written().is_empty(), "one note is enough");
    assert!(forge.file(SOURCE).contains("mine: 1"));
}

#[tokio::test]
async fn an_amended_commit_stays_even_with_the_trailer() {
    let forge = FakeForge::new();
    forge.run("0.4.12").await.unwrap();
    let (message, main) = {
        let state = forge.state();
        let head = &state.branches[&Branch(SOURCE.into())];
        (state.commits[head].0.message.clone(), state.branches[&Branch("main".into())].clone())
    };
    let amended = b"# images, amended\nversion: 0.4.12\n".to_vec();
    forge.add(SOURCE, &message, Some(main), [("values.yaml".to_owned(), amended)].into());
    assert_eq!(forge.outcome("0.4.13").await, "edited by others");
}

#[tokio::test]
async fn peoples_text_around_the_fence_and_their_title_stay() {
    let forge = FakeForge::new();
    forge.run("0.4.12").await.unwrap();
    forge.change(|mr| {
        mr.title = "My title".into();
        mr.description = format!("Before\r\n{}After  \n", mr.description);
    });
    assert_eq!(forge.outcome("0.4.13").await, "updated");
    let mr = forge.open();
    assert_eq!(mr.title, "My title");
    assert!(mr.description.starts_with("Before\r\n") && mr.description.ends_with("After  \n"), "{mr:?}");
    assert!(mr.description.contains("Moves to 0.4.13."), "{mr:?}");
}

#[tokio::test]
async fn the_lag_after_a_push_is_waited_for() {
    let forge = FakeForge::new();
    forge.state().lag = 3;
    assert_eq!(forge.outcome("0.4.12").await, "created");
    assert_eq!(forge.written(), ["push", "create"], "a branch that is not seen yet is not pushed again");

    let forge = FakeForge::new();
    forge.state().faults = vec![(not_yet(), false); 3];
    assert_eq!(forge.outcome("0.4.12").await, "created");
    assert_eq!(forge.written().len(), 5);
}

#[tokio::test]
async fn a_comparison_that_does_not_show_the_push_yet_is_waited_for() {
    let forge = FakeForge::new();
    forge.state().empty_comparisons = vec![true; 3];
    assert_eq!(forge.outcome("0.4.12").await, "created");
    assert_eq!(forge.written(), ["push", "create"], "nothing is pushed over what was pushed");

    let forge = FakeForge::new();
    forge.state().refused = Some(("create", not_yet()));
    forge.state().empty_comparisons = vec![false, true, true];
    assert_eq!(forge.outcome("0.4.12").await, "created");
    assert_eq!(forge.written(), ["push", "create", "create"], "also after a write that was refused");

    let forge = FakeForge::new();
    forge.state().empty_comparisons = vec![true; 1_000];
    let outcome = forge.outcome("0.4.12").await;
    let expected = "unknown: the forge does not show what commit 00000000, which was pushed, changes";
    assert_eq!(outcome, expected);
    assert_eq!(forge.written(), ["push"]);
}

#[tokio::test]
async fn a_lag_without_end_is_an_error() {
    let forge = FakeForge::new();
    forge.state().faults = vec![(not_yet(), false); 100];
    assert!(matches!(forge.run("0.4.12").await, Err(ForgeError::NotYet { .. })));
    assert!(forge.written().len() < 20);
}

#[tokio::test]
async fn a_write_without_an_answer_is_observed_and_not_repeated_blindly() {
    for happens in [true, false] {
        let forge = FakeForge::new();
        forge.fail(unavailable(), happens);
        forge.fail(unavailable(), happens);
        assert_eq!(forge.outcome("0.4.12").await, "created", "{happens}");
        let expected: &[&str] =
            if happens { &["push", "create"] } else { &["push", "push", "push", "create"] };
        assert_eq!(forge.written(), expected);
        forge.open();
    }
}

#[tokio::test]
async fn a_refused_write_is_not_tried_again() {
    for (error, tries) in [
        (ForgeError::Refused { action: "".into(), reason: "".into(), hint: None }, 1),
        (invalid(), 1),
        (rejected("a rule of the project"), 2),
        (unavailable(), MOST_PASSES),
    ] {
        let forge = FakeForge::new();
        forge.state().faults = vec![(error.clone(), false); 100];
        let patience = Patience { total: Duration::from_secs(5), ..patience() };
        let result = forge.reach(&forge.wanted("0.4.12"), patience).await;
        assert_eq!(result.unwrap_err().to_string(), error.to_string());
        assert_eq!(forge.written().len(), tries, "{error}");
    }
}

#[tokio::test]
async fn a_dry_run_reads_only() {
    let forge = FakeForge::new();
    let foresee = async |version| {
        let wanted = forge.wanted(version);
        foresee(&forge, &wanted).await.unwrap().outcome.to_string()
    };
    assert_eq!(foresee("0.4.12").await, "would create");
    assert!(forge.written().is_empty());
    forge.run("0.4.12").await.unwrap();
    forge.written();
    assert_eq!(foresee("0.4.12").await, "unchanged");
    assert_eq!(foresee("0.4.13").await, "would update");
    assert!(forge.written().is_empty());
}

#[tokio::test]
async fn a_file_that_is_right_costs_one_request() {
    let forge = FakeForge::new();
    let applied = forge.reach(&forge.nothing(), patience()).await.unwrap();
    assert_eq!(applied.outcome, Outcome::UpToDate);
    assert_eq!(forge.state().requests, ["branches"]);
}

#[tokio::test]
async fn what_nobody_needs_is_closed_and_its_branch_removed() {
    let forge = FakeForge::new();
    forge.run("0.4.12").await.unwrap();
    forge.written();
    assert_eq!(forge.reach(&forge.nothing(), patience()).await.unwrap().outcome, Outcome::UpToDate);
    assert!(forge.written().is_empty(), "it may still be needed");

    forge.state().fates.insert("0.4.12".parse().unwrap(), OfferStatus::Withdrawn);
    let applied = forge.reach(&forge.nothing(), patience()).await.unwrap();
    assert_eq!(applied.outcome, Outcome::Closed("0.4.12 is not published any more".into()));
    assert_eq!(forge.written(), ["edit", "remove branch"]);
    assert!(!forge.state().branches.contains_key(&Branch(SOURCE.into())));
    assert_eq!(forge.reach(&forge.nothing(), patience()).await.unwrap().outcome, Outcome::UpToDate);
    assert!(forge.written().is_empty());
}

#[tokio::test]
async fn a_new_major_version_supersedes_the_old_merge_request() {
    let forge = FakeForge::new();
    forge.run("0.4.12").await.unwrap();
    forge.written();
    let applied = forge.run("1.0.0").await.unwrap();
    assert_eq!(applied.outcome, Outcome::Created);
    assert_eq!(applied.note.as_deref(), Some("closed another one: superseded by 1.0.0"));
    assert_eq!(applied.merge_request.map(|(number, _)| number), Some(2));
    assert_eq!(forge.written(), ["push", "create", "edit", "remove branch"]);
    assert_eq!(forge.outcome("1.0.0").await, "unchanged");
    assert_eq!(forge.outcome("0.4.12").await, "unchanged", "it never goes back");
    assert!(forge.written().is_empty());
}

#[tokio::test]
async fn auto_merge_waits_for_a_pipeline_as_long_as_its_patience() {
    let forge = FakeForge::new();
    forge.state().upkeep.auto_merge = true;
    let applied = forge.run("0.4.12").await.unwrap();
    assert_eq!(applied.outcome, Outcome::Created);
    insta::assert_snapshot!(applied.note.unwrap(), @"waits for a pipeline of merge request 1; the next run looks again");
    let polls = |forge: &FakeForge| forge.state().requests.iter().filter(|r| **r == "pipeline").count();
    assert!(polls(&forge) > 2, "it waited");
    assert_eq!(forge.written(), ["push", "create"]);

    forge.run("0.4.12").await.unwrap();
    assert_eq!(polls(&forge), 1, "a run that wrote nothing does not wait");
    let head = forge.state().branches[&Branch(SOURCE.into())].clone();
    forge.change(|mr| mr.head = Some(head.clone()));
    forge.state().pipeline = Some(PipelineStatus { head, failed: false, succeeded: false });
    assert_eq!(forge.outcome("0.4.12").await, "updated");
    assert_eq!(forge.written(), ["auto-merge"]);
    assert_eq!(forge.outcome("0.4.13").await, "updated");
    assert_eq!(forge.written()[..2], ["no auto-merge", "push"]);
}

#[tokio::test]
async fn a_forge_that_will_not_merge_by_itself_is_no_failure() {
    let forge = FakeForge::new();
    forge.run("0.4.12").await.unwrap();
    let head = forge.state().branches[&Branch(SOURCE.into())].clone();
    forge.change(|mr| mr.head = Some(head.clone()));
    forge.state().pipeline = Some(PipelineStatus { head, failed: false, succeeded: false });
    forge.state().upkeep.auto_merge = true;
    forge.fail(rejected("not mergeable now"), false);
    let applied = forge.run("0.4.12").await.unwrap();
    assert_eq!(applied.outcome, Outcome::Unchanged);
    insta::assert_snapshot!(applied.note.unwrap(), @"couldn't write: not mergeable now");
}

#[tokio::test]
async fn an_approved_merge_request_is_not_pushed_to() {
    let forge = FakeForge::new();
    forge.state().upkeep.freeze = crate::merge_request::Freeze::Approved;
    forge.run("0.4.12").await.unwrap();
    forge.state().approved = true;
    forge.written();
    assert_eq!(forge.outcome("0.4.13").await, "updated");
    assert_eq!(forge.written(), ["edit"]);
    let description = forge.open().description;
    insta::assert_snapshot!(description.lines().find(|line| line.contains("0.4.13")).unwrap(), @"> `0.4.13` is published. This merge request stays at `0.4.12` because it is approved (`freeze: approved`); tick the first box below to move it.");
    assert_eq!(forge.outcome("0.4.13").await, "unchanged");
    forge.state().approved = false;
    assert_eq!(forge.outcome("0.4.13").await, "updated");
    assert_eq!(forge.written(), ["push", "edit"]);
}
