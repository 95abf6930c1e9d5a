//! Reads the source branches and their merge requests, with as few requests as the decision needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::forge::{
    Branch, BranchPrefix, CommitId, Forge, ForgeError, MergeRequest, MergeRequestState, Mergeability,
};
use crate::merge_request::description::Description;
use crate::merge_request::ownership::{Claim, ClaimedCommit, claim};
use crate::merge_request::{
    BranchOwner, DesiredState, FileChange, Freeze, Observed, Offer, Rebase, SourceBranch, Update, Work,
};

/// What is there. An error means that it could not be told: nothing may be written then.
///
/// One request where nothing is wanted and nothing is there, which is most of the time: what is open without a branch
/// can be left to people then.
pub async fn observe(forge: &dyn Forge, wanted: &DesiredState) -> Result<Observed, ForgeError> {
    let place = &wanted.place;
    let (mut heads, merge_requests) = match &wanted.work {
        Work::Nothing { .. } => {
            let heads = forge.branches(&place.prefix).await?;
            let is_there = heads.contains_key(&place.source) || place.strays.contains(&place.source);
            let found = if is_there { forge.merge_requests(&place.source).await? } else { Vec::new() };
            (heads, found)
        }
        Work::Update(_) => {
            futures::try_join!(forge.branches(&place.prefix), forge.merge_requests(&place.source))?
        }
    };
    heads.retain(|branch, _| place.is_source(branch));
    for stray in &place.strays {
        heads.extend(forge.head(stray).await?.map(|head| (stray.clone(), head)));
    }
    let reader = Reader { forge, wanted };
    let current = reader.offer(place.source.clone(), heads.remove(&place.source), merge_requests).await?;
    let mut others = Vec::new();
    for (branch, head) in heads {
        let merge_requests = forge.merge_requests(&branch).await?;
        others.push(reader.offer(branch, Some(head), merge_requests).await?);
    }
    let mut observed = Observed { current, others, approved: false, pipeline: None, no_drafts: false };
    reader.ask_the_forge(&mut observed).await?;
    Ok(observed)
}

/// The source branches of ours that are open under another prefix, which was set before. Asked where nothing is open under
/// the present one and a merge request would be opened; for nothing at all only where a prefix was ever set.
pub async fn strays(
    forge: &dyn Forge,
    wanted: &DesiredState,
    observed: &Observed,
) -> Result<BTreeSet<Branch>, ForgeError> {
    let place = &wanted.place;
    let is_usual = place.prefix.starts_with(&BranchPrefix::default().0);
    if observed.current.open(&place.target).is_some()
        || is_usual && matches!(wanted.work, Work::Nothing { .. })
    {
        return Ok(BTreeSet::new());
    }
    let open = forge.open_merge_requests(&place.target).await?;
    let is_stray = |mr: &&MergeRequest| {
        let marked = Description::read(&mr.description).map(|description| description.marker);
        mr.from_this_project
            && marked
                .is_some_and(|marker| place.is_stray(&mr.source_branch, &marker.target, &marker.producer))
    };
    Ok(open.iter().filter(is_stray).map(|mr| mr.source_branch.clone()).collect())
}

/// Looks again at the open merge request alone, for what the forge found of conflicts; `None` where more must be read,
/// because there is one, or something else changed.
pub async fn look_again(
    forge: &dyn Forge,
    wanted: &DesiredState,
    mut observed: Observed,
) -> Result<Option<Observed>, ForgeError> {
    let target = &wanted.place.target;
    let is_open = |mr: &&mut MergeRequest| {
        mr.from_this_project && mr.state == MergeRequestState::Open && mr.target_branch == *target
    };
    let Some(open) = observed.current.merge_requests.iter_mut().find(is_open) else { return Ok(None) };
    let now = forge.merge_request(open.number).await?;
    let is_as_it_was =
        MergeRequest { mergeability: open.mergeability, blocked_by: open.blocked_by.clone(), ..now.clone() }
            == *open;
    let conflicts = now.mergeability == Mergeability::Conflict;
    *open = now;
    Ok((is_as_it_was && !conflicts).then_some(observed))
}

struct Reader<'a> {
    forge: &'a dyn Forge,
    wanted: &'a DesiredState,
}

impl Reader<'_> {
    async fn offer(
        &self,
        branch: Branch,
        head: Option<CommitId>,
        merge_requests: Vec<MergeRequest>,
    ) -> Result<Offer, ForgeError> {
        let mut offer = Offer { branch, source: None, merge_requests };
        if let Some(head) = head {
            offer.source = Some(self.source(&offer, head).await?);
        }
        Ok(offer)
    }

    async fn source(&self, offer: &Offer, head: CommitId) -> Result<SourceBranch, ForgeError> {
        let update = self.update().filter(|_| self.wanted.place.source == offer.branch);
        let open = offer.open(&self.wanted.place.target);
        let unread = |ownership| SourceBranch { head: head.clone(), ownership, lacking: Vec::new() };
        if update.is_none() && open.is_none() && offer.closed_by_the_bot().is_none() {
            return Ok(unread(BranchOwner::Unknown { why: "nothing is open from this branch".to_owned() }));
        }
        if let (Some(update), Some(open)) = (update, open)
            && records(open, &head, update)
        {
            return Ok(unread(BranchOwner::Recorded));
        }
        let ownership = self.ownership(&head, update).await?;
        let theirs = matches!(ownership, BranchOwner::Others { .. });
        let lacking = match update.filter(|_| theirs && open.is_some()) {
            Some(update) => self.lacking(&head, update).await?,
            None => Vec::new(),
        };
        Ok(SourceBranch { head, ownership, lacking })
    }

    fn update(&self) -> Option<&Update> {
        match &self.wanted.work {
            Work::Update(update) => Some(update),
            Work::Nothing { .. } => None,
        }
    }

    async fn ownership(&self, head: &CommitId, update: Option<&Update>) -> Result<BranchOwner, ForgeError> {
        match claim(&self.forge.compare(&self.wanted.place.head, head).await?) {
            Claim::Settled(ownership) => Ok(ownership),
            Claim::Unproven(candidate) => self.prove(candidate, update).await,
        }
    }

    async fn prove(
        &self,
        candidate: ClaimedCommit,
        update: Option<&Update>,
    ) -> Result<BranchOwner, ForgeError> {
        let mut files = BTreeMap::new();
        for path in &candidate.paths {
            let known = update.and_then(|update| update.patch.files().get(path));
            let before = match known {
                // The plan was made from the very same commit.
                Some(file) if candidate.parent == self.wanted.place.head => file.before.clone(),
                _ => self.forge.file(path, &candidate.parent).await?.map(Into::into),
            };
            let after = self.forge.file(path, &candidate.commit).await?;
            let change = after.map(|after| FileChange { before, after: after.into() });
            files.insert(path.clone(), change);
        }
        Ok(candidate.prove(files))
    }

    /// The planned lines that a person's branch lacks.
    async fn lacking(&self, head: &CommitId, update: &Update) -> Result<Vec<String>, ForgeError> {
        let mut there = BTreeMap::new();
        for path in update.patch.files().keys() {
            there.extend(self.forge.file(path, head).await?.map(|content| (path.clone(), content)));
        }
        Ok(update.patch.lacking(&there))
    }

    /// What only the forge knows, where an open merge request's fate hangs on it.
    async fn ask_the_forge(&self, observed: &mut Observed) -> Result<(), ForgeError> {
        let (Some(update), Some(open)) = (self.update(), observed.current.open(&self.wanted.place.target))
        else {
            return Ok(());
        };
        let recorded = observed.current.source.as_ref().is_some_and(|s| s.ownership == BranchOwner::Recorded);
        let freezes = update.upkeep.freeze == Freeze::Approved && !recorded;
        let approved = freezes && self.forge.is_approved(open.number).await?;
        let merges = update.upkeep.auto_merge && !open.auto_merge;
        let pipeline = if merges { self.forge.pipeline(open.number).await? } else { None };
        (observed.approved, observed.pipeline) = (approved, pipeline);
        Ok(())
    }
}

/// The short cut: the marker says that this head is the wanted patch. Not where more than that is asked: on a conflict
/// and for `rebase: behind` the parent counts, and auto-merge asks for a proof.
fn records(open: &MergeRequest, head: &CommitId, update: &Update) -> bool {
    let recorded = Description::read(&open.description).is_some_and(|description| {
        let marker = description.marker;
        marker.commit == *head && marker.patch == update.patch.id() && marker.rebuild.is_none()
    });
    let proof_asked = update.upkeep.auto_merge && !open.auto_merge;
    recorded
        && open.mergeability != Mergeability::Conflict
        && update.upkeep.rebase != Rebase::Behind
        && !proof_asked
}
