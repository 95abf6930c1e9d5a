//! The one place that chooses the forge.

use std::sync::Arc;

use super::{Session, WiringError, github, gitlab};
use crate::config::ForgeKind;
use crate::forge::{Forge, Projects};
use crate::gitlab::{GitLab, Groups};

impl Session<'_> {
    /// A project of the configuration's forge.
    pub fn forge(&self, project: &str) -> Result<Arc<dyn Forge>, WiringError> {
        match self.config.forge.kind {
            ForgeKind::Gitlab => {
                let (api, token) = gitlab::api(self.environment, &self.config.forge)?;
                let project = gitlab::project_id(project);
                let gitlab = GitLab::new(self.transport.clone(), &api, token, project);
                Ok(Arc::new(gitlab.map_err(WiringError::access)?))
            }
            ForgeKind::Github => Ok(Arc::new(github::repository(self, project)?)),
        }
    }

    /// The forge itself, for the projects that nobody named.
    pub fn projects(&self) -> Result<Arc<dyn Projects>, WiringError> {
        match self.config.forge.kind {
            ForgeKind::Gitlab => {
                let (api, token) = gitlab::api(self.environment, &self.config.forge)?;
                let groups = Groups::new(self.transport.clone(), &api, token);
                Ok(Arc::new(groups.map_err(WiringError::access)?))
            }
            ForgeKind::Github => Ok(Arc::new(github::organisations(self)?)),
        }
    }
}
