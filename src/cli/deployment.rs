//! The values of a deployment: read, merged, and with the place of everything that is wrong in them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Context;
use super::args::consumer::{ClusterFiles, DeploymentArgs as Args, FormArg};
use super::failure::Failure;
use crate::budget::Budget;
use crate::ending::Ends as _;
use crate::os_image::cluster::is_template;
use crate::os_image::{EnabledImages, Form, ImageNames, Problem, Wrong, advice, form, select};
use crate::release::{InvalidImageKey, Prefix, Release};
use crate::signature::RequirementError;
use crate::sylva::OS_IMAGES;
use crate::values::{
    Document, KeyPath, Layer, Lookups, Position, Rendered, Setting, Unmerged, ValuesError, merged_with, place,
};

/// Values with the files that they come from.
pub(super) struct Deployment {
    files: Vec<(String, Document)>,
    /// What the files say together.
    pub(super) values: Value,
    /// What may be spent on their templates.
    budget: Budget,
    lookups: Lookups,
    form: Form,
}

impl Deployment {
    /// Reads and merges the files.
    pub(super) fn read(args: &Args) -> Result<Self, Failure> {
        Self::of_files(&args.files, &args.set, args.form)
    }

    /// The values of another cluster.
    pub(super) fn of_cluster(files: &ClusterFiles) -> Result<Self, Failure> {
        Self::of_files(&files.0, &[], None)
    }

    fn of_files(paths: &[PathBuf], set: &[Setting], form_of: Option<FormArg>) -> Result<Self, Failure> {
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            files.push(document(path)?);
        }
        let documents: Vec<&Document> = files.iter().map(|(_, document)| document).collect();
        let values = merged_with(&documents, set).map_err(|error| match error {
            Unmerged::File(index, error) => unreadable(&files[index].0, error),
            Unmerged::Setting(error) => Failure::person(error),
        })?;
        let form = match form_of {
            Some(FormArg::Proposal) => Form::Proposal,
            Some(FormArg::SylvaCore) => Form::SylvaCore,
            Some(FormArg::Sylva16) => Form::Sylva16,
            None => form(Rendered::new(&values, &Budget::default()))
                .map_err(Failure::person)?
                .unwrap_or(Form::SylvaCore),
        };
        Ok(Self { files, values, budget: Budget::default(), lookups: Lookups::default(), form })
    }

    /// The same, where there must be some.
    pub(super) fn read_some(args: &Args) -> Result<Self, Failure> {
        match args.files.is_empty() {
            true => {
                Err(Failure::usage("no values file is named").hint("name one with -f, or `-f -` for stdin"))
            }
            false => Self::read(args),
        }
    }

    /// The values with their templates rendered.
    pub(super) fn rendered(&self) -> Rendered<'_> {
        Rendered::new(&self.values, &self.budget).noting(&self.lookups)
    }

    /// Which of the two forms the values have.
    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// Says which of the values that were read depend on a cluster, and how to say what they are there.
    pub(super) fn say_lookups(&self, context: &Context) {
        for path in self.lookups.paths() {
            let what = format!(
                "`{path}` asks the cluster (`lookup`), which finds nothing here; give what it is there with --set {path}=VALUE"
            );
            context.note(&self.said(&path, &what));
        }
    }

    /// The images that the values enable. Everything that is wrong with them is said at once.
    pub(super) fn selection(&self, fallback: Option<&Prefix>) -> Result<EnabledImages, Failure> {
        self.must_have_images()?;
        let selection = select(self.rendered(), self.form, fallback);
        match selection.problems.as_slice() {
            [] => Ok(selection),
            problems => Err(self.refused(problems)),
        }
    }

    /// Values that say nothing of images do not say that there are none.
    fn must_have_images(&self) -> Result<(), Failure> {
        // `null` takes away what another file has, as Helm reads it: that is said, not forgotten.
        let has = |name: &str| {
            self.values.get(name).is_some() || self.place(&KeyPath(vec![name.to_owned()])).is_some()
        };
        let form = self.form.mapping();
        if has(form) || has(OS_IMAGES) {
            return Ok(());
        }
        let names = self.files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        Err(Failure::person(anyhow::anyhow!("{names}: neither `{form}` nor `{OS_IMAGES}` is set"))
            .hint("pass the values of the chart as well (-f), and check the spelling of the key and --form"))
    }

    /// A failure that names the place of each problem.
    pub(super) fn refused(&self, problems: &[Problem]) -> Failure {
        let said = |problem: &Problem| match &problem.wrong {
            Wrong::Key(InvalidImageKey(key)) => {
                self.with_advice(&problem.to_string(), &problem.at, key, None)
            }
            _ => problem.to_string(),
        };
        let failure = self.refused_at(problems.iter().map(|problem| (&problem.at, said(problem))).collect());
        match problems.iter().find_map(Problem::exceeded) {
            Some(exceeded) => Failure { exit: exceeded.ending().into(), ..failure },
            None => failure,
        }
    }

    /// What must be signed cannot be told.
    pub(super) fn unsigned(&self, error: &RequirementError) -> Failure {
        let values = if error.lacks_a_value() { "pass the chart's values first (-f), " } else { "" };
        let said = self.said(&error.at(), &error.to_string());
        Failure::ending(error.ending(), anyhow::anyhow!(said)).hint(format!(
            "{values}name the keys under `cosign_public_keys:` or with --cosign-key, or set `signatures: off` (--signatures off)"
        ))
    }

    /// The same with what may have been meant by a key: one of those that are published, or where that is not known, one
    /// like those that the values list.
    pub(super) fn with_advice(
        &self,
        what: &str,
        at: &KeyPath,
        key: &str,
        published: Option<&Release>,
    ) -> String {
        let names = match published {
            Some(release) => {
                let artifacts = release.artifacts.values();
                ImageNames::Published(artifacts.map(|one| (one.key.as_str(), one.facets.as_ref())).collect())
            }
            None => {
                let mapping = self.values.get(self.form.mapping()).and_then(Value::as_object);
                let listed = mapping.into_iter().flatten().map(|(key, _)| key.as_str());
                ImageNames::Listed(listed.filter(|key| !is_template(key)).collect())
            }
        };
        let written = at.0.last().map_or(key, String::as_str);
        match advice(written, key, self.rendered(), &names) {
            Some(advice) => format!("{what}; {advice}"),
            None => what.to_owned(),
        }
    }

    /// One failure of several things that a person must put right, in the order of the files.
    pub(super) fn refused_at(&self, said: Vec<(&KeyPath, String)>) -> Failure {
        let mut placed: Vec<_> = said.into_iter().map(|(at, what)| (self.place(at), at, what)).collect();
        placed.sort_by_key(|(place, ..)| *place);
        let mut lines: Vec<String> = placed.iter().map(|(_, at, what)| self.said(at, what)).collect();
        lines.dedup();
        if let [one] = lines.as_slice() {
            return Failure::person(anyhow::anyhow!("{one}"));
        }
        let head = format!("{} values cannot be used:", lines.len());
        let error = anyhow::anyhow!("{head} {}", lines.join("; "));
        let lines = lines.into_iter().map(|line| format!("  {line}"));
        Failure { several: std::iter::once(head).chain(lines).collect(), ..Failure::person(error) }
    }

    /// What is to be said of a place of the values, with the file that has it.
    pub(super) fn said(&self, at: &KeyPath, what: &str) -> String {
        match self.place(at) {
            Some((file, at)) => format!("{}:{at}: {what}", self.files[file].0),
            None => what.to_owned(),
        }
    }

    fn place(&self, at: &KeyPath) -> Option<(usize, Position)> {
        let root = &KeyPath::default();
        let layers: Vec<Layer<'_>> =
            self.files.iter().map(|(_, document)| Layer { document, root }).collect();
        place(&layers, at)
    }
}

/// A file, or what stands on stdin, by its name in errors.
pub(super) fn document(path: &Path) -> Result<(String, Document), Failure> {
    let (name, bytes) = match path.to_str() {
        Some("-") => ("stdin".to_owned(), crate::disk::read_stdin()?),
        _ => (path.display().to_string(), crate::disk::read_small(path)?),
    };
    let document = Document::parse(bytes).map_err(|error| unreadable(&name, error))?;
    Ok((name, document))
}

/// A file that cannot be read as values.
pub(super) fn unreadable(name: &str, error: ValuesError) -> Failure {
    let hint = match &error {
        ValuesError::Template { .. } => Some("put the template in quotes".to_owned()),
        error => error.hint(),
    };
    let failure = Failure::ending(error.ending(), anyhow::anyhow!("{name}:{error}"));
    Failure { hint, ..failure }
}
