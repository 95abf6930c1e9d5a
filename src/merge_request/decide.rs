//! The decision: what is there and what is wanted give one write, or none.
//!
//! [`next`] is called after every write with what is there then, so that being interrupted anywhere is the same as
//! being between two calls.

use crate::release::Version;

use super::branch::{Branch, CommitId, NewCommit};
use super::marker::{self, Marker, TitleHash};
use super::outcome::Outcome;
use super::ownership::Ownership;
use super::patch::Patch;
use super::request::{
    MergeRequest, MergeRequestEdit, MergeRequestSettings, MergeRequestState, Mergeability, NewMergeRequest,
};
use super::trailer::{self, Trailers};

/// What is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The source branch; `None` if there is none.
    pub source: Option<SourceBranch>,
    /// All merge requests between source and target branch, newest first; those from forks included.
    pub merge_requests: Vec<MergeRequest>,
}

/// The source branch as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceBranch {
    /// Its head.
    pub head: CommitId,
    /// Whose work it is.
    pub ownership: Ownership,
}

/// What should be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A merge request with this change.
    Update(Box<Update>),
    /// No change: the file is right as it is.
    Nothing,
}

/// A change and the merge request that offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The producer.
    pub producer: String,
    /// The source branch.
    pub source: Branch,
    /// The target branch.
    pub target: Branch,
    /// The target branch's head, at which the files were read and on which the commit will stand.
    pub parent: CommitId,
    /// The release that the file names now, where it names one.
    pub current: Option<Version>,
    /// The release that is wanted; the same one where only keys are to be aligned.
    pub version: Version,
    /// The change.
    pub patch: Patch,
    /// The title, without a draft prefix.
    pub title: String,
    /// The bot's part of the description (Markdown).
    pub text: String,
    /// The commit's title and body, without trailers.
    pub commit_message: String,
    /// Settings of a new merge request.
    pub settings: MergeRequestSettings,
    /// How many characters the forge allows in a description.
    pub description_limit: usize,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Make the source branch.
    Push(NewCommit),
    /// Open the merge request.
    Create(NewMergeRequest),
    /// Change the merge request.
    Edit {
        /// Its number.
        number: u64,
        /// What changes.
        edit: MergeRequestEdit,
    },
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// One write, then observe again.
    Do {
        /// The write.
        action: Box<Action>,
        /// What a run that goes on like this will have done.
        leads_to: Outcome,
    },
    /// Nothing is to be written.
    Done {
        /// How it stands.
        outcome: Outcome,
        /// What a person should know about it.
        note: Option<String>,
    },
}

/// The next write, or none.
pub fn next(observed: &Observed, wanted: &Wanted) -> Decision {
    // Anybody can open a merge request from a fork with our branch name and a forged marker.
    let ours: Vec<&MergeRequest> = observed.merge_requests.iter().filter(|mr| mr.from_this_project).collect();
    let open = ours.iter().find(|mr| mr.state == MergeRequestState::Open);
    match (wanted, open) {
        (Wanted::Nothing, None) => done(Outcome::UpToDate),
        (Wanted::Nothing, Some(open)) => {
            let note = format!("merge request {} is open, and nothing is left to change", open.number);
            noted(Outcome::UpToDate, note)
        }
        (Wanted::Update(update), None) => without_open(observed, &ours, update),
        (Wanted::Update(update), Some(open)) => with_open(observed, open, update),
    }
}

fn without_open(observed: &Observed, ours: &[&MergeRequest], update: &Update) -> Decision {
    if let Some(mr) = ours.iter().find(|mr| update.is_silenced_by(mr)) {
        let how = if mr.state == MergeRequestState::Merged { "merged and reverted" } else { "closed" };
        let note = format!("merge request {} for {} was {how} by a person", mr.number, update.version);
        return noted(Outcome::ClosedByOthers, note);
    }
    match branch(observed, update, None) {
        Branched::Right(head) => update.create(head),
        Branched::Write(expected) => update.push(expected, Outcome::Created),
        Branched::Leave(decision) => decision,
    }
}

fn with_open(observed: &Observed, open: &MergeRequest, update: &Update) -> Decision {
    let marker = Marker::read(&open.description);
    if let Some(newer) = update.is_behind(marker.as_ref(), observed.source.as_ref()) {
        let note =
            format!("merge request {} stays at {newer}, which is newer than {}", open.number, update.version);
        return noted(Outcome::Unchanged, note);
    }
    match branch(observed, update, Some(open)) {
        Branched::Right(head) => update.edit(open, marker, head),
        Branched::Write(expected) => update.push(expected, Outcome::Updated),
        Branched::Leave(decision) => decision,
    }
}

/// What is to be done about the source branch.
enum Branched<'a> {
    /// It is what is wanted; its head.
    Right(&'a CommitId),
    /// It is made anew, from this head.
    Write(Option<CommitId>),
    /// It is not touched.
    Leave(Decision),
}

fn branch<'a>(observed: &'a Observed, update: &Update, open: Option<&MergeRequest>) -> Branched<'a> {
    let Some(source) = &observed.source else {
        return Branched::Write(None);
    };
    match &source.ownership {
        Ownership::Recorded => Branched::Right(&source.head),
        Ownership::Ours { patch, parent, .. } => {
            // On the head of its target branch nothing can conflict: the forge has not looked again yet.
            let conflicts = open.is_some_and(|mr| mr.mergeability == Mergeability::Conflict);
            if *patch == update.patch.id() && !(conflicts && *parent != update.parent) {
                Branched::Right(&source.head)
            } else {
                Branched::Write(Some(source.head.clone()))
            }
        }
        Ownership::Nothing => Branched::Write(Some(source.head.clone())),
        Ownership::Others { why } => Branched::Leave(noted(Outcome::EditedByOthers, why.clone())),
        Ownership::Unknown { why } => Branched::Leave(done(Outcome::Unknown(why.clone()))),
    }
}

impl Update {
    /// Whether a person has said no to this: closed it, or reverted it after it was merged.
    fn is_silenced_by(&self, mr: &MergeRequest) -> bool {
        let Some(marker) = Marker::read(&mr.description) else {
            // Without its marker only the title says what it was for.
            let same_title = TitleHash::of(&mr.title) == TitleHash::of(&self.title);
            return mr.state == MergeRequestState::Closed && same_title;
        };
        // Aligning keys under the same release is not what was refused when the release was.
        let aligns = self.current.as_ref() == Some(&self.version);
        let same = marker.version == self.version && (!aligns || marker.patch == self.patch.id());
        match mr.state {
            MergeRequestState::Open => false,
            MergeRequestState::Closed => same && marker.closed.is_none(),
            MergeRequestState::Merged => same,
        }
    }

    /// The newer release that the merge request already offers.
    fn is_behind(&self, marker: Option<&Marker>, source: Option<&SourceBranch>) -> Option<Version> {
        let on_branch = match source.map(|source| &source.ownership) {
            Some(Ownership::Ours { release, .. }) => release.as_ref(),
            _ => None,
        };
        let offered = marker.map(|marker| &marker.version).max(on_branch)?;
        (offered > &self.version).then(|| offered.clone())
    }

    fn push(&self, expected_head: Option<CommitId>, leads_to: Outcome) -> Decision {
        let trailers = Trailers { patch: self.patch.id(), release: Some(self.version.clone()) };
        let commit = NewCommit {
            branch: self.source.clone(),
            parent: self.parent.clone(),
            expected_head,
            message: trailer::write(&self.commit_message, &trailers),
            files: self.patch.files().iter().map(|(path, file)| (path.clone(), file.after.clone())).collect(),
        };
        write(Action::Push(commit), leads_to)
    }

    fn create(&self, head: &CommitId) -> Decision {
        let new = NewMergeRequest {
            source_branch: self.source.clone(),
            target_branch: self.target.clone(),
            title: self.title.clone(),
            description: marker::describe(&self.text, &self.marker(head), self.description_limit),
            settings: self.settings.clone(),
        };
        write(Action::Create(new), Outcome::Created)
    }

    /// Brings title and text up to date, as far as they are still the bot's.
    fn edit(&self, open: &MergeRequest, marker: Option<Marker>, head: &CommitId) -> Decision {
        let Some(marker) = marker else {
            let note = format!("the text of merge request {} is a person's: its marker is gone", open.number);
            return noted(Outcome::Unchanged, note);
        };
        let title_is_ours = marker.title == TitleHash::of(&open.title);
        let new_title = (title_is_ours && open.title != self.title).then(|| self.title.clone());
        // A title that is a person's stays one, whatever it is.
        let hash = if title_is_ours { TitleHash::of(&self.title) } else { marker.title };
        let new_marker = Marker { title: hash, ..self.marker(head) };
        let description =
            marker::redescribe(&open.description, &self.text, &new_marker, self.description_limit);
        // A new title needs a new fingerprint: where the fence is gone, both are left alone.
        let edit =
            MergeRequestEdit { title: new_title.filter(|_| description.is_some()), description, state: None };
        if edit == MergeRequestEdit::default() {
            return done(Outcome::Unchanged);
        }
        write(Action::Edit { number: open.number, edit }, Outcome::Updated)
    }

    fn marker(&self, head: &CommitId) -> Marker {
        Marker {
            producer: self.producer.clone(),
            target: self.target.clone(),
            version: self.version.clone(),
            patch: self.patch.id(),
            commit: head.clone(),
            title: TitleHash::of(&self.title),
            closed: None,
        }
    }
}

fn write(action: Action, leads_to: Outcome) -> Decision {
    Decision::Do { action: Box::new(action), leads_to }
}

fn done(outcome: Outcome) -> Decision {
    Decision::Done { outcome, note: None }
}

fn noted(outcome: Outcome, note: String) -> Decision {
    Decision::Done { outcome, note: Some(note) }
}

#[cfg(test)]
mod tests;
