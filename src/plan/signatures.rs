//! What must be signed, by what the files of a target say: each overlay is a deployment of its own over the first file.

use super::PlanError;
use super::survey::{Survey, Surveyed, values_error};
use crate::budget::Budget;
use crate::reconcile::Ownership;
use crate::release::policy::Demand;
use crate::signature::requirement::{paths, registry_path, settled};
use crate::signature::{Keys, Requirement, RequirementError, requirement};
use crate::sylva::{REGISTRIES, usual_registry};
use crate::values::{KeyPath, Layer, Rendered, excerpt, place};

impl Survey {
    /// What the strictest deployment requires.
    ///
    /// # Errors
    /// As [`requirement()`], with the place in the file; values that cannot be read, where they would count.
    pub fn signature_requirement(
        &self,
        configured: Option<&Keys>,
        demand: Option<Demand>,
        budget: &Budget,
    ) -> Result<Requirement, PlanError> {
        if let Some(settled) = settled(configured, demand) {
            return Ok(settled);
        }
        let of = |files: &[&Surveyed]| self.of_deployment(files, demand, budget);
        let Some((first, others)) = self.overlays.split_first() else { return of(&[&self.primary]) };
        others.iter().try_fold(of(&[&self.primary, first])?, |together, overlay| {
            let files = [&self.primary, overlay];
            together.and(of(&files)?).map_err(|error| placed(&files, error))
        })
    }

    fn of_deployment(
        &self,
        files: &[&Surveyed],
        demand: Option<Demand>,
        budget: &Budget,
    ) -> Result<Requirement, PlanError> {
        let registries = self.registries(files, budget)?;
        let values = read(files, &paths(&registries))?;
        requirement(Rendered::new(&values, budget), &registries, None, demand)
            .map_err(|error| placed(files, error))
    }

    /// The registries that serve our entries: those that follow the version, else the only one that entries name, else the
    /// one that serves entries which name none.
    fn registries(&self, files: &[&Surveyed], budget: &Budget) -> Result<Vec<KeyPath>, PlanError> {
        let ours: Vec<KeyPath> = self.ownership.registries().map(registry_path).collect();
        if !ours.is_empty() {
            return Ok(ours);
        }
        if let Some(name) = Ownership::only_registry(&self.primary.mapping) {
            return Ok(vec![registry_path(name)]);
        }
        let path = KeyPath::default().below(&[REGISTRIES]);
        let values = read(files, std::slice::from_ref(&path))?;
        let known =
            Rendered::new(&values, budget).mapping(&path).map_err(|error| placed(files, error.into()))?;
        let names = known.into_iter().map(|(name, _)| name.as_str());
        Ok(usual_registry(names).map(registry_path).into_iter().collect())
    }
}

fn layers<'a>(files: &[&'a Surveyed]) -> Vec<Layer<'a>> {
    files.iter().map(|file| Layer { document: &file.document, root: &file.root }).collect()
}

fn read(files: &[&Surveyed], wanted: &[KeyPath]) -> Result<serde_json::Value, PlanError> {
    let failed = |(index, error): (usize, _)| values_error(&files[index].path, error).into();
    excerpt(&layers(files), wanted).map_err(failed)
}

fn placed(files: &[&Surveyed], error: RequirementError) -> PlanError {
    let (index, at) = match place(&layers(files), &error.at()) {
        Some((index, at)) => (index, Some(at)),
        None => (0, None),
    };
    PlanError::Signatures { path: files[index].path.clone(), at, error }
}
