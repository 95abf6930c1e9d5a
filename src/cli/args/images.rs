//! The command lines of the images themselves.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::consumer::{ClusterFiles, DeploymentArgs, KnownImagesArgs};
use super::{Format, duration};
use crate::release::Size;

/// `dibump pull`.
#[derive(Debug, Args)]
pub(in crate::cli) struct PullArgs {
    /// The folder of images; it is made where it does not exist
    #[arg(long, value_name = "FOLDER")]
    pub(in crate::cli) into: PathBuf,
    /// The deployment
    #[command(flatten)]
    pub(in crate::cli) deployment: DeploymentArgs,
    /// Pull every enabled image, not only those that have to be served (see os-images --served)
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// Another cluster whose machines boot from these images, by the files of its values in their order, the chart's own
    /// first; can be given several times
    #[arg(long, value_name = "FILE,...", conflicts_with = "all")]
    pub(in crate::cli) workload_cluster: Vec<ClusterFiles>,
    /// Where it stands what is known of the images, by which selectors choose
    #[command(flatten)]
    pub(in crate::cli) known: KnownImagesArgs,
    /// How many images are downloaded at once, from 1 to 16
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(in crate::cli) jobs: u8,
    /// Refuse an image of more bytes, as in `64GiB`
    #[arg(long, value_name = "SIZE", default_value = "64GiB")]
    pub(in crate::cli) max_image_size: Size,
    /// Accept that no image is wanted
    #[arg(long)]
    pub(in crate::cli) allow_empty: bool,
    /// The form of the output
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: Format,
}

/// `dibump serve-images`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ServeImagesArgs {
    /// The folder that pull stores images in
    #[arg(value_name = "FOLDER")]
    pub(in crate::cli) folder: PathBuf,
    /// Where images are served: an address with a port
    #[arg(long, value_name = "ADDRESS", default_value = "[::]:8080")]
    pub(in crate::cli) listen: SocketAddr,
    /// Serve over TLS with this certificate (PEM, with the intermediate ones); it is read again when the file changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(in crate::cli) tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(in crate::cli) tls_key: Option<PathBuf>,
    /// Hash each image before it is served for the first time
    #[arg(long)]
    pub(in crate::cli) verify_on_start: bool,
    /// How many connections may be open at once; more are answered 503
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(in crate::cli) max_connections: u32,
    /// How long downloads that are under way may go on once the server is told to stop
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub(in crate::cli) grace: Duration,
}
