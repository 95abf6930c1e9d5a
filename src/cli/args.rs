//! The command line as it is written. What it means is decided in the rest of `cli`.

mod checking;
pub(super) mod consumer;
mod file_output;
pub(super) mod images;
mod init;
mod running;

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(super) use checking::{CheckArgs, CheckFormat};
pub(super) use file_output::FileOutput;
use file_output::output;
pub(super) use init::InitArgs;
pub(super) use running::{Run, RunFormat, Serve};

use crate::release::Version;
use crate::release::accepted::Accepted;
use crate::release::span::Span;
use crate::values::KeyPath;

/// Keeps Helm values files in step with the OS disk image releases of an OCI registry.
#[derive(Debug, Parser)]
#[command(name = "dibump", version, long_version = VERSION.as_str(), about, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub(super) global: Global,
}

/// The version, the commit that it was built from where the build named it, and the features.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let commit = option_env!("DIBUMP_COMMIT").unwrap_or("not named by the build");
    let features = if cfg!(feature = "kube") { "kube" } else { "none" };
    format!("{}\ncommit: {commit}\nfeatures: {features}", env!("CARGO_PKG_VERSION"))
});

const EXIT_CODES: &str = "\
Exit codes: 0 done, nothing to do, or held by policy; 1 a bug; 2 usage; 3 a person must act (configuration, input file, \
credentials); 4 could not tell, a retry may help; 5 refused as unsafe; 10 an update is pending (--detailed-exitcode), or check \
found an error; 130, 143 interrupted.";

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// The configuration file [default: dibump.yaml or .dibump.yaml, also below .gitlab or .github]
    #[arg(long, global = true, env = "DIBUMP_CONFIG", value_name = "FILE", value_parser = path())]
    pub(super) config: Option<PathBuf>,
    /// The form of the log on stderr
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) log_format: LogFormat,
    /// Log more (-v: requests, -vv: headers of answers, -vvv: everything), and print reports in full
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Print only errors and, in reports, what needs a person: no log, no progress
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(super) color: Color,
    /// Give up after this long, as in `90s` or `10m`
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub(super) max_time: Option<std::time::Duration>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Look up releases and print what would change in a values file
    #[command(
        after_help = "Example: dibump plan values.yaml --registry oci://registry.example/sylva/diskimage-builder --write"
    )]
    Plan(Box<PlanArgs>),
    /// Check whether a values file is in step with the release that it names
    #[command(after_help = "Example: dibump check values.yaml --format code-quality")]
    Check(Box<CheckArgs>),
    /// Create or update the merge request of each target
    #[command(after_help = "Example: dibump run --config dibump.yaml --dry-run")]
    Run(Run),
    /// Run on a schedule and on demand, as a daemon
    #[command(after_help = "Example: dibump serve --every 1h --listen 127.0.0.1:8080")]
    Serve(Serve),
    /// List the releases in the registry, and what the policy thinks of each
    #[command(
        after_help = "Example: dibump releases --registry oci://registry.example/sylva/diskimage-builder --from 0.4.11"
    )]
    Releases(ReleasesArgs),
    /// List the artifacts of one release
    #[command(
        after_help = "Example: dibump artifacts 0.4.12 --registry oci://registry.example/sylva/diskimage-builder"
    )]
    Artifacts(Artifacts),
    /// Print the images that a deployment's values enable, as Helm's `os_images`
    #[command(
        after_help = "Example: dibump os-images -f chart/values.yaml -f environment/values.yaml --offline"
    )]
    OsImages(Box<consumer::OsImagesArgs>),
    /// Print what is known of these images, as the ConfigMap `os-images-info`
    #[command(
        after_help = "Example: dibump os-images-info -f chart/values.yaml -f environment/values.yaml --apply"
    )]
    OsImagesInfo(Box<consumer::OsImagesInfoArgs>),
    /// Print the image of a Metal3 machine: url, checksum, type and format
    #[command(
        after_help = "Example: dibump machine-image -f chart/values.yaml -f environment/values.yaml --for control_plane"
    )]
    MachineImage(Box<consumer::MachineImageArgs>),
    /// Write a first configuration and pipeline for this checkout, and print the first plan
    #[command(after_help = "Example: dibump init --print")]
    Init(Box<InitArgs>),
    /// Download the images that have to be served, verified and unpacked, into a folder
    #[command(
        after_help = "Example: dibump pull --into images -f chart/values.yaml -f environment/values.yaml"
    )]
    Pull(Box<images::PullArgs>),
    /// Serve the images of a folder to machines that boot from them
    #[command(after_help = "Example: dibump serve-images images --pull-every 15m")]
    ServeImages(images::ServeImagesArgs),
    /// Check the configuration file, or print it, its schema or an example of it
    #[command(subcommand, after_help = "Example: dibump config validate --online")]
    Config(ConfigCommand),
    /// Print a completion script
    #[command(after_help = "Example: dibump completions bash")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page
    #[command(after_help = "Example: dibump man --write man1")]
    Man {
        /// Write the page of each command into this folder instead
        #[arg(long, value_name = "FOLDER", value_parser = path())]
        write: Option<PathBuf>,
    },
}

/// `dibump plan`.
#[derive(Debug, Default, Args)]
pub(super) struct PlanArgs {
    /// Go to this release, whatever the policy says
    #[arg(long, value_name = "VERSION")]
    pub(super) to: Option<Version>,
    /// End the holds of a release, as `accept:` does: `0.4.13`, or of several producers `kiwi-imagebuilder@0.1.3`
    #[arg(long, value_name = "[NAME@]VERSION")]
    pub(super) accept: Vec<Accepted>,
    /// Kubernetes versions that follow the images: `auto`, `add` and `remove` (lines of the map too), `off`, or rules as in
    /// `rke2=_internal.k8s_version_map`
    #[arg(long, value_name = "auto|add|remove|off|FLAVOR=PATH")]
    pub(super) kubernetes_versions: Vec<String>,
    /// What happens to `default_enabled` when a newer Kubernetes of the family is added [default: as the configuration says,
    /// else stay]
    #[arg(long, value_enum, value_name = "RULE")]
    pub(super) default_enabled: Option<DefaultEnabledArg>,
    /// Write the change to the file
    #[arg(long)]
    pub(super) write: bool,
    /// The form of the output
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: PlanFormat,
    /// Exit with 10 when an update is pending
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    /// The files
    #[command(flatten)]
    pub(super) files: TargetFileArgs,
}

/// Which files, what they say, and where their releases are.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Values file")]
pub(super) struct TargetFileArgs {
    /// The values file; without it, the local files of the configuration's targets
    #[arg(index = 1, help_heading = None)]
    pub(super) values: Option<PathBuf>,
    /// Which keys the mapping lists
    #[arg(long, value_enum, value_name = "POLICY")]
    pub(super) images: Option<ImagesArg>,
    /// The release that the file is at, where it does not say so itself
    #[arg(long, value_name = "VERSION")]
    pub(super) from: Option<Version>,
    /// The path of the version key, as in `spec.values.sylva_diskimagebuilder_version`
    #[arg(long, value_name = "PATH")]
    pub(super) version_key: Option<KeyPath>,
    /// The path of the mapping of image keys
    #[arg(long, value_name = "PATH")]
    pub(super) images_key: Option<KeyPath>,
    /// The producer's entry of `os_images_oci_registries`
    #[arg(long, value_name = "NAME")]
    pub(super) registry_key: Option<String>,
    /// Other YAML files below the working directory that name image keys, as in `'deploy/**/*.yaml'`
    #[arg(long, value_name = "GLOB")]
    pub(super) references: Vec<String>,
    /// Where the releases are
    #[command(flatten)]
    pub(super) lookup: Lookup,
}

/// `dibump releases`.
#[derive(Debug, Args)]
pub(super) struct ReleasesArgs {
    /// The release that the verdicts start from
    #[arg(long, value_name = "VERSION")]
    pub(super) from: Option<Version>,
    /// Only the newest N
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) limit: Option<u32>,
    /// What changes from one release to another; `A..` goes to the newest, `..B` comes from the previous
    #[arg(long, value_name = "A..B", allow_hyphen_values = true, conflicts_with_all = ["from", "limit"])]
    pub(super) diff: Option<Span>,
    /// The form of the output
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: TableFormat,
    /// Where the releases are
    #[command(flatten)]
    pub(super) lookup: Lookup,
}

/// `dibump artifacts`.
#[derive(Debug, Args)]
pub(super) struct Artifacts {
    /// The release
    pub(super) version: Version,
    /// The form of the output
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: TableFormat,
    /// Where the releases are
    #[command(flatten)]
    pub(super) lookup: Lookup,
}

/// `dibump config`.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Check the configuration file
    Validate {
        /// Also ask the registry and the forge, read-only, whose token it is and what it may do
        #[arg(long)]
        online: bool,
    },
    /// Print the JSON schema of the configuration file
    Schema,
    /// Print an example of a configuration file, with every key and what it means
    Example,
    /// Print the configuration as dibump understands it, with every default
    Show,
}

/// Where the releases are looked up.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Releases")]
pub(super) struct Lookup {
    /// Take the releases from a file (`releases --format json`) instead of a registry; one for each producer of the file
    #[arg(long, value_name = "FILE", conflicts_with = "registry")]
    pub(super) observed: Vec<PathBuf>,
    /// Where to look for releases: auto, release-notes, gitlab, github, catalog, known, file:PATH (several separated by
    /// commas)
    #[arg(long, value_name = "SOURCES", value_delimiter = ',')]
    pub(super) discovery: Vec<String>,
    /// The producer's GitLab, if it cannot be found from the registry, as in `https://gitlab.example`
    #[arg(long, value_name = "URL")]
    pub(super) gitlab_url: Option<String>,
    /// The producer's project on that GitLab
    #[arg(long, value_name = "PATH")]
    pub(super) gitlab_project: Option<String>,
    /// A regular expression for names of another scheme, with groups os, os_release, flavor, k8s_flavor, k8s_version
    #[arg(long, value_name = "REGEX")]
    pub(super) names_pattern: Option<String>,
    /// Only versions in this SemVer range
    #[arg(long, value_name = "RANGE")]
    pub(super) range: Option<semver::VersionReq>,
    /// Which registry, and how it is spoken to
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// Which registry is asked, and how it is spoken to.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Registry")]
pub(super) struct Reach {
    /// The registry prefix below which a producer's images are, as in `oci://registry.example/path/diskimage-builder`
    #[arg(long, env = "DIBUMP_REGISTRY", hide_env_values = true, value_name = "PREFIX")]
    pub(super) registry: Option<String>,
    /// The producer, where the configuration or the values file has several
    #[arg(long, value_name = "NAME", conflicts_with = "registry")]
    pub(super) producer: Option<String>,
    /// Speak HTTP without TLS to the registry
    #[arg(long)]
    pub(super) plain_http: bool,
    /// How many requests may be open to one host at once, from 1 to 64
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(super) concurrency: Option<u8>,
    /// An additional CA certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Vec<PathBuf>,
    /// A public key (ECDSA P-256, PEM), instead of those of the configuration; one of the keys must have signed each image
    #[arg(long, value_name = "FILE", help_heading = "Signatures")]
    pub(super) cosign_key: Vec<PathBuf>,
    /// Whether images must be signed [default: required if a key is known]
    #[arg(long, value_enum, value_name = "DEMAND", help_heading = "Signatures")]
    pub(super) signatures: Option<DemandArg>,
    /// The folder in which completely read releases are cached
    #[arg(long, env = "DIBUMP_CACHE_DIR", value_name = "FOLDER", value_parser = path())]
    pub(super) cache_dir: Option<PathBuf>,
}

/// A shell that completes commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Shell {
    /// Bash
    Bash,
    /// Elvish
    Elvish,
    /// Fish
    Fish,
    /// Nushell
    Nushell,
    /// PowerShell
    Powershell,
    /// Zsh
    Zsh,
}

/// Text or JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs; the shape is documented and versioned
    Json,
}

/// The forms of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum TableFormat {
    /// For people; as wide as the terminal, or as COLUMNS says
    #[default]
    Text,
    /// For programs; the shape is documented and versioned
    Json,
    /// For a forge: an issue, a merge request, a wiki
    Markdown,
}

/// The forms of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    /// For people
    #[default]
    Text,
    /// For programs; the shape is documented and versioned
    Json,
    /// Only the unified diff, as `git apply` reads it
    Diff,
    /// What the merge request would say, in Markdown
    Markdown,
}

/// Which keys the mapping lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ImagesArg {
    /// `all` where the mapping lists exactly the artifacts of the release that the file names, else `follow`
    Auto,
    /// Exactly the artifacts of the release
    All,
    /// The listed series, and new series of listed families
    Follow,
    /// The listed series only
    Listed,
}

/// What becomes of `default_enabled`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DefaultEnabledArg {
    /// It stays with its entry
    Stay,
    /// It moves to the newest Kubernetes of the family, if it was at the newest before
    Follow,
}

/// What is asked of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DemandArg {
    /// Each image must be signed by one of the keys
    Required,
    /// Report which images are not signed
    Warn,
    /// Do not look at them
    Off,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// A path, which may come from a variable, without the blanks around it.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(|path| match path.to_str() {
        Some(text) => text.trim().into(),
        None => path,
    })
}

fn duration(text: &str) -> Result<std::time::Duration, crate::config::InvalidDuration> {
    crate::config::duration(text).map(jiff::SignedDuration::unsigned_abs)
}

/// A second is the least between two of the same: a server that never rests is a mistake.
fn pause(text: &str) -> Result<std::time::Duration, String> {
    let duration = duration(text).map_err(|error| error.to_string())?;
    match duration.as_secs() {
        0 => Err("a second is the least".to_owned()),
        _ => Ok(duration),
    }
}

#[cfg(test)]
mod tests;
