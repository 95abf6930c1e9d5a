//! The jobs that keep the merge requests: what the pipeline of a forge needs of this project's templates.

use serde::Serialize;

use super::Checkout;
use crate::config::{Draft, ForgeKind};

/// GitLab's own file for pipelines.
pub(super) const GITLAB: &str = ".gitlab-ci.yml";
/// A file to include, where [`GITLAB`] is there already. GitLab's folder may hold a configuration of that name.
const INCLUDED: &str = ".gitlab/dibump-ci.yml";

const ACTION: &str = include_str!("../../action.yml");
const WORKFLOW: &str = include_str!("../../templates/github-workflow.yml");
/// The line of the workflow that names the files of which a change is checked.
const WORKFLOW_PATHS: &str = "    paths: [dibump.yaml, \"**/values.yaml\"]\n";

/// A file that a first configuration consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its path from the top of the checkout.
    pub path: String,
    /// Its text.
    pub text: String,
    /// What is left to a person.
    pub next: Vec<String>,
}

/// Where this program is published.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// Its project.
    pub home: &'a str,
    /// Its image, without a tag.
    pub image: &'a str,
    /// Its version.
    pub version: &'a str,
}

impl Program<'_> {
    /// What is left to do where the program was built without a public address.
    fn placeholder(&self) -> Option<String> {
        let (home, image) = (self.home, self.image);
        let is_reserved = home.split('/').nth(2).is_some_and(|host| host.ends_with(".example"));
        is_reserved
            .then(|| format!("your own addresses in place of `{home}` and `{image}`, which do not exist"))
    }
}

/// The files of the pipeline of the draft's forge. `config` is the path of the configuration.
pub fn pipeline(checkout: &Checkout, draft: &Draft, program: Program<'_>, config: &str) -> Vec<NewFile> {
    match draft.kind {
        ForgeKind::Gitlab => vec![gitlab(checkout, draft, program, config)],
        ForgeKind::Github => github(draft, program, config),
    }
}

#[derive(Serialize)]
struct Includes {
    include: Vec<Include>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Include {
    Component { component: String, inputs: Inputs },
    Remote { remote: String, inputs: Inputs },
}

#[derive(Serialize, Default)]
struct Inputs {
    image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
}

const GITLAB_HEAD: &str = "\
# Keeps the merge requests of dibump.yaml in pipelines of a schedule, and checks merge requests that change its files.
";

fn gitlab(checkout: &Checkout, draft: &Draft, program: Program<'_>, config: &str) -> NewFile {
    let named = Some(config.to_owned()).filter(|config| config != "dibump.yaml");
    let inputs = |files| Inputs {
        image: format!("{}:{}-shell", program.image, program.version),
        config: named.clone(),
        files,
    };
    let run = include(checkout, program, "run", inputs(Vec::new()));
    let check = include(checkout, program, "check", inputs(watched(draft, config)));
    // Texts and lists can always be written as YAML.
    let includes = serde_yaml::to_string(&Includes { include: vec![run, check] }).unwrap_or_default();
    let is_there = checkout.paths.contains(GITLAB);
    let mut next = vec![
        "a masked and protected CI/CD variable GITLAB_TOKEN: a project access token of scope `api` with the role Developer".to_owned(),
        "a pipeline schedule with the variable DIBUMP set to `run`".to_owned(),
    ];
    next.extend(program.placeholder());
    if is_there {
        next.insert(0, format!("a line below `include:` in {GITLAB}: `- local: {INCLUDED}`"));
    }
    let path = if is_there { INCLUDED } else { GITLAB };
    NewFile { path: path.to_owned(), text: format!("{GITLAB_HEAD}{includes}"), next }
}

/// On its own GitLab it is a component of the catalogue, elsewhere a file of that GitLab.
fn include(checkout: &Checkout, program: Program<'_>, name: &str, inputs: Inputs) -> Include {
    let Program { home, version, .. } = program;
    let own = checkout.origin.as_ref().and_then(|origin| home.strip_prefix(&origin.url));
    let own = own.filter(|project| project.starts_with('/'));
    match own {
        Some(project) => {
            Include::Component { component: format!("$CI_SERVER_FQDN{project}/{name}@{version}"), inputs }
        }
        None => Include::Remote { remote: format!("{home}/-/raw/v{version}/templates/{name}.yml"), inputs },
    }
}

fn github(draft: &Draft, program: Program<'_>, config: &str) -> Vec<NewFile> {
    let workflow = WORKFLOW.split_once("\nname: ").map_or(WORKFLOW, |(_, jobs)| jobs);
    let paths = serde_json::to_string(&watched(draft, config)).unwrap_or_default().replace(',', ", ");
    let workflow = workflow.replace(WORKFLOW_PATHS, &format!("    paths: {paths}\n"));
    let quoted = serde_json::to_string(config).unwrap_or_default();
    let named = format!("          config: {quoted}\n");
    let workflow = match config {
        "dibump.yaml" => workflow,
        _ => workflow.replace("          image: ", &format!("{named}          image: ")),
    };
    let head = "# Keeps the pull requests of dibump.yaml each day, and checks pull requests that change its files.\n\nname: ";
    let image = format!("{}:{}", program.image, program.version);
    let mut next = vec![
        format!("a variable DIBUMP_IMAGE of the repository: {image}, best with its digest"),
        "the setting \"Allow GitHub Actions to create and approve pull requests\" (Settings, Actions, General)".to_owned(),
    ];
    next.extend(program.placeholder());
    vec![
        NewFile {
            path: ".github/actions/dibump/action.yml".to_owned(),
            text: ACTION.to_owned(),
            next: Vec::new(),
        },
        NewFile { path: ".github/workflows/dibump.yml".to_owned(), text: format!("{head}{workflow}"), next },
    ]
}

/// The files whose changes are checked.
fn watched(draft: &Draft, config: &str) -> Vec<String> {
    let mut watched = vec![config.to_owned()];
    for target in draft.targets.iter().map(|target| &target.target) {
        let files = target.files.iter().map(|file| &file.path);
        for path in files.chain(target.references.written()) {
            if !watched.contains(path) {
                watched.push(path.clone());
            }
        }
    }
    watched
}
