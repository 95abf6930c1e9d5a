//! Settings of merge requests, as written and as meant. The two can be told from each other in both directions.

use super::meaning::Meaning;
use super::place::FieldPath;
use super::quick_actions::{self, QuickAction};
use super::raw::{RawMergeRequest, RawSemanticCommits};
use super::shape::nearest;
use crate::merge_request::template::{InvalidTemplate, Templates, VARIABLES};
use crate::merge_request::{BranchPrefix, MergeRequestSettings, Upkeep};

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
            rebase: self.rebase.unwrap_or_default(),
            freeze: self.freeze.unwrap_or_default(),
            on_closed: self.on_closed.unwrap_or_default(),
            auto_merge: self.auto_merge.unwrap_or(false),
        }
    }

    /// What the names of source branches begin with.
    pub(super) fn branch_prefix(&self) -> BranchPrefix {
        self.branch_prefix.clone().map_or_else(BranchPrefix::default, BranchPrefix)
    }

    /// The same as written, with every default.
    pub(super) fn of(
        settings: &MergeRequestSettings,
        upkeep: Upkeep,
        BranchPrefix(prefix): &BranchPrefix,
        templates: &Templates,
    ) -> Self {
        Self {
            branch_prefix: Some(prefix.clone()),
            labels: Some(settings.labels.clone()),
            assignees: Some(settings.assignees.clone()),
            reviewers: Some(settings.reviewers.clone()),
            draft: Some(settings.draft),
            squash: settings.squash,
            remove_source_branch: Some(settings.remove_source_branch),
            milestone: settings.milestone.clone(),
            rebase: Some(upkeep.rebase),
            freeze: Some(upkeep.freeze),
            on_closed: Some(upkeep.on_closed),
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
    /// The user's words, each template tried once. Everything that is wrong with them is said.
    pub(super) fn templates(&mut self, raw: &RawMergeRequest, at: &FieldPath) -> Option<Templates> {
        let understood = [
            self.text(raw.branch_prefix.as_deref(), &at.key("branch_prefix"), branch_prefix),
            self.line(raw.title.as_deref(), &at.key("title")),
            self.line(raw.commit_message.as_deref(), &at.key("commit_message")),
            self.template(raw.body.as_deref(), true, &at.key("body")),
            self.quick_actions(raw.body.as_deref(), &at.key("body")),
            self.every(raw.commit_trailers.as_deref(), &at.key("commit_trailers"), trailer),
            self.every(raw.labels.as_deref(), &at.key("labels"), label),
            self.every(raw.assignees.as_deref(), &at.key("assignees"), account),
            self.every(raw.reviewers.as_deref(), &at.key("reviewers"), account),
            self.text(raw.sign_off.as_deref(), &at.key("sign_off"), sign_off),
            self.text(raw.milestone.as_deref(), &at.key("milestone"), not_empty),
        ];
        understood.into_iter().collect::<Option<Vec<()>>>()?;
        let mut trailers = raw.commit_trailers.clone().unwrap_or_default();
        trailers.extend(raw.sign_off.as_ref().map(|name| format!("Signed-off-by: {}", name.trim())));
        let semantic = match &raw.semantic_commits {
            None | Some(RawSemanticCommits::Usual(false)) => None,
            Some(RawSemanticCommits::Usual(true)) => Some(SEMANTIC.to_owned()),
            Some(RawSemanticCommits::Type(text)) => Some(text.trim_end_matches(':').to_owned()),
        };
        let (title, commit_message, body) = (raw.title.clone(), raw.commit_message.clone(), raw.body.clone());
        Some(Templates { title, commit_message, body, semantic, trailers })
    }

    /// GitLab executes lines of a description that are commands of its own, and cuts them out, in every write.
    fn quick_actions(&mut self, body: Option<&str>, at: &FieldPath) -> Option<()> {
        let found = body.filter(|_| self.on_gitlab).and_then(quick_actions::find);
        let Some(QuickAction { line, instead }) = found else { return Some(()) };
        let instead = match instead {
            Some(setting) => format!("use the setting `{setting}`"),
            None => "leave it out, or put it into a code block".to_owned(),
        };
        self.error(
            at,
            format!("`{line}` is a quick action, which GitLab would execute with each write: {instead}"),
        );
        None
    }

    fn every(&mut self, texts: Option<&[String]>, at: &FieldPath, check: Check) -> Option<()> {
        let texts = texts.unwrap_or_default();
        self.each(texts, at, |meaning, text, at| meaning.text(Some(text), at, check)).map(drop)
    }

    fn text(&mut self, text: Option<&str>, at: &FieldPath, check: Check) -> Option<()> {
        let Some(text) = text else { return Some(()) };
        self.take(check(text).map_err(|expected| format!("`{text}` {expected}")), at)
    }

    /// A template whose first line is a title.
    fn line(&mut self, template: Option<&str>, at: &FieldPath) -> Option<()> {
        self.text(template, at, not_empty)?;
        self.template(template, false, at)
    }

    fn template(&mut self, template: Option<&str>, with_text: bool, at: &FieldPath) -> Option<()> {
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
}

/// What is wrong with a text.
type Check = fn(&str) -> Result<(), &'static str>;

fn not_empty(text: &str) -> Result<(), &'static str> {
    if text.trim().is_empty() { Err("is empty") } else { Ok(()) }
}

fn branch_prefix(text: &str) -> Result<(), &'static str> {
    match BranchPrefix(text.to_owned()).is_usable() {
        true => Ok(()),
        false => Err("makes no name of a branch (expected text to put in front, as in dibump/)"),
    }
}

/// Both forges take labels as a list with commas between them.
fn label(text: &str) -> Result<(), &'static str> {
    not_empty(text)?;
    if text.contains(',') { Err("holds a comma; write each label as an item of its own") } else { Ok(()) }
}

fn account(text: &str) -> Result<(), &'static str> {
    let fits = !text.is_empty() && !text.starts_with('@') && !text.contains([',', ' ']);
    if fits { Ok(()) } else { Err("is not a user name (expected a name alone, as in alice)") }
}

/// Trailers have a form, and the bot's own are how it recognises its commits.
fn trailer(line: &str) -> Result<(), &'static str> {
    let key = line.split_once(": ").map(|(key, _)| key);
    let is_key = |key: &&str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match key.filter(is_key) {
        Some(key) if key.to_lowercase().starts_with("dibump-") => {
            Err("is not allowed: trailers that begin with `Dibump-` are the bot's own")
        }
        Some(_) if !line.contains(['\n', '\r']) => Ok(()),
        _ => Err("is not a trailer (expected `Key: value`)"),
    }
}

/// The form of git's own line (git-commit, `--signoff`).
fn sign_off(text: &str) -> Result<(), &'static str> {
    let parts = text.trim().strip_suffix('>').and_then(|text| text.split_once(" <"));
    let fits = parts.is_some_and(|(name, mail)| {
        let is_mail = mail.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
        !name.trim().is_empty() && is_mail && !mail.contains([' ', '<', '>']) && !text.contains(['\n', '\r'])
    });
    if fits { Ok(()) } else { Err("is not a name with a mail address (expected `Name <name@example.com>`)") }
}
