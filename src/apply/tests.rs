mod stories;

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
