//! What `config validate --online` found out, as lines.

use jiff::Timestamp;

use super::{BOLD, GREEN, RED, YELLOW, paint, printable};
use crate::ending::{Ending, Ends, sentence};
use crate::forge::{Access, Branch};
use crate::merge_request::Outcome;
use crate::release::Version;
use crate::release::data::ReleaseData;

/// Days ahead at which the end of a token is worth a warning.
const WARN_DAYS: i32 = 30;

/// One thing that was asked.
#[derive(Debug)]
pub struct OnlineCheck {
    /// What was asked, as a heading.
    pub subject: String,
    /// What came out.
    pub findings: Vec<OnlineFinding>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OnlineLevel {
    /// As it should be.
    Good,
    /// Works now.
    Warning,
    /// It could not be told; a retry may help.
    Unknown,
    /// A person must act.
    Wrong,
}

/// One line.
#[derive(Debug)]
pub struct OnlineFinding {
    /// How bad it is.
    pub level: OnlineLevel,
    /// What it is, and what to do.
    pub text: String,
}

/// The checks as text.
pub fn text(checks: &[OnlineCheck]) -> String {
    let line = |finding: &OnlineFinding| {
        let mark = match finding.level {
            OnlineLevel::Good => paint(GREEN, "ok"),
            OnlineLevel::Warning => paint(YELLOW, "warning"),
            OnlineLevel::Unknown => paint(RED, "unknown"),
            OnlineLevel::Wrong => paint(RED, "wrong"),
        };
        format!("  {mark}: {}\n", printable(&finding.text))
    };
    let check = |check: &OnlineCheck| {
        let lines: String = check.findings.iter().map(line).collect();
        format!("{}\n{lines}", paint(BOLD, printable(&check.subject)))
    };
    checks.iter().map(check).collect()
}

fn named(branch: &Branch) -> String {
    if branch.is_named() { format!("branch {branch}") } else { "default branch".to_owned() }
}

impl OnlineFinding {
    fn new(level: OnlineLevel, text: impl Into<String>) -> Self {
        Self { level, text: text.into() }
    }

    /// A producer that answered.
    pub fn releases(known: &ReleaseData) -> Self {
        match known.candidates.keys().next_back() {
            Some(newest) => Self::new(
                OnlineLevel::Good,
                format!("{} versions, the newest is {newest}", known.candidates.len()),
            ),
            None => Self::new(OnlineLevel::Wrong, "image repositories are there, but no tag is a version"),
        }
    }

    /// What went wrong, with its causes.
    pub fn of_error(error: &impl Ends) -> Self {
        let level = match error.ending() {
            Ending::Unknown => OnlineLevel::Unknown,
            Ending::Refused | Ending::Person | Ending::Bug => OnlineLevel::Wrong,
        };
        match error.hint() {
            Some(hint) => Self::new(level, format!("{}; {hint}", sentence(error).trim_end_matches('.'))),
            None => Self::new(level, sentence(error)),
        }
    }

    /// A query for projects, and how many it found.
    pub fn searched(projects: usize) -> Self {
        match projects {
            0 => Self::new(OnlineLevel::Warning, "the query found no project that is not a target already"),
            1 => Self::new(OnlineLevel::Good, "1 project"),
            many => Self::new(OnlineLevel::Good, format!("{many} projects")),
        }
    }

    /// A target branch: the releases that its files are at, or why they cannot be read.
    pub fn target(branch: &Branch, files: &[&str], read: Result<&[Version], &Outcome>) -> Self {
        match read {
            Ok(versions) => {
                let at = versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
                Self::new(OnlineLevel::Good, format!("{}: {}, at {at}", named(branch), files.join(", ")))
            }
            Err(outcome) => {
                let finding = Self::of_outcome(outcome);
                Self::new(finding.level, format!("{}: {}", named(branch), finding.text))
            }
        }
    }

    /// How a run would end.
    pub fn of_outcome(outcome: &Outcome) -> Self {
        let text = outcome.to_string();
        // The level says already that it failed.
        let reason = outcome.reason();
        match outcome.ending() {
            None => Self::new(OnlineLevel::Good, text),
            Some(Ending::Unknown) => Self::new(OnlineLevel::Unknown, reason.unwrap_or(&text)),
            Some(_) => Self::new(OnlineLevel::Wrong, reason.unwrap_or(&text)),
        }
    }

    /// What the token may do, with such a source branch.
    pub fn access(access: &Access, source: &Branch, now: Timestamp) -> Vec<Self> {
        let mut findings = vec![match &access.user {
            Some(user) => Self::new(OnlineLevel::Good, format!("the token is that of {user}")),
            None => Self::new(
                OnlineLevel::Wrong,
                "the forge does not know whose the token is; merge requests need one that may write",
            ),
        }];
        findings.extend(access.scopes.as_ref().map(|scopes| scope(scopes, access.lacks_scope)));
        findings.extend(access.expires_at.and_then(|date| expiry(date, now)));
        findings.extend(
            access.role.as_ref().map(|role| Self::new(OnlineLevel::Good, format!("its role is {role}"))),
        );
        findings.extend(access.may_merge.filter(|may| !may).map(|_| {
            Self::new(
                OnlineLevel::Warning,
                "it may not merge into the default branch; `auto_merge` needs a role that is under \"Allowed to merge\"",
            )
        }));
        findings.extend(access.may_force_push.filter(|may| !may).map(|_| {
            Self::new(
                OnlineLevel::Wrong,
                format!("branch {source} is protected, and may not be force-pushed: switch on \"Allowed to force push\" for such branches"),
            )
        }));
        findings.extend(access.name_rule.as_ref().map(|rule| {
            Self::new(
                OnlineLevel::Wrong,
                format!("a push rule of the project takes no branch {source} (`{rule}`); set `merge_request.branch_prefix`"),
            )
        }));
        findings.push(match access.may_push {
            Some(true) => Self::new(OnlineLevel::Good, format!("it may push branch {source}")),
            Some(false) => Self::new(
                OnlineLevel::Wrong,
                format!("it may not push branch {source}; that takes the role Developer on GitLab, Write on GitHub"),
            ),
            None => Self::new(OnlineLevel::Warning, format!("whether it may push branch {source} could not be told")),
        });
        findings
    }
}

fn scope(scopes: &[String], lacks: Option<&str>) -> OnlineFinding {
    let list = scopes.join(", ");
    match lacks {
        None => OnlineFinding::new(OnlineLevel::Good, format!("its scopes are {list}")),
        Some(scope) => OnlineFinding::new(
            OnlineLevel::Wrong,
            format!("its scopes are {list}; merge requests need `{scope}`"),
        ),
    }
}

fn expiry(date: jiff::civil::Date, now: Timestamp) -> Option<OnlineFinding> {
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let days = today.until(date).ok()?.get_days();
    Some(match days {
        days if days < 0 => OnlineFinding::new(OnlineLevel::Wrong, format!("the token expired on {date}")),
        days if days <= WARN_DAYS => {
            OnlineFinding::new(OnlineLevel::Warning, format!("the token expires on {date}, in {days} days"))
        }
        _ => OnlineFinding::new(OnlineLevel::Good, format!("the token expires on {date}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(scopes: &[&str], lacks: Option<&'static str>, expires: &str) -> Vec<(OnlineLevel, String)> {
        let access = Access {
            user: Some("bot".into()),
            scopes: Some(scopes.iter().map(|s| (*s).to_owned()).collect()),
            lacks_scope: lacks,
            expires_at: Some(expires.parse().unwrap()),
            role: None,
            may_push: Some(true),
            name_rule: None,
            may_force_push: Some(true),
            may_merge: Some(true),
            default_branch: None,
        };
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        let source = Branch("dibump/main/images-0.x".into());
        OnlineFinding::access(&access, &source, now)
            .into_iter()
            .map(|finding| (finding.level, finding.text))
            .collect()
    }

    #[test]
    fn a_token_that_ends_within_thirty_days_is_warned_about() {
        assert!(
            found(&["api"], None, "2026-12-20")
                .contains(&(OnlineLevel::Warning, "the token expires on 2026-12-20, in 27 days".into()))
        );
        assert!(found(&["api"], None, "2027-02-01").iter().all(|(level, _)| *level == OnlineLevel::Good));
        assert!(
            found(&["api"], None, "2026-11-22")
                .contains(&(OnlineLevel::Wrong, "the token expired on 2026-11-22".into()))
        );
    }

    #[test]
    fn a_token_without_the_scope_api_is_wrong() {
        let findings = found(&["read_api"], Some("api"), "2027-02-01");
        assert!(
            findings
                .contains(&(OnlineLevel::Wrong, "its scopes are read_api; merge requests need `api`".into()))
        );
    }
}
