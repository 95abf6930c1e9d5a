//! Reads the source branch and its merge requests, with as few requests as the decision needs.

use std::collections::BTreeMap;

use crate::forge::{Branch, CommitId, Forge, ForgeError, MergeRequest, MergeRequestState, Mergeability};
use crate::merge_request::marker::Marker;
use crate::merge_request::ownership::{Candidate, Claim, claim};
use crate::merge_request::{FileChange, Observed, Ownership, SourceBranch, Update, Wanted};

/// Where the bot's work for one target branch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The source branch.
    pub source: Branch,
    /// The target branch.
    pub target: Branch,
}

/// What is there. An error means that it could not be told: nothing may be written then.
pub async fn observe(forge: &dyn Forge, place: &Place, wanted: &Wanted) -> Result<Observed, ForgeError> {
    let Wanted::Update(update) = wanted else {
        let merge_requests = forge.merge_requests(&place.source).await?;
        return Ok(Observed { source: None, merge_requests });
    };
    let (merge_requests, head) =
        futures::try_join!(forge.merge_requests(&place.source), forge.head(&place.source))?;
    let source = match head {
        None => None,
        Some(head) => {
            let ownership = ownership(forge, &head, &merge_requests, update).await?;
            Some(SourceBranch { head, ownership })
        }
    };
    Ok(Observed { source, merge_requests })
}

async fn ownership(
    forge: &dyn Forge,
    head: &CommitId,
    merge_requests: &[MergeRequest],
    update: &Update,
) -> Result<Ownership, ForgeError> {
    if merge_requests.iter().any(|mr| records(mr, head, update)) {
        return Ok(Ownership::Recorded);
    }
    match claim(&forge.compare(&update.parent, head).await?) {
        Claim::Settled(ownership) => Ok(ownership),
        Claim::Unproven(candidate) => prove(forge, candidate, update).await,
    }
}

/// The short cut: the marker says that this head is the wanted patch. Not on a conflict, where the parent counts.
fn records(mr: &MergeRequest, head: &CommitId, update: &Update) -> bool {
    let open = mr.from_this_project && mr.state == MergeRequestState::Open;
    let recorded = Marker::read(&mr.description)
        .is_some_and(|marker| marker.commit == *head && marker.patch == update.patch.id());
    open && recorded && mr.mergeability != Mergeability::Conflict
}

async fn prove(forge: &dyn Forge, candidate: Candidate, update: &Update) -> Result<Ownership, ForgeError> {
    let mut files = BTreeMap::new();
    for path in &candidate.paths {
        let before = match update.patch.files().get(path) {
            // The plan was made from the very same commit.
            Some(file) if candidate.parent == update.parent => Some(file.before.clone()),
            _ => forge.file(path, &candidate.parent).await?,
        };
        let after = forge.file(path, &candidate.commit).await?;
        let change = before.zip(after).map(|(before, after)| FileChange { before, after });
        files.insert(path.clone(), change);
    }
    Ok(candidate.prove(files))
}
