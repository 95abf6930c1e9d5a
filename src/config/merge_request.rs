//! Settings of merge requests, as written and as meant. The two can be told from each other in both directions.

use super::meaning::Meaning;
use super::place::Field;
use super::raw::{RawFreeze, RawMergeRequest, RawOnClosed, RawRebase, RawSemanticCommits};
use super::shape::nearest;
use crate::merge_request::template::{InvalidTemplate, Templates, VARIABLES};
use crate::merge_request::{Freeze, MergeRequestSettings, OnClosed, Rebase, Upkeep};

impl RawMergeRequest {
    /// Settings of a new merge request.
    pub(super) fn settings(&self) -> MergeRequestSettings {
        MergeRequestSettings {
            labels: self.labels.clone().unwrap_or_default(),
            assignees: self.assignees.clone().unwrap_or_default(),
            reviewers: self.reviewers.clone().unwrap_or_default(),
            draft: self.draft.unwrap_or(false),
            squash: self.squash,
            remove_source_branch: self.remove_source_branch.unwrap_or(true),
            milestone: self.milestone.clone(),
        }
    }

    /// How an open merge request is kept.
    pub(super) fn upkeep(&self) -> Upkeep {
        Upkeep {
            rebase: match self.rebase {
                None | Some(RawRebase::Conflict) => Rebase::Conflict,
                Some(RawRebase::Behind) => Rebase::Behind,
                Some(RawRebase::Never) => Rebase::Never,
            },
            freeze: match self.freeze {
                None | Some(RawFreeze::Never) => Freeze::Never,
                Some(RawFreeze::Approved) => Freeze::Approved,
            },
            on_closed: match self.on_closed {
                None | Some(RawOnClosed::Ignore) => OnClosed::Ignore,
                Some(RawOnClosed::Reopen) => OnClosed::Reopen,
            },
            auto_merge: self.auto_merge.unwrap_or(false),
        }
    }

    /// The same as written, with every default.
    pub(super) fn of(settings: &MergeRequestSettings, upkeep: Upkeep, templates: &Templates) -> Self {
        Self {
            labels: Some(settings.labels.clone()),
            assignees: Some(settings.assignees.clone()),
            reviewers: Some(settings.reviewers.clone()),
            draft: Some(settings.draft),
            squash: settings.squash,
            remove_source_branch: Some(settings.remove_source_branch),
            milestone: settings.milestone.clone(),
            rebase: Some(match upkeep.rebase {
                Rebase::Conflict => RawRebase::Conflict,
                Rebase::Behind => RawRebase::Behind,
                Rebase::Never => RawRebase::Never,
            }),
            freeze: Some(match upkeep.freeze {
                Freeze::Never => RawFreeze::Never,
                Freeze::Approved => RawFreeze::Approved,
            }),
            on_closed: Some(match upkeep.on_closed {
                OnClosed::Ignore => RawOnClosed::Ignore,
                OnClosed::Reopen => RawOnClosed::Reopen,
            }),
            auto_merge: Some(upkeep.auto_merge),
            title: templates.title.clone(),
            commit_message: templates.commit_message.clone(),
            body: templates.body.clone(),
            commit_trailers: Some(templates.trailers.clone()),
            sign_off: None,
            semantic_commits: templates.semantic.clone().map(RawSemanticCommits::Type),
        }
    }
}

/// What semantic commits of updates usually begin with.
const SEMANTIC: &str = "chore(deps)";

impl Meaning<'_> {
    /// The user's words, each template tried once.
    pub(super) fn templates(&mut self, raw: &RawMergeRequest, at: &Field) -> Option<Templates> {
        self.template(raw.title.as_deref(), false, &at.key("title"))?;
        self.template(raw.commit_message.as_deref(), false, &at.key("commit_message"))?;
        self.template(raw.body.as_deref(), true, &at.key("body"))?;
        let mut trailers = raw.commit_trailers.clone().unwrap_or_default();
        for trailer in &trailers {
            self.trailer(trailer, &at.key("commit_trailers"))?;
        }
        trailers.extend(raw.sign_off.as_ref().map(|name| format!("Signed-off-by: {}", name.trim())));
        let semantic = match &raw.semantic_commits {
            None | Some(RawSemanticCommits::Usual(false)) => None,
            Some(RawSemanticCommits::Usual(true)) => Some(SEMANTIC.to_owned()),
            Some(RawSemanticCommits::Type(text)) => Some(text.trim_end_matches(':').to_owned()),
        };
        let (title, commit_message, body) = (raw.title.clone(), raw.commit_message.clone(), raw.body.clone());
        Some(Templates { title, commit_message, body, semantic, trailers })
    }

    fn template(&mut self, template: Option<&str>, with_text: bool, at: &Field) -> Option<()> {
        let Some(template) = template else { return Some(()) };
        match Templates::check(template, with_text) {
            Ok(()) => Some(()),
            Err(error) => {
                let meant = match &error {
                    InvalidTemplate::Variable(name) => nearest(name, VARIABLES),
                    InvalidTemplate::Syntax { .. } => None,
                };
                self.error_with_nearest(at, error.to_string(), meant);
                None
            }
        }
    }

    /// Trailers have a form, and the bot's own are how it recognises its commits.
    fn trailer(&mut self, line: &str, at: &Field) -> Option<()> {
        let key = line.split_once(": ").map(|(key, _)| key);
        let is_key =
            |key: &&str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let problem = match key.filter(is_key) {
            Some(key) if key.to_lowercase().starts_with("dibump-") => {
                "trailers that begin with `Dibump-` are the bot's own"
            }
            Some(_) if !line.contains(['\n', '\r']) => return Some(()),
            _ => "is no trailer (expected `Key: value`)",
        };
        self.error(at, format!("`{line}`: {problem}"));
        None
    }
}
