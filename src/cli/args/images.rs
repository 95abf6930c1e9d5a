//! The command lines of the images themselves.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::consumer::{ClusterFiles, DeploymentArgs, KnownImagesArgs};
use super::{duration, pause};
use crate::cluster::{is_namespace_name, is_object_name};
use crate::release::Size;

/// `dibump pull`.
#[derive(Debug, Args)]
pub(in crate::cli) struct PullArgs {
    /// The folder of images; it is made where it does not exist
    #[arg(long, value_name = "FOLDER")]
    pub(in crate::cli) into: PathBuf,
    /// Pull every enabled image, not only those that have to be served (see os-images --served)
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// The values files, in order, of another cluster whose machines boot from these images, the chart's own first; can be
    /// given several times
    #[arg(long, value_name = "FILE,...", conflicts_with = "all")]
    pub(in crate::cli) workload_cluster: Vec<ClusterFiles>,
    /// How many images are downloaded at once, from 1 to 16
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(in crate::cli) jobs: u8,
    /// How new images are stored
    #[arg(long, value_enum, value_name = "FORM", default_value_t)]
    pub(in crate::cli) keep: KeepArg,
    /// Keep the download of an image until the image is stored, so that the next run resumes it; the folder needs room for
    /// both
    #[arg(long)]
    pub(in crate::cli) spool: bool,
    /// Refuse an image of more bytes, as in `64GiB`
    #[arg(long, value_name = "SIZE", default_value = "64GiB")]
    pub(in crate::cli) max_image_size: Size,
    /// Pull the user's own images (`os_images`) from this host over http or https too, and follow redirects to it; with or
    /// without a port; can be given several times
    #[arg(long, value_name = "HOST")]
    pub(in crate::cli) allow_host: Vec<String>,
    /// Accept an empty list of wanted images
    #[arg(long)]
    pub(in crate::cli) allow_empty: bool,
    /// The form of the output
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: PullFormat,
    /// The deployment
    #[command(flatten)]
    pub(in crate::cli) deployment: DeploymentArgs,
    /// Where it stands what is known of the images, by which selectors choose
    #[command(flatten)]
    pub(in crate::cli) known: KnownImagesArgs,
    /// What becomes of images that are not wanted any more
    #[command(flatten)]
    pub(in crate::cli) unwanted: UnwantedArgs,
    /// The ConfigMap of what is served
    #[command(flatten)]
    pub(in crate::cli) served: ServedMapArgs,
}

/// What becomes of images that are not wanted any more.
#[derive(Debug, Args)]
#[command(next_help_heading = "Images that are not wanted any more")]
pub(in crate::cli) struct UnwantedArgs {
    /// Keep the images that machines use: those of the cluster (`cluster`), or of a file that `kubectl get
    /// metal3machinetemplates,metal3machines,baremetalhosts -A -o yaml` wrote; `-` is stdin
    #[arg(long, value_name = "FILE|cluster")]
    pub(in crate::cli) keep_used: Option<KeepUsed>,
    /// How long an image stays that is not wanted any more; it is removed only once every wanted image is there
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = duration)]
    pub(in crate::cli) grace: Duration,
    /// Remove nothing
    #[arg(long, conflicts_with_all = ["keep_used", "grace"])]
    pub(in crate::cli) keep_unwanted: bool,
}

/// Who says which images machines use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum KeepUsed {
    /// The cluster.
    Cluster,
    /// A file.
    File(PathBuf),
}

impl std::str::FromStr for KeepUsed {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "cluster" => Self::Cluster,
            file => Self::File(file.into()),
        })
    }
}

/// The ConfigMap of what is served.
#[derive(Debug, Args)]
#[command(next_help_heading = "ConfigMap of what is served")]
pub(in crate::cli) struct ServedMapArgs {
    /// Write the ConfigMap of the images that are complete to a cluster, by server-side apply
    #[arg(long)]
    pub(in crate::cli) apply: bool,
    /// The ConfigMap [default: capm3-os-image-server-os-images, in the namespace of the credentials]
    #[arg(long, value_name = "[NAMESPACE/]NAME")]
    pub(in crate::cli) apply_to: Option<ObjectPlace>,
    /// With --apply: take over all that a manager wrote without server-side apply, as kubectl-client-side-apply
    #[arg(long, value_name = "MANAGER", requires = "apply")]
    pub(in crate::cli) take_over_from: Vec<String>,
    /// With --apply: take over what any other manager of the ConfigMap set
    #[arg(long, requires = "apply")]
    pub(in crate::cli) force_conflicts: bool,
}

/// An object of a cluster, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct ObjectPlace {
    pub(in crate::cli) namespace: Option<String>,
    pub(in crate::cli) name: String,
}

impl std::str::FromStr for ObjectPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, text),
        };
        match namespace.is_none_or(is_namespace_name) && is_object_name(name) {
            true => Ok(Self { namespace: namespace.map(str::to_owned), name: name.to_owned() }),
            false => Err("expected a name, or a namespace and a name, as in sylva-system/capm3-os-image-server-os-images".to_owned()),
        }
    }
}

/// The forms of what became of images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PullFormat {
    /// For people
    #[default]
    Text,
    /// For programs; the shape is documented and versioned
    Json,
    /// The ConfigMap of the images that are complete, as kubectl reads it
    ConfigMap,
}

/// `dibump serve-images`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ServeImagesArgs {
    /// The folder that pull stores images in
    #[arg(value_name = "FOLDER")]
    pub(in crate::cli) folder: PathBuf,
    /// Where images are served: an address with a port. `[::]` takes IPv4 as well, unless the system keeps the two apart
    /// (net.ipv6.bindv6only); without IPv6 it means `0.0.0.0`
    #[arg(long, value_name = "ADDRESS", default_value = "[::]:8080", value_parser = address)]
    pub(in crate::cli) listen: SocketAddr,
    /// Serve over TLS with this certificate (PEM, with the intermediate ones); it is read again when the file changes, at
    /// once after SIGHUP
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(in crate::cli) tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(in crate::cli) tls_key: Option<PathBuf>,
    /// Pull again this often, as in `15m`, and at once where a file is not the image that it was: with the arguments after
    /// `--`, else with those of the last pull into the folder
    #[arg(long, value_name = "DURATION", value_parser = pause)]
    pub(in crate::cli) pull_every: Option<Duration>,
    /// The arguments of the pull that --pull-every repeats, without --into; its files are looked for from where the server
    /// was started
    #[arg(last = true, value_name = "PULL ARGUMENTS", requires = "pull_every")]
    pub(in crate::cli) pull_arguments: Vec<OsString>,
    /// Hash each image before it is served for the first time
    #[arg(long)]
    pub(in crate::cli) verify_on_start: bool,
    /// How many connections may be open at once; more are answered 503
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(in crate::cli) max_connections: u32,
    /// How long running downloads may continue after the server is asked to stop
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub(in crate::cli) grace: Duration,
}

/// How images are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum KeepArg {
    /// As machines write them to disks, with holes for zeros
    #[default]
    Raw,
    /// As they are published, if that is gzip in an archive; the server decompresses them for clients that cannot
    Compressed,
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "expected an address with a port, as [::]:8080 or 127.0.0.1:8080")
}
