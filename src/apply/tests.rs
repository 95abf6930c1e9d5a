use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;

use super::*;
use crate::forge::{
    Access, Branch, Commit, CommitId, Comparison, MergeRequest, MergeRequestEdit, MergeRequestSettings,
    MergeRequestState, Mergeability, NewCommit, NewMergeRequest, PipelineStatus, StateChange, TitleLimit,
};
use crate::merge_request::fate::{Fates, OfferStatus, ProducerFates};
use crate::merge_request::marker::Digests;
use crate::merge_request::{BranchPrefix, FileChange, Offered, Patch, Place, Update, Upkeep, Work};
use crate::release::Version;

/// A forge that keeps its state, and can be told to fail.
#[derive(Default)]
struct FakeForge(Mutex<State>);

#[derive(Default)]
struct State {
    commits: BTreeMap<CommitId, (Commit, Files)>,
    branches: BTreeMap<Branch, CommitId>,
    merge_requests: Vec<MergeRequest>,
    /// All requests, reads and writes, in words.
    requests: Vec<&'static str>,
    /// The answers to the next writes: the error, and whether the write happens all the same.
    faults: Vec<(ForgeError, bool)>,
    /// How many reads do not show the newest branch head yet.
    lag: usize,
    /// Which of the next comparisons do not show the commits of the source branch yet.
    empty_comparisons: Vec<bool>,
    /// The first write of this name is refused so, whatever the others are.
    refused: Option<(&'static str, ForgeError)>,
    stale: BTreeMap<Branch, Option<CommitId>>,
    approved: bool,
    pipeline: Option<PipelineStatus>,
    upkeep: Upkeep,
    fates: BTreeMap<Version, OfferStatus>,
}

type Files = BTreeMap<String, Vec<u8>>;

const SOURCE: &str = "dibump/main/images-0.x";
const WRITES: [&str; 6] = ["push", "create", "edit", "remove branch", "auto-merge", "no auto-merge"];

impl FakeForge {
    /// A project whose file names 0.4.11.
    fn new() -> Self {
        let forge = Self::default();
        forge.commit("main", "Initial", "0.4.11", &[]);
        forge
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Commits a file of two lines, on top of the branch's head and below more lines of a person's.
    fn commit(&self, branch: &str, message: &str, version: &str, extra: &[&str]) -> CommitId {
        let content = format!("# images\n{}version: {version}\n", extra.concat());
        let parent = self.state().branches.get(&Branch(branch.into())).cloned();
        self.add(branch, message, parent, [("values.yaml".to_owned(), content.into_bytes())].into())
    }

    fn add(&self, branch: &str, message: &str, parent: Option<CommitId>, files: Files) -> CommitId {
        let mut state = self.state();
        let id = CommitId(format!("{:040}", state.commits.len()));
        let mut all = parent.as_ref().map(|p| state.commits[p].1.clone()).unwrap_or_default();
        all.extend(files);
        let commit =
            Commit { id: id.clone(), parents: parent.into_iter().collect(), message: message.into() };
        state.commits.insert(id.clone(), (commit, all));
        state.branches.insert(Branch(branch.into()), id.clone());
        id
    }

    fn wanted(&self, version: &str) -> DesiredState {
        let parent = self.state().branches[&Branch("main".into())].clone();
        let before = self.state().commits[&parent].1["values.yaml"].clone();
        let after = String::from_utf8(before.clone()).unwrap().replace("0.4.11", version).into_bytes();
        let change = FileChange { before: Some(before.into()), after: after.into() };
        let patch = Patch::new([("values.yaml".to_owned(), change)].into());
        let version: Version = version.parse().unwrap();
        let update = Update {
            producer: "images".into(),
            current: "0.4.11".parse().ok(),
            version: Offered::One(version.clone()),
            patch,
            title: format!("Update images to {version}"),
            text: format!("Moves to {version}."),
            commit_message: format!("Update images to {version}"),
            trailers: vec![],
            digests: Digests::default(),
            settings: MergeRequestSettings::default(),
            upkeep: self.state().upkeep,
            needs_a_person: false,
        };
        self.wants(Work::Update(Box::new(update)))
    }

    fn nothing(&self) -> DesiredState {
        self.wants(Work::Nothing { outcome: Outcome::UpToDate, note: None })
    }

    fn wants(&self, work: Work) -> DesiredState {
        let fates = ProducerFates::new(self.state().fates.clone(), false);
        let fates = Fates::new([("images".to_owned(), fates)]);
        let place = self.place(&work);
        DesiredState { place, work, fates, description_limit: 1_000_000, withheld: None }
    }

    fn place(&self, work: &Work) -> Place {
        let target = Branch("main".into());
        let head = self.state().branches[&target].clone();
        let version = match work {
            Work::Update(update) => update.version.clone(),
            Work::Nothing { .. } => "0.4.11".parse().unwrap(),
        };
        let (_, version) = version.each().next().unwrap();
        Place::new(&BranchPrefix::default(), &target, &head, "images", version)
    }

    async fn reach(&self, wanted: &DesiredState, patience: Patience) -> Result<Ended, ForgeError> {
        apply(self, wanted, patience, &SharedWait::new(patience.checks)).await
    }

    async fn run(&self, version: &str) -> Result<Ended, ForgeError> {
        self.reach(&self.wanted(version), patience()).await
    }

    async fn outcome(&self, version: &str) -> String {
        self.run(version).await.unwrap().outcome.to_string()
    }

    fn written(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.state().requests).into_iter().filter(|r| WRITES.contains(r)).collect()
    }

    fn fail(&self, error: ForgeError, happens: bool) {
        self.state().faults.push((error, happens));
    }

    fn file(&self, branch: &str) -> String {
        let state = self.state();
        String::from_utf8(state.commits[&state.branches[&Branch(branch.into())]].1["values.yaml"].clone())
            .unwrap()
    }

    /// The project's own open merge request; there is exactly one.
    fn open(&self) -> MergeRequest {
        let state = self.state();
        let mut open = state
            .merge_requests
            .iter()
            .filter(|mr| mr.from_this_project && mr.state == MergeRequestState::Open);
        let mr = open.next().unwrap().clone();
        assert_eq!(open.next(), None);
        mr
    }

    fn change(&self, change: impl FnOnce(&mut MergeRequest)) {
        change(&mut self.state().merge_requests[0]);
    }

    fn set_auto_merge(&self, number: u64, on: bool) -> Result<(), ForgeError> {
        let (answer, happens) = self.answer(if on { "auto-merge" } else { "no auto-merge" });
        if happens {
            let mut state = self.state();
            let mr = state.merge_requests.iter_mut().find(|mr| mr.number == number).ok_or_else(invalid)?;
            mr.auto_merge = on;
        }
        answer
    }

    /// The answer to a write, and whether it happens.
    fn answer(&self, request: &'static str) -> (Result<(), ForgeError>, bool) {
        let mut state = self.state();
        state.requests.push(request);
        if let Some((_, error)) = state.refused.take_if(|(name, _)| *name == request) {
            return (Err(error), false);
        }
        match state.faults.is_empty() {
            true => (Ok(()), true),
            false => {
                let (error, happens) = state.faults.remove(0);
                (Err(error), happens)
            }
        }
    }
}

#[async_trait]
impl Forge for FakeForge {
    fn name(&self) -> &'static str {
        "GitLab"
    }

    fn title_limit(&self) -> TitleLimit {
        TitleLimit(255)
    }

    fn description_limit(&self) -> usize {
        1_000_000
    }

    async fn branches(&self, prefix: &str) -> Result<BTreeMap<Branch, CommitId>, ForgeError> {
        let mut state = self.state();
        state.requests.push("branches");
        let mut seen: BTreeMap<Branch, CommitId> = state.branches.clone();
        if state.lag > 0 && !state.stale.is_empty() {
            state.lag -= 1;
            for (branch, head) in &state.stale {
                match head {
                    Some(head) => seen.insert(branch.clone(), head.clone()),
                    None => seen.remove(branch),
                };
            }
        }
        seen.retain(|branch, _| branch.0.starts_with(prefix));
        Ok(seen)
    }

    async fn is_approved(&self, _: u64) -> Result<bool, ForgeError> {
        let mut state = self.state();
        state.requests.push("approvals");
        Ok(state.approved)
    }

    async fn pipeline(&self, _: u64) -> Result<Option<PipelineStatus>, ForgeError> {
        let mut state = self.state();
        state.requests.push("pipeline");
        Ok(state.pipeline.clone())
    }

    async fn remove_branch(&self, branch: &Branch, expected_head: &CommitId) -> Result<(), ForgeError> {
        let (answer, happens) = self.answer("remove branch");
        let mut state = self.state();
        if happens && state.branches.get(branch).is_some_and(|head| head != expected_head) {
            return Err(rejected("the branch moved"));
        }
        if happens {
            state.branches.remove(branch);
        }
        answer
    }

    async fn enable_auto_merge(&self, number: u64, _: &CommitId) -> Result<(), ForgeError> {
        self.set_auto_merge(number, true)
    }

    async fn cancel_auto_merge(&self, number: u64) -> Result<(), ForgeError> {
        self.set_auto_merge(number, false)
    }

    async fn default_branch(&self) -> Result<Branch, ForgeError> {
        Ok(Branch("main".to_owned()))
    }

    async fn head(&self, branch: &Branch) -> Result<Option<CommitId>, ForgeError> {
        tokio::task::yield_now().await;
        let mut state = self.state();
        state.requests.push("head");
        Ok(state.branches.get(branch).cloned())
    }

    async fn file(&self, path: &str, at: &CommitId) -> Result<Option<Vec<u8>>, ForgeError> {
        let mut state = self.state();
        state.requests.push("file");
        Ok(state.commits[at].1.get(path).cloned())
    }

    async fn paths(&self, at: &CommitId) -> Result<Vec<String>, ForgeError> {
        let mut state = self.state();
        state.requests.push("paths");
        Ok(state.commits[at].1.keys().cloned().collect())
    }

    async fn compare(&self, target: &CommitId, source: &CommitId) -> Result<Comparison, ForgeError> {
        let mut state = self.state();
        state.requests.push("compare");
        if !state.empty_comparisons.is_empty() && state.empty_comparisons.remove(0) {
            return Ok(Comparison { commits: Vec::new(), paths: Some(Vec::new()) });
        }
        let history = |from: &CommitId| {
            let mut line = vec![from.clone()];
            while let Some(parent) = state.commits[line.last().unwrap()].0.parents.first() {
                line.push(parent.clone());
            }
            line
        };
        let on_target = history(target);
        let on_source = history(source);
        let base = on_source.iter().find(|id| on_target.contains(id)).unwrap();
        let mut commits: Vec<Commit> =
            on_source.iter().take_while(|id| *id != base).map(|id| state.commits[id].0.clone()).collect();
        commits.reverse();
        let (old, new) = (&state.commits[base].1, &state.commits[source].1);
        let paths = new.keys().filter(|path| old.get(*path) != new.get(*path)).cloned().collect();
        Ok(Comparison { commits, paths: Some(paths) })
    }

    async fn merge_requests(&self, source: &Branch) -> Result<Vec<MergeRequest>, ForgeError> {
        tokio::task::yield_now().await;
        let mut state = self.state();
        state.requests.push("merge requests");
        let of_source = state.merge_requests.iter().filter(|mr| mr.source_branch == *source);
        Ok(of_source.cloned().collect())
    }

    async fn merge_request(&self, number: u64) -> Result<MergeRequest, ForgeError> {
        let mut state = self.state();
        state.requests.push("merge request");
        state.merge_requests.iter().find(|mr| mr.number == number).cloned().ok_or_else(invalid)
    }

    async fn open_merge_requests(&self, target: &Branch) -> Result<Vec<MergeRequest>, ForgeError> {
        let state = self.state();
        let open = |mr: &&MergeRequest| mr.state == MergeRequestState::Open && mr.target_branch == *target;
        Ok(state.merge_requests.iter().filter(open).cloned().collect())
    }

    async fn access(&self, _: &Branch) -> Result<Access, ForgeError> {
        Err(invalid())
    }

    async fn check_settings(&self, _: &MergeRequestSettings) -> Result<(), ForgeError> {
        Ok(())
    }

    async fn push(&self, new: &NewCommit) -> Result<CommitId, ForgeError> {
        tokio::task::yield_now().await;
        let (answer, happens) = self.answer("push");
        let head = self.state().branches.get(&new.branch).cloned();
        if happens && head != new.expected_head {
            return Err(rejected("the branch moved"));
        }
        if happens {
            self.state().stale.insert(new.branch.clone(), head);
            let files = new.files.iter().map(|(path, bytes)| (path.clone(), bytes.to_vec())).collect();
            self.add(&new.branch.0, &new.message, Some(new.parent.clone()), files);
        }
        answer.map(|()| self.state().branches[&new.branch].clone())
    }

    async fn create_merge_request(&self, new: &NewMergeRequest) -> Result<MergeRequest, ForgeError> {
        tokio::task::yield_now().await;
        let (answer, happens) = self.answer("create");
        let mut state = self.state();
        let open = |mr: &&MergeRequest| mr.from_this_project && mr.state == MergeRequestState::Open;
        let same = |mr: &MergeRequest| mr.source_branch == new.source_branch && open(&mr);
        if happens && state.merge_requests.iter().any(same) {
            return Err(rejected("another open merge request already exists for this source branch"));
        }
        let number = state.merge_requests.len() as u64 + 1;
        let mr = MergeRequest {
            source_branch: new.source_branch.clone(),
            ..merge_request(number, &new.title, &new.description)
        };
        if happens {
            state.merge_requests.insert(0, mr.clone());
        }
        answer.map(|()| mr)
    }

    async fn edit_merge_request(&self, number: u64, edit: &MergeRequestEdit) -> Result<bool, ForgeError> {
        let (answer, happens) = self.answer("edit");
        let mut state = self.state();
        let mr = state.merge_requests.iter_mut().find(|mr| mr.number == number).ok_or_else(invalid)?;
        if happens {
            mr.title = edit.title.clone().unwrap_or(mr.title.clone());
            mr.description = edit.description.clone().unwrap_or(mr.description.clone());
            match edit.state {
                Some(StateChange::Close) => mr.state = MergeRequestState::Closed,
                Some(StateChange::Reopen) => mr.state = MergeRequestState::Open,
                None => {}
            }
        }
        answer.map(|()| true)
    }
}

fn patience() -> Patience {
    let wait = Duration::from_millis(100);
    Patience { first: Duration::from_millis(1), total: wait, checks: wait }
}

fn merge_request(number: u64, title: &str, description: &str) -> MergeRequest {
    MergeRequest {
        number,
        url: format!("https://forge.example/{number}"),
        state: MergeRequestState::Open,
        title: title.into(),
        description: description.into(),
        source_branch: Branch(SOURCE.into()),
        target_branch: Branch("main".into()),
        from_this_project: true,
        head: None,
        mergeability: Mergeability::Clean,
        blocked_by: None,
        labels: vec![],
        draft: false,
        auto_merge: false,
    }
}

fn rejected(reason: &str) -> ForgeError {
    ForgeError::Rejected { action: "couldn't write".into(), reason: reason.into() }
}

fn not_yet() -> ForgeError {
    ForgeError::NotYet { action: "couldn't write".into(), reason: "the source branch does not exist".into() }
}

fn unavailable() -> ForgeError {
    let source = Arc::new(std::io::Error::other("reset"));
    ForgeError::Unavailable {
        action: "couldn't write".into(),
        host: "forge.example".into(),
        retry_after: None,
        source,
    }
}

fn invalid() -> ForgeError {
    ForgeError::Invalid { action: "couldn't read".into(), reason: "no such thing".into() }
}

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
    assert!(forge.written().is_empty(), "nobody said that it is not needed");

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
