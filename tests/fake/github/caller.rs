//! Who is asking, and what that one may do.

use axum::http::HeaderMap;
use serde_json::Value;

use super::state::{Project, State, TokenKind};
use super::wire::{Answer, Asked};
use super::{error, not_found, token_of};

/// Who is asking.
#[derive(Debug, Clone)]
pub struct Caller {
    pub login: Option<String>,
    pub kind: TokenKind,
    pub expires_at: Option<String>,
}

impl Caller {
    pub(super) fn of(state: &State, headers: &HeaderMap) -> Result<Self, Answer> {
        let Some(text) = token_of(headers) else {
            return Ok(Self { login: None, kind: TokenKind::FineGrained, expires_at: None });
        };
        match state.tokens.get(&text) {
            Some(token) if !token.expired => Ok(Self {
                login: Some(token.login.clone()),
                kind: token.kind.clone(),
                expires_at: token.expires_at.clone(),
            }),
            _ => Err(error(401, "Bad credentials")),
        }
    }

    /// 5 admin, 4 maintain, 3 push, 2 triage, 1 pull; 0 for strangers.
    pub(super) fn level(&self, project: &Project) -> u64 {
        match &self.kind {
            TokenKind::Actions { repository } | TokenKind::Installation { repository, .. } => {
                if *repository == project.id { 3 } else { 0 }
            }
            TokenKind::Classic { .. } | TokenKind::FineGrained => {
                let member = self.login.as_ref().and_then(|login| project.members.get(login));
                member.copied().unwrap_or(0)
            }
        }
    }

    /// Whether it is an App's, also that of Actions.
    pub(super) fn is_app(&self) -> bool {
        matches!(self.kind, TokenKind::Actions { .. } | TokenKind::Installation { .. })
    }

    /// Refuses a tree with workflows to whoever may not write those. A classic token is told that nothing is there.
    pub(super) fn writes_workflows(&self, asked: &Asked) -> Result<(), Answer> {
        let is_workflow =
            |entry: &Value| entry["path"].as_str().is_some_and(|path| path.starts_with(".github/workflows/"));
        let has = asked.body["tree"].as_array().is_some_and(|entries| entries.iter().any(is_workflow));
        match &self.kind {
            _ if !has => Ok(()),
            TokenKind::Classic { scopes } if !scopes.iter().any(|scope| scope == "workflow") => {
                Err(not_found())
            }
            TokenKind::Actions { .. } => Err(error(403, "Resource not accessible by integration")),
            TokenKind::Installation { permissions, .. }
                if !permissions.iter().any(|granted| granted == "workflows=write") =>
            {
                Err(error(403, "Resource not accessible by integration"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses whoever may not write. A classic token is told that nothing is there.
    pub(super) fn writes(&self, project: &Project, permission: &str) -> Result<(), Answer> {
        if self.login.is_none() {
            return Err(error(401, "Requires authentication"));
        }
        let needed = |answer: Answer| answer.header("x-accepted-github-permissions", permission);
        if let TokenKind::Classic { scopes } = &self.kind
            && !scopes.iter().any(|scope| scope == "repo" || scope == "public_repo" && project.public)
        {
            return Err(not_found());
        }
        if let TokenKind::Installation { permissions, .. } = &self.kind
            && !permissions.iter().any(|granted| granted == permission)
        {
            return Err(needed(error(403, "Resource not accessible by integration")));
        }
        match (self.level(project) >= 3, &self.kind) {
            (true, _) => Ok(()),
            (false, TokenKind::Classic { .. }) => Err(not_found()),
            (false, TokenKind::FineGrained) => {
                Err(needed(error(403, "Resource not accessible by personal access token")))
            }
            (false, _) => Err(needed(error(403, "Resource not accessible by integration"))),
        }
    }
}
