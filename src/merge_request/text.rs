//! The text for a reviewer who has one minute, and below it, folded, what there is to look up.
//!
//! What is visible stands in the first 2,700 characters, where GitLab cuts the description that pipelines see
//! (`CI_MERGE_REQUEST_DESCRIPTION`). The text says the same as long as the plan is the same: no times, no counters.
//! Everything that comes from outside goes through [`crate::markdown`].

mod folded;
mod kubernetes;
mod status;
mod visible;

use crate::markdown;
use crate::plan::PlanView;
use crate::plan::view::StepView;
use crate::release::Version;

/// The visible part's share of the description, in characters, with room for the fence before it.
const ESSENTIALS: usize = 2_650;

/// Characters of a text from outside in the visible part; the whole of it is folded.
const LONGEST: usize = 200;

/// What the text says beside the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Background {
    /// Where the releases of each step of the plan come from, in their order.
    pub sources: Vec<ReleaseSource>,
    /// The command that shows the same plan.
    pub reproduce: String,
    /// How the merge request gets merged.
    pub merging: Merging,
}

/// What a producer says of its releases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseSource {
    /// Where it shows them to people.
    pub pages: Pages,
    /// Its release notes (untrusted) of every release on the way, newest first.
    pub release_notes: Vec<(Version, String)>,
}

impl Background {
    /// The steps that change something, each with where its releases come from.
    fn changing<'a>(&'a self, plan: &'a PlanView) -> impl Iterator<Item = (&'a StepView, &'a ReleaseSource)> {
        static UNKNOWN: ReleaseSource =
            ReleaseSource { pages: Pages { release: None, comparison: None }, release_notes: Vec::new() };
        let sources = self.sources.iter().chain(std::iter::repeat(&UNKNOWN));
        plan.steps.iter().zip(sources).filter(|(step, _)| step.is_change())
    }
}

/// Pages of a producer, where they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pages {
    /// The release that is proposed.
    pub release: Option<String>,
    /// What changed between both releases.
    pub comparison: Option<String>,
}

/// How a merge request gets merged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Merging {
    /// By a person.
    #[default]
    ByHand,
    /// By a person who marks it ready first.
    Draft,
    /// By the forge, once its checks pass.
    Automatic,
}

impl Merging {
    /// How an update gets merged, by what the user chose: what a person must judge is a draft, and new errors keep the
    /// forge from merging.
    pub fn of(plan: &PlanView, draft: bool, auto_merge: bool) -> Self {
        match (draft || plan.to_judge.any(), auto_merge) {
            (true, _) => Self::Draft,
            (false, true) => Self::Automatic,
            (false, false) => Self::ByHand,
        }
    }
}

/// The title of the merge request and of its commit: where each producer goes, by its name and from and to which release.
pub fn title<'a>(steps: impl IntoIterator<Item = (&'a str, &'a Version, &'a Version)>) -> String {
    let (moved, aligned): (Vec<_>, Vec<_>) = steps.into_iter().partition(|(_, from, to)| from != to);
    let to = |(producer, _, to): (&str, _, &Version)| {
        format!("{} to {}", markdown::title(producer), markdown::title(to.as_str()))
    };
    let with = |(_, _, to): (_, _, &Version)| markdown::title(to.as_str());
    match moved.is_empty() {
        false => format!("Update {}", moved.into_iter().map(to).collect::<Vec<_>>().join(" and ")),
        true => {
            format!(
                "Align image keys with {}",
                aligned.into_iter().map(with).collect::<Vec<_>>().join(" and ")
            )
        }
    }
}

/// The bot's part of the description. A plan that changes nothing has no merge request, and needs a sentence only.
pub fn describe(plan: &PlanView, background: &Background) -> String {
    if !plan.is_change() {
        let told = |step: &StepView| {
            let (producer, verdict) = (markdown::inline(&step.producer), step.verdict.to_string());
            format!("{producer} {}.", markdown::inline(&verdict)).trim_start().to_owned()
        };
        return plan.steps.iter().map(told).collect::<Vec<_>>().join("\n\n");
    }
    let (visible, notes) = visible::part(plan, background, ESSENTIALS);
    let folded = folded::parts(plan, background, notes);
    std::iter::once(visible).chain(folded).collect::<Vec<_>>().join("\n\n")
}

/// The beginning of a text from outside.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
