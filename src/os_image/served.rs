//! Which images a deployment's server has to serve: those of its machines, and those that are asked for besides.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::definition::{ImageChoice, Selector, conditions};
use super::machine::{Machines, machines};
use super::selector::{Selectable, SelectorTerm, complete, matching, read};
use super::{Form, Problem, Wrong};
use crate::sylva::ADDITIONAL_SELECTORS;
use crate::values::{KeyPath, Rendered};

/// What is served.
#[derive(Debug, Clone, PartialEq)]
pub enum ServedImages {
    /// Every image of the deployment: the proposal, and sylva-core before it had selectors.
    All,
    /// What these ask for.
    Asked(Vec<ImageRequest>),
}

/// What one place asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageRequest {
    /// Where it is.
    pub at: KeyPath,
    what: What,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    Key(String),
    /// A selector of machines, with what every selector of their cluster gets.
    OfMachines(Selector, Option<String>, Option<String>),
    /// A selector by itself.
    Additional(Selector),
}

/// What values want to be served.
///
/// # Errors
/// What chooses the image of some machines cannot be read, or a selector; and where nothing chooses any image.
pub fn wanted(values: Rendered<'_>, form: Form) -> Result<ServedImages, Problem> {
    let mut asked = by_machines(values)?;
    let additional = path(ADDITIONAL_SELECTORS);
    let has_selector = asked.iter().any(|asked| matches!(asked.what, What::OfMachines(..)));
    if form == Form::Proposal || !(has_selector || values.at(&additional).is_some()) {
        return Ok(ServedImages::All);
    }
    for (name, selector) in values.mapping(&additional)? {
        let at = additional.below(&[name]);
        let Value::Object(written) = selector else {
            return Err(Wrong::unexpected(selector, "a mapping").at(at));
        };
        let written = written.keys().map(|key| (key.as_str(), at.below(&[key]))).collect();
        let what = What::Additional(conditions(values, &written)?);
        asked.push(ImageRequest { at, what });
    }
    match asked.is_empty() {
        true => Err(Wrong::NothingServed.at(additional)),
        false => Ok(ServedImages::Asked(asked)),
    }
}

/// What the machines of a cluster ask for.
///
/// # Errors
/// What chooses the image of some machines cannot be read.
pub fn by_machines(values: Rendered<'_>) -> Result<Vec<ImageRequest>, Problem> {
    let asked = machines(values)?.iter().map(of_machines).collect::<Result<Vec<_>, _>>()?;
    Ok(asked.into_iter().flatten().collect())
}

fn of_machines(machines: &Machines) -> Result<Option<ImageRequest>, Problem> {
    let Some((choice, at)) = machines.choice.clone()? else { return Ok(None) };
    let what = match choice {
        ImageChoice::Raw(_) => return Ok(None),
        ImageChoice::Key(key) => What::Key(key),
        // Where there are both, they must agree.
        ImageChoice::Selector(selector) | ImageChoice::Both(_, selector) => {
            let cluster = &machines.cluster;
            What::OfMachines(selector, cluster.k8s_version.clone()?, cluster.bootstrap_provider.clone())
        }
    };
    Ok(Some(ImageRequest { at, what }))
}

impl ImageRequest {
    /// The keys of the images that it matches.
    ///
    /// # Errors
    /// A condition that is no regular expression, or no image to choose from.
    pub fn matches(&self, images: &[&Selectable]) -> Result<BTreeSet<String>, String> {
        let conditions = match &self.what {
            What::Key(key) => {
                return Ok(images.iter().filter(|image| image.key == *key).map(|_| key.clone()).collect());
            }
            What::OfMachines(selector, version, provider) => {
                complete(selector, version.as_deref(), provider.as_deref())?
            }
            What::Additional(selector) => read(selector)?,
        };
        if images.is_empty() {
            return Err("there is a selector and no image to choose from".to_owned());
        }
        let conditions: BTreeMap<&str, &SelectorTerm> =
            conditions.iter().map(|(key, condition)| (key.as_str(), condition)).collect();
        Ok(matching(&conditions, images)?.into_iter().map(|image| image.key.clone()).collect())
    }
}

fn path(key: &str) -> KeyPath {
    KeyPath::default().below(&[key])
}
