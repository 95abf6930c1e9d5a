//! `dibump init`: a first configuration and the jobs of a pipeline for a checkout, then the first plan.

mod merge_request;

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use super::args::{InitArgs as Args, Lookup, PlanArgs, TargetFileArgs};
use super::exit::Exit;
use super::failure::{Failure, LATER};
use super::{Context, found, plan};
use crate::config::{self, Config};
use crate::disk::{self, checkout};
use crate::merge_request::onboarding::FirstConfiguration;
use crate::onboarding::{
    Checkout, NewFile, Onboarding, Program, Remote, UnknownProducer, Wishes, matters, pipeline, propose,
};
use crate::plan::PlanView;
use crate::release::{InvalidPrefix, Prefix};

/// Where the configuration is written.
const CONFIG: &str = "dibump.yaml";
/// What is to be said where the registry could not be asked.
const NOT_OPENED: &str =
    "nothing was opened; a later run may succeed, or --offline opens the merge request without a plan";
/// Where the project is found, as every package has it.
const ADDRESSES: &str = include_str!("../../packaging/project.env");

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let checkout = observe(context)?;
    let init = Init { context, args, checkout: &checkout };
    let proposal = init.proposal()?;
    proposal.notes.iter().for_each(|note| context.note(note));
    if proposal.draft.targets.is_empty() {
        return Err(nothing_found(&args.paths));
    }
    let files = init.files(&proposal);
    let [configuration, ..] = files.as_slice() else { return Err(nothing_found(&args.paths)) };
    let config = config::load(&configuration.path, &configuration.text)?;
    if args.merge_request {
        return init.as_merge_request(&proposal, &files, &config);
    }
    match args.print {
        true => init.print(&files)?,
        false => init.write(&files)?,
    }
    match args.offline {
        true => Ok(Exit::Done),
        false => Ok(init.first_plan(&config).unwrap_or_else(|failure| init.without_plan(&failure))),
    }
}

fn observe(context: &Context) -> Result<Checkout, Failure> {
    let tracked = checkout::tracked(matters)?;
    tracked.left_out.iter().for_each(|left_out| context.note(&format!("{left_out}; it is left out")));
    let origin = tracked.origin.as_deref().and_then(Remote::read);
    Ok(Checkout { paths: tracked.paths, files: tracked.files, origin })
}

fn nothing_found(paths: &[String]) -> Failure {
    let below = if paths.is_empty() { String::new() } else { format!(" in {}", paths.join(", ")) };
    let error = anyhow::anyhow!("no tracked file{below} names a release and lists its images");
    Failure::person(error).hint(
        "a values file needs a version and a mapping of image keys; `git add` it first, or write dibump.yaml by `dibump config example`",
    )
}

struct Init<'a> {
    context: &'a Context,
    args: &'a Args,
    checkout: &'a Checkout,
}

impl Init<'_> {
    /// What is proposed once nothing is left open.
    fn proposal(&self) -> Result<Onboarding, Failure> {
        let mut wishes = Wishes {
            within: self.args.paths.iter().map(|path| path.trim_start_matches("./").to_owned()).collect(),
            registry: self.args.reach.prefix()?,
            plain_http: self.args.reach.plain_http,
            project: self.args.project.clone(),
            ..Wishes::default()
        };
        let mut proposal = propose(self.checkout, &wishes);
        for unknown in &proposal.unknown {
            wishes.assumed.insert(unknown.place.clone(), self.registry(unknown)?);
        }
        if !wishes.assumed.is_empty() {
            proposal = propose(self.checkout, &wishes);
        }
        if !proposal.draft.targets.is_empty() && proposal.draft.project.is_empty() {
            proposal.draft.project = self.project()?;
        }
        Ok(proposal)
    }

    fn registry(&self, unknown: &UnknownProducer) -> Result<Prefix, Failure> {
        let UnknownProducer { place, likely, why } = unknown;
        let what = match why {
            Some(why) => format!("the registry of {place} is not known: {why}"),
            None => format!("the registry of {place} is not known: no file names it"),
        };
        let likely = likely.as_ref().map(ToString::to_string);
        let answer = self.answer(&what, "registry prefix", likely, "--registry oci://HOST/PATH")?;
        answer.trim().parse().map_err(|error: InvalidPrefix| Failure::usage(error.to_string()))
    }

    fn project(&self) -> Result<String, Failure> {
        let folder = disk::checkout::folder_name().unwrap_or_else(|| "deployment".to_owned());
        let likely = Some(format!("group/{folder}"));
        self.answer(
            "the project is not known: `origin` names none",
            "project",
            likely,
            "--project GROUP/PROJECT",
        )
    }

    /// What a person says, or what is likely where it may be assumed.
    fn answer(
        &self,
        what: &str,
        question: &str,
        likely: Option<String>,
        flag: &str,
    ) -> Result<String, Failure> {
        match likely {
            Some(likely) if self.args.yes => {
                self.context.warn(&format!("{what}; assumed: {likely}"));
                Ok(likely)
            }
            likely if !self.args.yes && std::io::stdin().is_terminal() => {
                self.context.note(what);
                ask(question, likely.as_deref())
            }
            likely => {
                let hint = likely.map(|likely| format!("; --yes assumes {likely}")).unwrap_or_default();
                Err(Failure::person(anyhow::anyhow!(what.to_owned()))
                    .hint(format!("name it with {flag}{hint}")))
            }
        }
    }

    /// The configuration first, then the jobs.
    fn files(&self, proposal: &Onboarding) -> Vec<NewFile> {
        let setting = |name: &str| {
            ADDRESSES.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
        };
        let version = env!("CARGO_PKG_VERSION");
        let program = Program { home: setting("DIBUMP_HOME"), image: setting("DIBUMP_IMAGE"), version };
        let path =
            self.context.global.config.as_ref().map_or(CONFIG.to_owned(), |path| path.display().to_string());
        let jobs = pipeline(self.checkout, &proposal.draft, program, &path);
        let configuration = NewFile { path, text: proposal.draft.text(), next: Vec::new() };
        std::iter::once(configuration).chain(jobs).collect()
    }

    fn print(&self, files: &[NewFile]) -> Result<(), Failure> {
        files.iter().try_for_each(|file| {
            self.context.output.print(&format!("# {}\n{}\n", file.path, file.text.trim_end()))
        })
    }

    /// The plan first, because the merge request tells of it.
    fn as_merge_request(
        &self,
        proposal: &Onboarding,
        files: &[NewFile],
        config: &Config,
    ) -> Result<Exit, Failure> {
        let mut plans = Vec::new();
        let planned = match self.args.offline {
            true => Exit::Done,
            false => self.handed_plan(config, |view| plans.push(view)).map_err(|failure| {
                let own = failure.hint.as_deref().filter(|own| *own != LATER);
                let hint = own.map_or(NOT_OPENED.to_owned(), |own| format!("{own}; {NOT_OPENED}"));
                failure.hint(hint)
            })?,
        };
        if planned == Exit::Retry {
            self.context.note(NOT_OPENED);
            return Ok(planned);
        }
        let first = self.first(&proposal.draft, files, plans);
        if self.args.print {
            self.print(files)?;
            let (title, text) = (FirstConfiguration::TITLE, first.text());
            self.context.output.print(&format!("# the merge request: {title}\n{text}\n"))?;
            return Ok(planned);
        }
        self.absent(files)?;
        self.offer(config, &proposal.draft.project, &first)
    }

    /// Writes files none of which is there.
    fn write(&self, files: &[NewFile]) -> Result<(), Failure> {
        self.absent(files)?;
        for file in files {
            disk::write_new(Path::new(&file.path), file.text.as_bytes())?;
            self.context.output.print(&format!("wrote {}\n", file.path))?;
        }
        let next: Vec<String> =
            files.iter().flat_map(|file| &file.next).map(|next| format!("- {next}\n")).collect();
        self.context.output.print(&format!("still needed:\n{}\n", next.concat()))
    }

    /// Whether none of the files is there, and no other configuration.
    fn absent(&self, files: &[NewFile]) -> Result<(), Failure> {
        let mut there: Vec<&str> = files
            .iter()
            .map(|file| file.path.as_str())
            .filter(|path| disk::exists(Path::new(path)))
            .collect();
        if self.context.global.config.is_none() {
            there.extend(found::configurations().into_iter().filter(|path| *path != CONFIG));
        }
        if !there.is_empty() {
            let error = anyhow::anyhow!("{}: already there; nothing was written", there.join(", "));
            return Err(Failure::person(error).hint("see what would be written with --print"));
        }
        Ok(())
    }

    fn first_plan(&self, config: &Config) -> Result<Exit, Failure> {
        self.handed_plan(config, |_| ())
    }

    /// The first plan. Each is handed over once it is told.
    fn handed_plan(&self, config: &Config, hand: impl FnMut(PlanView)) -> Result<Exit, Failure> {
        let mut reach = self.args.reach.clone();
        // The configuration names it by now.
        reach.registry = None;
        let lookup = Lookup { reach, observed: self.args.observed.clone(), ..Lookup::default() };
        let args =
            PlanArgs { files: TargetFileArgs { lookup, ..TargetFileArgs::default() }, ..PlanArgs::default() };
        plan::handed(self.context, &args, Some(config), hand)
    }

    /// Where the first plan fails, what was written is as right as before.
    fn without_plan(&self, failure: &Failure) -> Exit {
        self.context.output.complain(&failure.render());
        let kept = if self.args.print { "" } else { "the files are kept; " };
        self.context.note(&format!("{kept}`dibump plan` tries it again"));
        Exit::Retry
    }
}

/// A person's answer to a question; an empty one takes what is likely.
fn ask(question: &str, likely: Option<&str>) -> Result<String, Failure> {
    let default = likely.map(|likely| format!(" [{likely}]")).unwrap_or_default();
    let failed = |error: std::io::Error| Failure::person(anyhow::Error::new(error).context("couldn't ask"));
    let mut stderr = anstream::stderr();
    write!(stderr, "{question}{default}: ").and_then(|()| stderr.flush()).map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(failed)?;
    match (answer.trim(), likely) {
        ("", Some(likely)) => Ok(likely.to_owned()),
        (answer, _) => Ok(answer.to_owned()),
    }
}
