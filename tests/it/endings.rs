//! How errors end: `docs/exit-codes.md` lists every error as the program prints it, and `plan` ends as `run --dry-run`
//! does on the same input.
//!
//! After a change on purpose: `UPDATE_DOCS=1 cargo test --test it endings`.

mod samples;

use std::path::Path;

use dibump::catalogue::CatalogueError;
use dibump::cli::Exit;
use dibump::ending::{Ending, Ends};
use dibump::merge_request::Outcome;
use dibump::plan::{PlanError, SurveyError};
use dibump::reconcile::Refusal;
use dibump::registry::RegistryError;
use dibump::values::ValuesError;

use crate::fake::oci::{Access, Fault};
use crate::world::{AT_0_4_11, VALUES, World};
use samples::Row;

const BEFORE: &str = "\
# Exit codes

Every command ends with one of these codes. A CI job can tell from the code whether a retry helps.

| code | meaning | what to do |
|---|---|---|
| 0 | done, nothing to do, or held by policy | – |
| 1 | a defect of dibump | report it |
| 2 | the command line is wrong | read `--help` |
| 3 | a person must act: configuration, input, credentials, and everything that a retry does not fix | read the message |
| 4 | could not tell: network, time-out, 5xx, rate limit, cut answers | run it again |
| 5 | refused: unsafe as asked | read the message |
| 10 | `check` found an error (with `--exit-zero` it only reports), or with `--detailed-exitcode`: an update is pending | look at it |
| 130, 143 | interrupted | – |

`run` ends with the first of 1, 3, 5, 4 that occurred in any target, else with 0.

## Errors

The table shows for each error the exit code of a command and the outcome of a target of `run`. It is printed from the code
(`src/ending.rs`); the messages are examples.

| code | outcome | error | message |
|---|---|---|---|
";

#[test]
fn the_page_lists_how_every_error_ends() {
    let mut rows = samples::all();
    let order = [Ending::Bug, Ending::Person, Ending::Unknown, Ending::Refused];
    rows.sort_by_key(|row| order.iter().position(|ending| *ending == row.ending));
    let line = |row: &Row| {
        let message = row.message.replace('|', "\\|").replace('\n', " ");
        let code = Exit::from(row.ending).code();
        format!("| {code} | {} | `{}` | {message} |\n", row.outcome.name(), row.error)
    };
    let page = format!("{BEFORE}{}", rows.iter().map(line).collect::<String>());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/exit-codes.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), page, "docs/exit-codes.md has drifted");
}

#[test]
fn a_command_and_a_target_of_a_run_end_alike_for_every_error() {
    for Row { error, ending, outcome, .. } in samples::all() {
        assert_eq!(outcome.ending(), Some(ending), "{error}: {outcome}");
    }
    let codes = [Ending::Bug, Ending::Person, Ending::Refused, Ending::Unknown];
    assert_eq!(codes.map(|ending| Exit::from(ending).code()), [1, 3, 5, 4]);
    assert!(
        codes.is_sorted_by(|worse, better| Exit::from(*worse) > Exit::from(*better)),
        "the first of them wins"
    );
    assert_eq!(Outcome::NoTarget(String::new()).ending(), Some(Ending::Person));
}

/// What provokes an error.
enum Given {
    /// The file says this.
    Values(String),
    /// The file says this, and a person accepts the release in spite of its holds.
    Accepted(String),
    /// The chart's schema is this.
    Schema(&'static str),
    /// The configuration has this line.
    Line(&'static str),
    /// The candidates come from a file that says this.
    Releases(&'static str),
    /// The registry answers like this.
    Registry(Fault),
    /// The registry takes another password than ours.
    WrongPassword,
    /// No input makes both commands meet it; why.
    Nothing(&'static str),
}

fn of_plan(error: &PlanError) -> Given {
    match error {
        PlanError::Survey(error) => of_survey(error),
        PlanError::Refused { refusal, .. } => of_refusal(refusal),
        PlanError::LeavesSchema { .. } => Given::Schema(
            r#"{"properties": {"diskimage_builder_os_images": {"propertyNames": {"pattern": "-1-30-11$"}}}}"#,
        ),
        PlanError::Map { .. } | PlanError::NoMap { .. } => {
            Given::Nothing("the configuration of the stories names no list: values_from.rs does")
        }
        PlanError::Producer { .. } => Given::Nothing("a run asks the producers of its configuration"),
        PlanError::Schema { .. } => Given::Schema("{\n  oops"),
        PlanError::Exceeded { .. } => Given::Nothing("hostile/work.rs has the files"),
        PlanError::Signatures { .. } => Given::Line("policy: {signatures: required}"),
        PlanError::Unsigned { .. } => Given::Nothing("only `plan --to` names a release"),
        PlanError::Edit { .. } => Given::Nothing("a plan asks for no edit that is known to fail"),
    }
}

fn of_survey(error: &SurveyError) -> Given {
    match error {
        SurveyError::Values { error, .. } => of_values(error),
        SurveyError::NoVersion { .. } => Given::Values("diskimage_builder_os_images: {}\n".to_owned()),
        SurveyError::NotAVersion { .. } => Given::Values(AT_0_4_11.replace("0.4.11  #", "some/branch  #")),
        SurveyError::NoMapping { .. } => Given::Values("sylva_diskimagebuilder_version: 0.4.11\n".to_owned()),
        SurveyError::TwoMappings { .. } => {
            Given::Values(format!("{AT_0_4_11}sylva_diskimagebuilder_images: {{}}\n"))
        }
        SurveyError::NoSuchRegistry { .. } => {
            Given::Nothing("the configuration of the stories names no registry")
        }
        SurveyError::NoSuchMapping { .. } => Given::Nothing("the configuration of the stories names no key"),
        SurveyError::Missing { .. } | SurveyError::OnlyOverlays => {
            Given::Nothing("the commands read all files of a target before")
        }
    }
}

fn of_values(error: &ValuesError) -> Given {
    let first = |line: &str| Given::Values(format!("{line}\n{AT_0_4_11}"));
    match error {
        ValuesError::Tab { .. } => first("a:\n\tb: 1"),
        ValuesError::Syntax { .. } => first("a: ["),
        ValuesError::LfsPointer => Given::Values(format!(
            "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n",
            "a".repeat(64)
        )),
        ValuesError::TemplateLine { .. } => first("{{- if .Values.a }}"),
        ValuesError::ThroughText { .. } => Given::Values(
            "sylva_diskimagebuilder_version: 0.4.11\ndiskimage_builder_os_images: |\n  a: {}\n".to_owned(),
        ),
        ValuesError::TopLevel { .. } => Given::Values("- a\n".to_owned()),
        ValuesError::WrittenTwice { .. } => first("sylva_diskimagebuilder_version: 0.4.10"),
        ValuesError::TwoDocuments { .. } => Given::Values(format!("{AT_0_4_11}---\n{AT_0_4_11}")),
        ValuesError::Template { .. } => Given::Values(AT_0_4_11.replace("0.4.11  #", "'{{ .Values.v }}'  #")),
        ValuesError::Alias { .. } => {
            Given::Values(AT_0_4_11.replace("0.4.11  #", "*v  #").replace("# versions", "v: &v 0.4.11  #"))
        }
        ValuesError::Unexpected { .. } => Given::Values(
            "sylva_diskimagebuilder_version: 0.4.11\ndiskimage_builder_os_images:\n  - a\n".to_owned(),
        ),
        ValuesError::MergeKey { .. } => {
            let merged = "diskimage_builder_os_images:\n  <<: *a";
            first("a: &a {}").map(|values| values.replace("diskimage_builder_os_images:", merged))
        }
        ValuesError::ThroughList { .. } | ValuesError::Encrypted { .. } => {
            Given::Nothing("the configuration of the stories names no key, and has no encrypted version")
        }
        ValuesError::TooLarge { .. } | ValuesError::NotUtf8 { .. } | ValuesError::TooManyAliases { .. } => {
            Given::Nothing("the same place in the code as the others, at more cost")
        }
    }
}

fn of_refusal(refusal: &Refusal) -> Given {
    let with = |entry: &str| AT_0_4_11.replace("other:", &format!("{entry}\nother:"));
    match refusal {
        Refusal::WrittenTwice { .. } => {
            Given::Values(with("  ubuntu-noble-plain-rke2-1-30-11:\n    enabled: false"))
        }
        Refusal::AnchorUsedElsewhere { .. } => Given::Values(
            with("  debian-12-plain-rke2-1-29-9: &gone {enabled: false}").replace("other: [1, 2]", "other: *gone"),
        ),
        Refusal::KeysOfUnknownRegistry { .. } => Given::Values(with("  somebody-elses: {}")),
        Refusal::EmptiesTheMapping { .. } => Given::Accepted(
            "sylva_diskimagebuilder_version: 0.4.11\ndiskimage_builder_os_images:\n  debian-12-plain-rke2-1-29-9: {}\n"
                .to_owned(),
        ),
    }
}

fn of_registry(error: &RegistryError) -> Given {
    match error {
        RegistryError::Refused { .. } => Given::Registry(Fault::status(403)),
        RegistryError::Unavailable { .. } => Given::Registry(Fault::status(500)),
        RegistryError::Denied { .. } => Given::Registry(Fault::status(403).on("/tags/list")),
        RegistryError::Invalid { .. } => {
            Given::Registry(Fault::status(200).body("{\"tags\": [\"0.4").on("/tags/list"))
        }
        RegistryError::Unusable { .. } => {
            Given::Registry(Fault::status(200).header("content-type", "text/html").body("<h1>Sign in</h1>"))
        }
        RegistryError::NotUnderstood { .. } => {
            Given::Registry(Fault::status(200).body("[]").on("/tags/list"))
        }
        RegistryError::Broken { .. } => {
            Given::Nothing("a registry says the digest of each manifest that it has")
        }
    }
}

fn of_catalogue(error: &CatalogueError) -> Given {
    match error {
        CatalogueError::Refused { .. } => Given::WrongPassword,
        CatalogueError::Unavailable { .. } => Given::Registry(Fault::status(502).on("_catalog")),
        CatalogueError::Invalid { .. } => Given::Registry(Fault::status(200).body("{\"rep").on("_catalog")),
        CatalogueError::Broken { .. } => Given::Releases("{}"),
        CatalogueError::Unusable { .. } => {
            let page = Fault::status(200).header("content-type", "text/html").body("<h1>Sign in</h1>");
            Given::Registry(page.on("_catalog"))
        }
        CatalogueError::NotOffered { .. } => Given::Nothing("the next source is asked"),
    }
}

impl Given {
    fn map(self, change: impl Fn(String) -> String) -> Self {
        match self {
            Self::Values(values) => Self::Values(change(values)),
            other => other,
        }
    }

    /// A world in which both commands meet the error.
    async fn world(self) -> Result<World, &'static str> {
        let mut world = World::new().await;
        world.put(VALUES, AT_0_4_11);
        match self {
            Self::Values(values) => world.put(VALUES, &values),
            Self::Accepted(values) => {
                world.put(VALUES, &values);
                world.accept("0.4.12");
            }
            Self::Schema(schema) => world.put("values.schema.json", schema),
            Self::Line(line) => drop(world.add(line)),
            Self::Releases(text) => {
                world.desk.write("releases.json", text);
                world.configure("[{file: releases.json}]", "");
            }
            Self::Registry(fault) => drop(world.registry.fault(fault)),
            Self::WrongPassword => {
                let (user, password) = ("bot".to_owned(), "secret".to_owned());
                world.registry.access(Access::Basic { user, password });
                let wrong = [("DIBUMP_REGISTRY_USERNAME", "bot"), ("DIBUMP_REGISTRY_PASSWORD", "wrong")];
                let wrong = wrong.map(|(name, value)| (name.to_owned(), value.to_owned()));
                world.desk.variables.extend(wrong);
            }
            Self::Nothing(why) => return Err(why),
        }
        Ok(world)
    }
}

impl World {
    /// The same file here and on the forge.
    fn put(&self, name: &str, text: &str) {
        self.desk.write(name, text);
        self.hub.commit("main", "As given", &[(name, text.as_bytes())]);
    }
}

/// One error at a time, in both commands.
async fn both_end_alike(error: &dyn Ends, given: Given) -> Result<(), String> {
    let world = match given.world().await {
        Ok(world) => world,
        Err(why) => {
            println!("not tried: {error}: {why}");
            return Ok(());
        }
    };
    let plan = world.desk.dibump(&["plan"]).await;
    let run = world.desk.dibump(&["run", "--dry-run"]).await;
    let code = Some(i32::from(Exit::from(error.ending()).code()));
    let said = plan.stderr.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or_default();
    match plan.exit == code && run.exit == code && run.stdout.contains(said) {
        true => Ok(()),
        false => Err(format!("{error}: {code:?} is expected\n{plan:#?}\n{run:#?}")),
    }
}

#[tokio::test]
async fn plan_ends_as_a_dry_run_does_on_the_same_input() {
    let mut cases: Vec<(Box<dyn Ends>, Given)> = Vec::new();
    for error in samples::plan() {
        let given = of_plan(&error);
        cases.push((Box::new(error), given));
    }
    for error in samples::survey() {
        let given = of_survey(&error);
        cases.push((Box::new(error), given));
    }
    for error in samples::values() {
        let given = of_values(&error);
        cases.push((Box::new(error), given));
    }
    for error in samples::refusal() {
        let given = of_refusal(&error);
        cases.push((Box::new(error), given));
    }
    for error in samples::registry() {
        let given = of_registry(&error);
        cases.push((Box::new(error), given));
    }
    for error in samples::catalogue() {
        let given = of_catalogue(&error);
        cases.push((Box::new(error), given));
    }
    let mut wrong = Vec::new();
    for (error, given) in cases {
        wrong.extend(both_end_alike(error.as_ref(), given).await.err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
