//! A forge as the stories see it: they run on a GitLab and on a GitHub alike.

use std::sync::Arc;

use crate::fake::git::Repository;
use crate::fake::github::FakeGitHub;
use crate::fake::gitlab::FakeGitLab;
use crate::fake::wire::{Failure, Seen, Turns};

pub(crate) const PROJECT: u64 = 42;
pub(crate) const PATH: &str = "sylva/sylva-core";
pub(crate) const SOURCE: &str = "dibump/main/diskimage-builder-0.x";
/// The bot's token, of which no trace may be left anywhere.
pub(crate) const TOKEN: &str = "secret-token-of-the-bot";

/// A merge request, whatever its forge calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) number: u64,
    /// `open`, `closed`, `merged`
    pub(crate) state: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) from_fork: bool,
    pub(crate) auto_merge: bool,
}

/// A forge with one project, to arrange and to look at.
pub(crate) trait Hub: Send + Sync {
    /// `forge:` of the configuration.
    fn config(&self) -> String;
    /// The environment variable that holds the token.
    fn token_variable(&self) -> &'static str;
    /// Parts of the targets of the requests that push a branch, and that open a merge request.
    fn writing(&self) -> [&'static str; 2];

    fn git(&self, work: &mut dyn FnMut(&mut Repository));
    /// Oldest first.
    fn opened(&self) -> Vec<Opened>;
    /// Writes state, title, text and target back.
    fn put(&self, opened: &Opened);
    fn forget_opened(&self);
    /// Opens one from somebody's fork, whose branch has a name of ours.
    fn open_from_fork(&self, source: &str, title: &str, text: &str);
    fn merge(&self, number: u64);
    fn approve(&self, number: u64);
    fn is_draft(&self, number: u64) -> bool;
    /// A person marks it ready.
    fn mark_ready(&self, number: u64);
    /// Whether the branch's head has a pipeline, and whether that failed.
    fn pipeline(&self, branch: &str, failed: bool);
    /// The branch's head has a pipeline that has succeeded.
    fn pipeline_succeeded(&self, branch: &str);

    /// From now on the list of all files ends too early.
    fn cut_list_of_files(&self);
    /// Makes a file a symbolic link.
    fn make_link(&self, path: &str);

    fn fail(&self, failure: Failure);
    fn heal(&self);
    /// Whether all failures that were arranged have struck.
    fn all_struck(&self) -> bool;
    fn take_turns(&self, turns: Option<Arc<Turns>>);
    fn log(&self) -> Vec<Seen>;
    fn writes(&self) -> Vec<Seen>;
    fn clear_log(&self);
    /// For stories that are told on GitLab alone.
    fn gitlab(&self) -> &FakeGitLab {
        panic!("this story is on GitHub")
    }
    /// For stories that are told on GitHub alone.
    fn github(&self) -> &FakeGitHub {
        panic!("this story is on GitLab")
    }
    /// What it knows, to come back to.
    fn keep(&self) -> Box<dyn std::any::Any + Send + Sync>;
    fn come_back(&self, kept: &(dyn std::any::Any + Send + Sync));
}

impl dyn Hub + '_ {
    /// The head of a branch.
    pub(crate) fn head(&self, branch: &str) -> Option<String> {
        let mut head = None;
        self.git(&mut |git| head = git.branches.get(branch).cloned());
        head
    }

    /// The text of a file on a branch.
    pub(crate) fn file(&self, branch: &str, path: &str) -> Option<String> {
        let mut file = None;
        self.git(&mut |git| file = git.file(branch, path));
        Some(String::from_utf8(file?.to_vec()).unwrap())
    }

    pub(crate) fn branches(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.git(&mut |git| names = git.branches.keys().cloned().collect());
        names
    }

    pub(crate) fn commit(&self, branch: &str, message: &str, files: &[(&str, &[u8])]) {
        self.git(&mut |git| drop(git.commit_on(branch, message, "alice", files)));
    }

    pub(crate) fn change(&self, number: u64, change: impl FnOnce(&mut Opened)) {
        let mut opened = self.opened().into_iter().find(|mr| mr.number == number).unwrap();
        change(&mut opened);
        self.put(&opened);
    }
}

pub(crate) async fn gitlab(files: &[(&str, &[u8])]) -> Box<dyn Hub> {
    let fake = FakeGitLab::start().await;
    fake.state().add_project(PROJECT, PATH, files);
    fake.state().add_bot(PROJECT, "project_42_bot", TOKEN);
    // Its developers may merge, which is not GitLab's default.
    fake.state().project(PROJECT).protected[0].merge = 30;
    Box::new(fake)
}

pub(crate) async fn github(files: &[(&str, &[u8])]) -> Box<dyn Hub> {
    let fake = FakeGitHub::start().await;
    fake.state().add_project(PROJECT, PATH, files);
    fake.state().add_bot(PROJECT, "sylva-bot", TOKEN);
    Box::new(fake)
}

impl Hub for FakeGitLab {
    fn gitlab(&self) -> &FakeGitLab {
        self
    }

    fn config(&self) -> String {
        format!("{{url: \"{}\"}}", self.address())
    }

    fn token_variable(&self) -> &'static str {
        "GITLAB_TOKEN"
    }

    fn writing(&self) -> [&'static str; 2] {
        ["/repository/commits", "/merge_requests"]
    }

    fn git(&self, work: &mut dyn FnMut(&mut Repository)) {
        work(&mut self.state().project(PROJECT).repository);
    }

    fn opened(&self) -> Vec<Opened> {
        let opened = |mr: &crate::fake::gitlab::MergeRequest| Opened {
            number: mr.iid,
            state: if mr.state == "opened" { "open".to_owned() } else { mr.state.clone() },
            title: mr.title.clone(),
            text: mr.description.clone().unwrap_or_default(),
            source: mr.source_branch.clone(),
            target: mr.target_branch.clone(),
            from_fork: mr.source_project != PROJECT,
            auto_merge: mr.auto_merge,
        };
        self.state().project(PROJECT).merge_requests.iter().map(opened).collect()
    }

    fn put(&self, opened: &Opened) {
        let mut state = self.state();
        let mr = state.project(PROJECT).merge_request(opened.number);
        mr.state = if opened.state == "open" { "opened".to_owned() } else { opened.state.clone() };
        mr.title.clone_from(&opened.title);
        mr.description = Some(opened.text.clone());
        mr.target_branch.clone_from(&opened.target);
    }

    fn forget_opened(&self) {
        self.state().project(PROJECT).merge_requests.clear();
    }

    fn open_from_fork(&self, source: &str, title: &str, text: &str) {
        let mut state = self.state();
        let fork = state.add_fork(PROJECT, 666, "mallory/sylva-core");
        let sha = fork.repository.commit_on(source, "Evil", "mallory", &[("values.yaml", b"evil: true\n")]);
        let project = state.project(PROJECT);
        let iid = project.open_merge_request(666, source, &sha, title);
        project.merge_request(iid).description = Some(text.to_owned());
    }

    fn merge(&self, number: u64) {
        self.state().project(PROJECT).merge(number);
    }

    fn approve(&self, number: u64) {
        self.state().project(PROJECT).merge_request(number).approved_by = vec!["alice".to_owned()];
    }

    fn is_draft(&self, number: u64) -> bool {
        self.state().project(PROJECT).merge_request(number).title.starts_with("Draft: ")
    }

    fn mark_ready(&self, number: u64) {
        let mut state = self.state();
        let title = &mut state.project(PROJECT).merge_request(number).title;
        *title = title.replacen("Draft: ", "", 1);
    }

    fn pipeline(&self, branch: &str, failed: bool) {
        let head = (self as &dyn Hub).head(branch).unwrap();
        let status = if failed { "FAILED" } else { "RUNNING" };
        self.state().project(PROJECT).pipelines.insert(head, status.to_owned());
    }

    fn pipeline_succeeded(&self, branch: &str) {
        let head = (self as &dyn Hub).head(branch).unwrap();
        self.state().project(PROJECT).pipelines.insert(head, "SUCCESS".to_owned());
    }

    fn cut_list_of_files(&self) {
        self.state().project(PROJECT).drops_links = true;
    }

    fn make_link(&self, path: &str) {
        self.state().project(PROJECT).links.insert(path.to_owned());
    }

    fn fail(&self, failure: Failure) {
        Self::fail(self, failure);
    }

    fn heal(&self) {
        Self::heal(self);
    }

    fn all_struck(&self) -> bool {
        Self::all_struck(self)
    }

    fn take_turns(&self, turns: Option<Arc<Turns>>) {
        Self::take_turns(self, turns);
    }

    fn log(&self) -> Vec<Seen> {
        Self::log(self)
    }

    fn writes(&self) -> Vec<Seen> {
        Self::writes(self)
    }

    fn clear_log(&self) {
        Self::clear_log(self);
    }

    fn keep(&self) -> Box<dyn std::any::Any + Send + Sync> {
        Box::new(self.state().clone())
    }

    fn come_back(&self, kept: &(dyn std::any::Any + Send + Sync)) {
        *self.state() = kept.downcast_ref::<crate::fake::gitlab::State>().unwrap().clone();
    }
}

impl Hub for FakeGitHub {
    fn github(&self) -> &FakeGitHub {
        self
    }

    fn config(&self) -> String {
        format!("{{kind: github, url: \"{}\", write_interval: 1ms}}", self.address())
    }

    fn token_variable(&self) -> &'static str {
        "GITHUB_TOKEN"
    }

    fn writing(&self) -> [&'static str; 2] {
        ["/git/refs", "/pulls"]
    }

    fn git(&self, work: &mut dyn FnMut(&mut Repository)) {
        work(&mut self.state().project(PROJECT).repository);
    }

    fn opened(&self) -> Vec<Opened> {
        let opened = |pr: &crate::fake::github::PullRequest| Opened {
            number: pr.number,
            state: pr.state.clone(),
            title: pr.title.clone(),
            text: pr.description.clone().unwrap_or_default(),
            source: pr.source_branch.clone(),
            target: pr.target_branch.clone(),
            from_fork: pr.source_project != Some(PROJECT),
            auto_merge: pr.auto_merge.is_some(),
        };
        self.state().project(PROJECT).pull_requests.iter().map(opened).collect()
    }

    fn put(&self, opened: &Opened) {
        let mut state = self.state();
        let pr = state.project(PROJECT).pull_request(opened.number);
        pr.state.clone_from(&opened.state);
        pr.title.clone_from(&opened.title);
        pr.description = Some(opened.text.clone());
        pr.target_branch.clone_from(&opened.target);
    }

    fn forget_opened(&self) {
        self.state().project(PROJECT).pull_requests.clear();
    }

    fn open_from_fork(&self, source: &str, title: &str, text: &str) {
        let mut state = self.state();
        let fork = state.add_fork(PROJECT, 666, "mallory/sylva-core");
        let sha = fork.repository.commit_on(source, "Evil", "mallory", &[("values.yaml", b"evil: true\n")]);
        let project = state.project(PROJECT);
        let number = project.open_pull_request((666, "mallory"), source, &sha, title);
        project.pull_request(number).description = Some(text.to_owned());
    }

    fn merge(&self, number: u64) {
        self.state().project(PROJECT).merge(number);
    }

    fn approve(&self, number: u64) {
        let mut state = self.state();
        let project = state.project(PROJECT);
        project.members.insert("alice".to_owned(), 3);
        project.pull_request(number).reviews.insert("alice".to_owned(), "APPROVED".to_owned());
    }

    fn is_draft(&self, number: u64) -> bool {
        self.state().project(PROJECT).pull_request(number).draft
    }

    fn mark_ready(&self, number: u64) {
        self.state().project(PROJECT).pull_request(number).draft = false;
    }

    fn pipeline(&self, branch: &str, failed: bool) {
        let head = (self as &dyn Hub).head(branch).unwrap();
        let status = if failed { "FAILURE" } else { "PENDING" };
        let mut state = self.state();
        let project = state.project(PROJECT);
        project.checks.insert(head, status.to_owned());
        // The check is a required one: otherwise GitHub lets everybody merge at once.
        for pr in &mut project.pull_requests {
            pr.mergeable_state = Some("blocked".to_owned());
        }
    }

    fn pipeline_succeeded(&self, branch: &str) {
        let head = (self as &dyn Hub).head(branch).unwrap();
        let mut state = self.state();
        let project = state.project(PROJECT);
        project.checks.insert(head, "SUCCESS".to_owned());
        for pr in &mut project.pull_requests {
            pr.mergeable_state = Some("clean".to_owned());
        }
    }

    fn cut_list_of_files(&self) {
        self.state().project(PROJECT).tree_overflows = true;
    }

    fn make_link(&self, path: &str) {
        self.state().project(PROJECT).modes.insert(path.to_owned(), 0o120_000);
    }

    fn fail(&self, failure: Failure) {
        Self::fail(self, failure);
    }

    fn heal(&self) {
        Self::heal(self);
    }

    fn all_struck(&self) -> bool {
        Self::all_struck(self)
    }

    fn take_turns(&self, turns: Option<Arc<Turns>>) {
        Self::take_turns(self, turns);
    }

    fn log(&self) -> Vec<Seen> {
        Self::log(self)
    }

    fn writes(&self) -> Vec<Seen> {
        Self::writes(self)
    }

    fn clear_log(&self) {
        Self::clear_log(self);
    }

    fn keep(&self) -> Box<dyn std::any::Any + Send + Sync> {
        Box::new(self.state().clone())
    }

    fn come_back(&self, kept: &(dyn std::any::Any + Send + Sync)) {
        *self.state() = kept.downcast_ref::<crate::fake::github::State>().unwrap().clone();
    }
}
