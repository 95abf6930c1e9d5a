//! What GitLab remembers of conflicts. It is a cache: a push makes it void, and it is filled when somebody asks.

use super::state::{MergeRequest, Project, State};

/// The states of `merge_status` (`app/models/merge_request.rb`, `state_machine :merge_status`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// It is new; a check begins by itself once it is prepared.
    #[default]
    Preparing,
    Unchecked,
    Checking,
    CanBeMerged,
    CannotBeMerged,
    CannotBeMergedRecheck,
    CannotBeMergedRechecking,
}

/// The cache of one merge request.
#[derive(Debug, Clone, Default)]
pub struct Check {
    pub status: Status,
    /// How often it was read since the check began.
    reads: u32,
    /// The heads of the target and the source branch that it is about.
    about: Option<(String, String)>,
}

impl Status {
    /// `merge_status` as it is shown (`public_merge_status`).
    pub fn public(self) -> &'static str {
        match self {
            Self::Preparing | Self::Checking | Self::CannotBeMergedRechecking => "checking",
            Self::Unchecked => "unchecked",
            Self::CanBeMerged => "can_be_merged",
            Self::CannotBeMerged => "cannot_be_merged",
            Self::CannotBeMergedRecheck => "cannot_be_merged_recheck",
        }
    }

    /// After a push to either branch (`mark_as_unchecked`).
    fn after_a_push(self) -> Self {
        match self {
            Self::CannotBeMerged | Self::CannotBeMergedRecheck | Self::CannotBeMergedRechecking => {
                Self::CannotBeMergedRecheck
            }
            // What is prepared is checked afterwards in any case.
            Self::Preparing => Self::Preparing,
            Self::Unchecked | Self::Checking | Self::CanBeMerged => Self::Unchecked,
        }
    }

    fn is_under_way(self) -> bool {
        matches!(self, Self::Preparing | Self::Checking | Self::CannotBeMergedRechecking)
    }
}

/// Somebody asks for a check (`check_mergeability(async: true)`): it begins, and the answer is what it was before.
pub(super) fn ask(request: &mut MergeRequest) {
    request.check.status = match request.check.status {
        Status::Unchecked => Status::Checking,
        Status::CannotBeMergedRecheck => Status::CannotBeMergedRechecking,
        _ => return,
    };
    request.check.reads = 0;
}

/// What happens between two requests: pushes are noticed, and checks that are under way end.
pub(super) fn refresh(state: &mut State, id: u64) {
    let found: Vec<Option<(String, String)>> =
        state.projects[&id].merge_requests.iter().map(|request| heads(state, id, request)).collect();
    let conflicts: Vec<bool> =
        found.iter().map(|heads| heads.as_ref().is_none_or(|heads| conflict(state, id, heads))).collect();
    let project = state.project(id);
    let takes = project.check_takes;
    let open = project.merge_requests.iter_mut().zip(found).zip(conflicts);
    for ((request, heads), conflict) in open.filter(|((request, _), _)| request.state == "opened") {
        request.refresh(heads, conflict, takes);
    }
}

impl MergeRequest {
    /// An open merge request knows the head of its source branch.
    fn refresh(&mut self, heads: Option<(String, String)>, conflict: bool, takes: u32) {
        if let Some((_, source)) = &heads {
            self.sha.clone_from(source);
        }
        let check = &mut self.check;
        let before = std::mem::replace(&mut check.about, heads);
        if before.is_some() && before != check.about {
            check.status = check.status.after_a_push();
            return;
        }
        check.reads += 1;
        if check.status.is_under_way() && check.reads > takes {
            check.status = if conflict { Status::CannotBeMerged } else { Status::CanBeMerged };
        }
    }
}

fn heads(state: &State, id: u64, request: &MergeRequest) -> Option<(String, String)> {
    let target = state.projects[&id].repository.branches.get(&request.target_branch)?;
    let source = state.projects.get(&request.source_project)?.repository.branches.get(&request.source_branch);
    Some((target.clone(), source.unwrap_or(&request.sha).clone()))
}

fn conflict(state: &State, id: u64, (target, source): &(String, String)) -> bool {
    let repository = &state.projects[&id].repository;
    let anywhere = || state.projects.values().find_map(|project| project.repository.commit(source));
    match (repository.commit(target), anywhere()) {
        (Some(target), Some(source)) => repository.conflicts(target, source),
        _ => true,
    }
}

/// `has_conflicts` is `cannot_be_merged?`, which a recheck is not.
pub(super) fn conflicts(request: &MergeRequest) -> bool {
    match &request.detailed_merge_status {
        Some(status) => status == "conflict",
        None => request.state == "opened" && request.check.status == Status::CannotBeMerged,
    }
}

/// `detailed_merge_status`, in the order in which GitLab looks (`DetailedMergeStatusService`).
pub(super) fn detailed(project: &Project, request: &MergeRequest) -> String {
    if let Some(status) = &request.detailed_merge_status {
        return status.clone();
    }
    let approvals = request.approved_by.len() as u64;
    let status = match request.check.status {
        _ if request.state != "opened" => "not_open",
        Status::Preparing => "preparing",
        Status::Checking | Status::CannotBeMergedRechecking => "checking",
        Status::Unchecked | Status::CannotBeMergedRecheck => "unchecked",
        _ if request.title.starts_with("Draft: ") => "draft_status",
        _ if approvals < project.approvals_required => "not_approved",
        Status::CannotBeMerged => "conflict",
        Status::CanBeMerged => "mergeable",
    };
    status.to_owned()
}
