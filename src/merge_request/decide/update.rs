//! An update on its way: branch first, then the merge request, then its text, then what the forge does by itself.

use super::super::Offered;
use super::super::branch::{CommitId, NewCommit, Place};
use super::super::description::Description;
use super::super::marker::{Digests, Marker, TextHash};
use super::super::notice;
use super::super::outcome::Outcome;
use super::super::ownership::BranchOwner;
use super::super::patch::Patch;
use super::super::request::{
    MergeRequest, MergeRequestEdit, MergeRequestSettings, MergeRequestState, Mergeability, NewMergeRequest,
    OnClosed, Rebase, StateChange, Upkeep,
};
use super::super::trailer::{self, Trailers};
use super::{Action, Awaited, Decision, Observed, SourceBranch, done, noted, write};

/// A change and the merge request that offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The producer, or the group of several.
    pub producer: String,
    /// The releases that the file names now, where it names some.
    pub current: Option<Offered>,
    /// The releases that are wanted; the same ones where only keys are to be aligned.
    pub version: Offered,
    /// The change.
    pub patch: Patch,
    /// The title, without a draft prefix.
    pub title: String,
    /// The bot's part of the description (Markdown).
    pub text: String,
    /// The commit's title and body, without trailers.
    pub commit_message: String,
    /// Trailers of the user, above the bot's own.
    pub trailers: Vec<String>,
    /// What the tag of each listed image points to.
    pub digests: Digests,
    /// Settings of a new merge request.
    pub settings: MergeRequestSettings,
    /// How an open one is kept.
    pub upkeep: Upkeep,
    /// Whether a person must look at the change before it is merged: then an open merge request that gets it becomes a
    /// draft.
    pub needs_a_person: bool,
}

/// An update, and where it goes.
pub(super) struct Updating<'a> {
    pub(super) update: &'a Update,
    pub(super) place: &'a Place,
    /// How many characters the forge allows in a description.
    pub(super) description_limit: usize,
}

/// What is to be done about the source branch.
enum Branched<'a> {
    /// It is what is wanted.
    Right(&'a SourceBranch),
    /// It is made anew, from this head.
    Write(Option<CommitId>),
    /// People's commits are on it: it is not touched.
    Theirs(&'a SourceBranch, &'a str),
    /// It could not be read: it is not touched.
    Unknown(&'a str),
}

impl Updating<'_> {
    /// The next write towards this update, or none.
    pub(super) fn next(&self, observed: &Observed) -> Decision {
        if let Some(elsewhere) = self.retargeted(observed) {
            let (number, target) = (elsewhere.number, &elsewhere.target_branch);
            let note =
                format!("merge request {number} of branch {} goes to {target} by now", self.place.source);
            return noted(Outcome::EditedByOthers, note);
        }
        let newer = observed.offers().find_map(|offer| {
            let open = offer.open(&self.place.target)?;
            let offered = offer.offered(open).filter(|offered| *offered > self.update.version)?;
            Some(format!(
                "merge request {} stays at {offered}, which is newer than {}",
                open.number, self.update.version
            ))
        });
        match (newer, observed.current.open(&self.place.target)) {
            (Some(note), _) => noted(Outcome::Unchanged, note),
            (None, None) => self.without_open(observed),
            (None, Some(open)) => self.with_open(observed, open),
        }
    }

    /// An open merge request of our branch that a person pointed to another target branch.
    fn retargeted<'a>(&self, observed: &'a Observed) -> Option<&'a MergeRequest> {
        if observed.current.open(&self.place.target).is_some() {
            return None;
        }
        observed.current.own().find(|mr| mr.state == MergeRequestState::Open)
    }

    fn without_open(&self, observed: &Observed) -> Decision {
        // The newest word on this release counts.
        if let Some(said) = observed.current.own().find(|mr| self.is_refused_by(mr)) {
            let again = Description::read(&said.description).is_some_and(|text| text.boxes().again);
            let closed = said.state == MergeRequestState::Closed;
            let reopens = closed && self.update.upkeep.on_closed == OnClosed::Reopen;
            if !again && !reopens {
                let how = if closed { "closed" } else { "merged and reverted" };
                let note = format!(
                    "merge request {} for {} was {how} by a person",
                    said.number, self.update.version
                );
                return noted(Outcome::ClosedByOthers, note);
            }
            // A forge opens it again only where its branch stands as it did.
            let head = observed.current.source.as_ref().map(|source| &source.head);
            if closed && head.is_some() && head == said.head.as_ref() {
                let edit = MergeRequestEdit::state(StateChange::Reopen);
                return write(Action::Edit { number: said.number, edit }, Outcome::Reopened);
            }
        }
        match self.branch(observed, None) {
            Branched::Right(source) => self.create(&source.head),
            Branched::Write(expected) => self.push(expected, Outcome::Created),
            Branched::Theirs(_, why) => noted(Outcome::EditedByOthers, why.to_owned()),
            Branched::Unknown(why) => done(Outcome::Unknown(why.to_owned())),
        }
    }

    /// Whether a person has said no to this: closed it, or reverted it after it was merged.
    fn is_refused_by(&self, mr: &MergeRequest) -> bool {
        let Some(Description { marker, .. }) = Description::read(&mr.description) else {
            // Without its marker only the title says what it was for.
            let same_title = TextHash::of(&mr.title) == TextHash::of(&self.update.title);
            return mr.state == MergeRequestState::Closed && same_title;
        };
        // Aligning keys under the same release is not what was refused when the release was.
        let aligns = self.update.current.as_ref() == Some(&self.update.version);
        let same =
            marker.version == self.update.version && (!aligns || marker.patch == self.update.patch.id());
        match mr.state {
            MergeRequestState::Open => false,
            MergeRequestState::Closed => same && marker.closed.is_none(),
            MergeRequestState::Merged => same,
        }
    }

    fn with_open(&self, observed: &Observed, open: &MergeRequest) -> Decision {
        let description = Description::read(&open.description);
        if let Some(description) = &description {
            let decision = self
                .asked(observed, open, description)
                .or_else(|| self.moved(open, description))
                .or_else(|| self.complete(open, description));
            if let Some(decision) = decision {
                return decision;
            }
        }
        match self.branch(observed, Some(open)) {
            Branched::Right(source) => self.describe(observed, open, description, source),
            Branched::Write(Some(_)) if observed.approved => self.frozen(open, description),
            Branched::Write(_) if open.auto_merge => cancel_auto_merge(open),
            // A draft first, so that nobody merges the push before it is one. Whoever marks it ready afterwards has looked.
            Branched::Write(_) if self.update.needs_a_person && !open.draft && !observed.no_drafts => {
                let edit = MergeRequestEdit { draft: true, ..MergeRequestEdit::default() };
                write(Action::Edit { number: open.number, edit }, Outcome::Updated)
            }
            Branched::Write(expected) => self.push(expected, Outcome::Updated),
            Branched::Theirs(source, why) => {
                let text = notice::edited(why, &self.update.version, &source.lacking);
                self.announce(open, description, &text, noted(Outcome::EditedByOthers, why.to_owned()))
            }
            Branched::Unknown(why) => done(Outcome::Unknown(why.to_owned())),
        }
    }

    /// A person ticked the box for a rebuild: first that is written down for the head that the person saw, then it is
    /// done. Work that is pushed after the tick has another head, and stays.
    fn asked(&self, observed: &Observed, open: &MergeRequest, description: &Description) -> Option<Decision> {
        let source = observed.current.source.as_ref();
        let head = source.map(|source| source.head.clone());
        if description.boxes().rebuild {
            let mut noted_down = description.clone().with_empty_boxes();
            noted_down.marker.rebuild = head;
            let edit = MergeRequestEdit::description(noted_down.write(self.description_limit));
            return Some(write(Action::Edit { number: open.number, edit }, Outcome::Updated));
        }
        let asked = description.marker.rebuild.is_some() && description.marker.rebuild == head;
        if !asked || source.is_some_and(|source| self.is_fresh(source)) {
            return None;
        }
        Some(if open.auto_merge { cancel_auto_merge(open) } else { self.push(head, Outcome::Updated) })
    }

    /// It was opened, and the answer was lost before its labels and people were set.
    fn complete(&self, open: &MergeRequest, description: &Description) -> Option<Decision> {
        let mut set = description.clone();
        std::mem::take(&mut set.marker.unset).then(|| {
            let edit = MergeRequestEdit {
                settings: Some(self.update.settings.clone()),
                ..MergeRequestEdit::description(set.write(self.description_limit))
            };
            write(Action::Edit { number: open.number, edit }, Outcome::Updated)
        })
    }

    /// Whether the branch is exactly what a rebuild would make.
    fn is_fresh(&self, source: &SourceBranch) -> bool {
        matches!(&source.ownership,
            BranchOwner::Ours { patch, parent, .. } if *patch == self.update.patch.id() && *parent == self.place.head)
    }

    /// Under the tag stand other images than the text says: a person must look, unless one asked for a rebuild.
    fn moved(&self, open: &MergeRequest, description: &Description) -> Option<Decision> {
        let Marker { version, digests, rebuild, .. } = &description.marker;
        let moved = digests.moved(&self.update.digests);
        if *version != self.update.version || rebuild.is_some() || moved.is_empty() {
            return None;
        }
        if open.auto_merge {
            return Some(cancel_auto_merge(open));
        }
        let note = format!("the tag {version} was moved; look at merge request {}", open.number);
        let refused = noted(Outcome::Refused("tag moved".to_owned()), note);
        let text = notice::moved(version, &moved);
        Some(self.announce(open, Some(description.clone()), &text, refused))
    }

    /// Says something about the state of the merge request, in its description; then `done`.
    fn announce(
        &self,
        open: &MergeRequest,
        description: Option<Description>,
        notice: &str,
        done: Decision,
    ) -> Decision {
        let new = description.map(|description| description.with_notice(notice));
        match new.and_then(|new| new.instead_of(&open.description, self.description_limit)) {
            Some(text) => {
                let edit = MergeRequestEdit::description(text);
                write(Action::Edit { number: open.number, edit }, Outcome::Updated)
            }
            None => done,
        }
    }

    /// It is approved, and another push would cost the approval.
    fn frozen(&self, open: &MergeRequest, description: Option<Description>) -> Decision {
        let note = format!("merge request {} is approved and stays as it is", open.number);
        let done = noted(Outcome::Unchanged, note);
        match description.as_ref().map(|description| description.marker.version.clone()) {
            Some(offered) if offered < self.update.version => {
                let text = notice::frozen(&offered, &self.update.version);
                self.announce(open, description, &text, done)
            }
            _ => done,
        }
    }

    fn branch<'a>(&self, observed: &'a Observed, open: Option<&MergeRequest>) -> Branched<'a> {
        let Some(source) = &observed.current.source else {
            return Branched::Write(None);
        };
        match &source.ownership {
            BranchOwner::Recorded => Branched::Right(source),
            BranchOwner::Ours { patch, parent, .. } => {
                // On the head of its target branch nothing can conflict: the forge has not looked again yet.
                let behind = *parent != self.place.head;
                let rebuild = behind
                    && match self.update.upkeep.rebase {
                        Rebase::Conflict => open.is_some_and(|mr| mr.mergeability == Mergeability::Conflict),
                        Rebase::Behind => true,
                        Rebase::Never => false,
                    };
                if *patch == self.update.patch.id() && !rebuild {
                    Branched::Right(source)
                } else {
                    Branched::Write(Some(source.head.clone()))
                }
            }
            BranchOwner::Nothing => Branched::Write(Some(source.head.clone())),
            BranchOwner::Others { why } => Branched::Theirs(source, why),
            BranchOwner::Unknown { why } => Branched::Unknown(why),
        }
    }

    fn push(&self, expected_head: Option<CommitId>, leads_to: Outcome) -> Decision {
        let trailers = Trailers { patch: self.update.patch.id(), release: Some(self.update.version.clone()) };
        let commit = NewCommit {
            branch: self.place.source.clone(),
            parent: self.place.head.clone(),
            expected_head,
            message: trailer::write(&self.update.commit_message, &self.update.trailers, &trailers),
            files: self
                .update
                .patch
                .files()
                .iter()
                .map(|(path, file)| (path.clone(), file.after.clone()))
                .collect(),
            added: self.update.patch.added().cloned().collect(),
        };
        write(Action::Push(commit), leads_to)
    }

    fn create(&self, head: &CommitId) -> Decision {
        let marker = self.marker(head);
        let unset = Marker { unset: self.update.settings.has_people_or_labels(), ..marker.clone() };
        let text = |marker| Description::new(&self.update.text, marker).write(self.description_limit);
        let new = NewMergeRequest {
            source_branch: self.place.source.clone(),
            target_branch: self.place.target.clone(),
            title: self.update.title.clone(),
            description: text(marker),
            unset_description: text(unset),
            settings: self.update.settings.clone(),
        };
        write(Action::Create(new), Outcome::Created)
    }

    /// Brings title and text up to date, as far as they are still the bot's.
    fn describe(
        &self,
        observed: &Observed,
        open: &MergeRequest,
        description: Option<Description>,
        source: &SourceBranch,
    ) -> Decision {
        let Some(old) = description else {
            let note = format!(
                "the text of merge request {} was changed by a person: its marker is missing",
                open.number
            );
            return noted(Outcome::Unchanged, note);
        };
        let title_is_ours = old.marker.title == TextHash::of(&open.title);
        // A title that is a person's stays one, whatever it is.
        let title = if title_is_ours { TextHash::of(&self.update.title) } else { old.marker.title.clone() };
        let (commit, text) = (old.marker.commit.clone(), old.marker.text.clone());
        let marker = Marker { title, commit, text: text.clone(), ..self.marker(&source.head) };
        let mut new = old.clone().with_text(&self.update.text, marker);
        let was_sent = text == Some(TextHash::of(&self.update.text));
        // That only the commit is another is no reason to write: a person may have rebased the branch. What a forge cut
        // out of this very text, it would cut out again.
        if was_sent && old.is_cut_from(&new)
            || new.instead_of(&open.description, self.description_limit).is_none()
        {
            return self.auto_merge(observed, open, source);
        }
        let marker = self.marker(&source.head);
        (new.marker.commit, new.marker.text) = (marker.commit, marker.text);
        let edit = MergeRequestEdit {
            title: (title_is_ours && open.title != self.update.title).then(|| self.update.title.clone()),
            ..MergeRequestEdit::description(new.write(self.description_limit))
        };
        write(Action::Edit { number: open.number, edit }, Outcome::Updated)
    }

    /// Only the bot's own commit, and only once a pipeline looks after it: without one, forges merge at once.
    fn auto_merge(&self, observed: &Observed, open: &MergeRequest, source: &SourceBranch) -> Decision {
        if !self.update.upkeep.auto_merge || open.auto_merge {
            return done(Outcome::Unchanged);
        }
        if open.draft {
            return noted(Outcome::Unchanged, "a draft is not merged automatically".to_owned());
        }
        let proven = matches!(source.ownership, BranchOwner::Ours { .. });
        let seen = open.head.as_ref() == Some(&source.head);
        match &observed.pipeline {
            Some(pipeline) if proven && seen && pipeline.head == source.head => {
                if pipeline.failed {
                    let note =
                        format!("the pipeline of merge request {} failed: it is not merged", open.number);
                    return noted(Outcome::Unchanged, note);
                }
                if let (true, Some(why)) = (pipeline.succeeded, &open.blocked_by) {
                    let note = format!("merge request {} can't be merged yet: {why}", open.number);
                    return noted(Outcome::Unchanged, note);
                }
                let action = Action::EnableAutoMerge { number: open.number, head: source.head.clone() };
                write(action, Outcome::Updated)
            }
            _ => Decision::Wait { until: Awaited::Pipeline(open.number), note: None },
        }
    }

    fn marker(&self, head: &CommitId) -> Marker {
        Marker {
            producer: self.update.producer.clone(),
            target: self.place.target.clone(),
            version: self.update.version.clone(),
            patch: self.update.patch.id(),
            commit: head.clone(),
            title: TextHash::of(&self.update.title),
            text: Some(TextHash::of(&self.update.text)),
            digests: self.update.digests.clone(),
            rebuild: None,
            unset: false,
            closed: None,
        }
    }
}

fn cancel_auto_merge(open: &MergeRequest) -> Decision {
    write(Action::CancelAutoMerge { number: open.number }, Outcome::Updated)
}
