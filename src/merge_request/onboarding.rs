//! The merge request that offers a first configuration: the files that `dibump init` would write.

use std::sync::Arc;

use super::branch::Place;
use super::decide::{DesiredState, Update, Work};
use super::fate::Fates;
use super::marker::Digests;
use super::offered::Offered;
use super::patch::{FileChange, Patch};
use super::request::{MergeRequestSettings, Upkeep};
use crate::markdown;
use crate::plan::PlanView;
use crate::plan::view::{KeyAction, StepView};

/// More lines of a list than this say no more.
const LINES: usize = 40;

/// A first configuration, and what it leads to.
#[derive(Debug, Clone)]
pub struct FirstConfiguration {
    /// The new files: path and content.
    pub files: Vec<(String, Arc<[u8]>)>,
    /// The values files that are kept in step, each with the name and the prefix of its producer.
    pub watched: Vec<(String, String, String)>,
    /// What is left to a person.
    pub next: Vec<String>,
    /// The first plans; none where they were not looked up.
    pub plans: Vec<PlanView>,
}

impl FirstConfiguration {
    /// The title of the merge request and of its commit.
    pub const TITLE: &str = "Configure dibump";

    /// What should be there.
    pub fn wanted(&self, place: Place, description_limit: usize) -> DesiredState {
        let change = |(path, after): &(String, Arc<[u8]>)| {
            (path.clone(), FileChange { before: None, after: Arc::clone(after) })
        };
        let update = Update {
            producer: Offered::Configuration.written(),
            current: None,
            version: Offered::Configuration,
            patch: Patch::new(self.files.iter().map(change).collect()),
            title: Self::TITLE.to_owned(),
            text: self.text(),
            commit_message: format!("{}\n\nAs `dibump init` found it.", Self::TITLE),
            trailers: Vec::new(),
            digests: Digests::default(),
            settings: MergeRequestSettings { remove_source_branch: true, ..MergeRequestSettings::default() },
            upkeep: Upkeep::default(),
            needs_a_person: false,
        };
        DesiredState {
            place,
            work: Work::Update(Box::new(update)),
            fates: Fates::default(),
            description_limit,
            withheld: None,
        }
    }

    /// What a reviewer reads.
    pub fn text(&self) -> String {
        let watched = self.watched.iter().map(|(path, producer, registry)| {
            vec![markdown::code(path), markdown::inline(producer), markdown::code(registry)]
        });
        let files = self.files.iter().map(|(path, _)| markdown::code(path));
        let plans = match self.plans.as_slice() {
            [] => "It was not looked up; `dibump plan` shows it.".to_owned(),
            plans => shown(plans.iter().map(planned)),
        };
        let next = self.next.iter().map(|next| markdown::prose(next));
        [
            "This adds the configuration by which dibump keeps the values files of this repository in step with the \
             releases of their OS images. Nothing changes before it is merged."
                .to_owned(),
            format!("**Found:**\n\n{}", markdown::table(&["Values file", "Producer", "Registry"], watched)),
            format!("**New files:**\n\n{}", shown(files)),
            format!("**The first plan:**\n\n{plans}"),
            format!(
                "**Merging** starts the jobs: dibump then opens a merge request for each new release. Still \
                 needed:\n\n{}",
                shown(next)
            ),
            "**What to do:** Review the files, and change them on this branch where you want something else: dibump \
             then leaves the branch to you. Merge when they are right. To decline, close this merge request: it is \
             not opened again."
                .to_owned(),
        ]
        .join("\n\n")
    }
}

/// A list, its end counted where it is long.
fn shown(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(LINES);
    let rest = (more > 0).then(|| format!("and {more} more"));
    markdown::bullets(items.take(LINES).chain(rest))
}

/// What becomes of the files of a target first.
fn planned(plan: &PlanView) -> String {
    let files = plan.files.iter().map(|file| markdown::code(&file.path)).collect::<Vec<_>>().join(", ");
    let keys = [(KeyAction::Rename, "renamed"), (KeyAction::Add, "added"), (KeyAction::Remove, "removed")];
    let keys =
        keys.map(|(action, word)| (plan.count(action), word)).into_iter().filter(|(count, _)| *count > 0);
    let keys: Vec<String> = keys.map(|(count, word)| format!("{count} {word}")).collect();
    let keys = match keys.is_empty() {
        true => String::new(),
        false => format!(" (image keys: {})", keys.join(", ")),
    };
    let steps = plan.steps.iter().map(step).collect::<Vec<_>>().join("; ");
    let errors = match plan.findings.new_errors().count() {
        0 => String::new(),
        1 => "; it adds an error of `dibump check`, so that its merge request will be a draft".to_owned(),
        more => {
            format!("; it adds {more} errors of `dibump check`, so that its merge request will be a draft")
        }
    };
    format!("{files}: {steps}{keys}{errors}")
}

fn step(step: &StepView) -> String {
    let (producer, from) = (markdown::inline(&step.producer), markdown::code(step.from.as_str()));
    match step.is_change() && step.from != step.to {
        true => format!("{producer} from {from} to {}", markdown::code(step.to.as_str())),
        false => format!("{producer} {from} {}", markdown::inline(&step.verdict.to_string())),
    }
}
