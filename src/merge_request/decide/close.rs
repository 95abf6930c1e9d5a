//! Closing what nobody needs any more: the bot's own, untouched, and with a sentence why.

use super::super::Offered;
use super::super::description::Description;
use super::super::fate::OfferStatus;
use super::super::notice;
use super::super::outcome::Outcome;
use super::super::request::{MergeRequest, MergeRequestEdit, MergeRequestState, StateChange};
use super::{Action, Decision, DesiredState, Observed, Offer, Work, write};

/// Why the merge request of one producer ends where several are offered together.
const GROUPED: &str = "grouped";

/// Why the merge request of a group ends whose first producer is offered by itself from now on.
const UNGROUPED: &str = "ungrouped";

/// Closes a merge request whose release is not worth offering any more, or is offered together with others from now on.
pub(super) fn gone(observed: &Observed, wanted: &DesiredState) -> Option<Decision> {
    observed.offers().find_map(|offer| {
        let (open, description) = untouched(offer, wanted)?;
        if wanted.place.has_joined(&offer.branch) {
            return Some(close(open, description, GROUPED, wanted));
        }
        if wanted.place.has_left(&offer.branch) {
            return Some(close(open, description, UNGROUPED, wanted));
        }
        let version = description.marker.version.clone();
        // A newer change moves it in place, whatever became of the old one.
        let moves = matches!(&wanted.work, Work::Update(update)
            if wanted.place.source == offer.branch && update.version >= version);
        let why = reason(&version, wanted).filter(|_| !moves)?;
        Some(close(open, description, &why, wanted))
    })
}

/// Closes an older offer under another name, once the wanted one is open.
pub(super) fn superseded(observed: &Observed, wanted: &DesiredState) -> Option<Decision> {
    let Work::Update(update) = &wanted.work else { return None };
    observed.current.open(&wanted.place.target)?;
    observed.others.iter().find_map(|offer| {
        let (open, description) = untouched(offer, wanted)?;
        let why = format!("superseded by {}", update.version);
        (description.marker.version < update.version).then(|| close(open, description, &why, wanted))
    })
}

/// Removes the branch of a merge request that the bot closed; a killed run may have left it.
pub(super) fn leftover(observed: &Observed, wanted: &DesiredState) -> Option<Decision> {
    let needed = |offer: &&Offer| match &wanted.work {
        Work::Update(_) => wanted.place.source != offer.branch,
        Work::Nothing { .. } => true,
    };
    observed.offers().filter(needed).find_map(|offer| {
        let why = offer.closed_by_the_bot()?;
        let source = offer.source.as_ref().filter(|_| offer.is_untouched())?;
        let action = Action::RemoveBranch { branch: offer.branch.clone(), head: source.head.clone() };
        Some(write(action, Outcome::Closed(why)))
    })
}

fn untouched<'a>(offer: &'a Offer, wanted: &DesiredState) -> Option<(&'a MergeRequest, Description)> {
    let open = offer.open(&wanted.place.target).filter(|_| offer.is_untouched())?;
    Some((open, Description::read(&open.description)?))
}

fn reason(offered: &Offered, wanted: &DesiredState) -> Option<String> {
    let (status, releases) = wanted.fates.of(offered);
    match status {
        OfferStatus::Stays => None,
        OfferStatus::OnTarget => {
            Some(format!("{} has {releases} or a newer release already", wanted.place.target))
        }
        OfferStatus::Withdrawn => Some(format!("{releases} {} not published any more", releases.is_or_are())),
        OfferStatus::Excluded(rule) => Some(format!("the configuration excludes {releases}: {rule}")),
    }
}

/// State and reason go by one request: a closed merge request without its reason would be a person's no.
fn close(open: &MergeRequest, description: Description, why: &str, wanted: &DesiredState) -> Decision {
    let mut closed = description.with_notice(&notice::closed(why));
    closed.marker.closed = Some(why.to_owned());
    let edit = MergeRequestEdit {
        description: Some(closed.write(wanted.description_limit)),
        ..MergeRequestEdit::state(StateChange::Close)
    };
    write(Action::Edit { number: open.number, edit }, Outcome::Closed(why.to_owned()))
}

impl Offer {
    /// Why the bot closed the newest merge request, if it did and nothing is open.
    pub fn closed_by_the_bot(&self) -> Option<String> {
        if self.own().any(|mr| mr.state == MergeRequestState::Open) {
            return None;
        }
        let newest = self.own().next().filter(|mr| mr.state == MergeRequestState::Closed)?;
        Description::read(&newest.description)?.marker.closed
    }
}
