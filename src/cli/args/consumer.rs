//! The command lines of the consumer's side.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Reach;
use crate::cluster::{is_namespace_name, is_object_name};
use crate::os_image::machine_image::Capm3;
use crate::os_image::url::UrlTemplate;
use crate::release::{K8sVersion, Tag};
use crate::values::Setting;

/// The values of a deployment, and the registry of images whose values name none.
#[derive(Debug, Args)]
#[command(next_help_heading = "Deployment")]
pub(in crate::cli) struct DeploymentArgs {
    /// A file of Helm values: the chart's own first, then those that override it; `-` is stdin
    #[arg(short = 'f', long = "values", value_name = "FILE")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Set values as Helm's --set does, as in `cluster.k8s_version=v1.31.8`
    #[arg(long, value_name = "PATH=VALUE")]
    pub(in crate::cli) set: Vec<Setting>,
    /// Which mapping of images the values have [default: the one that is there]
    #[arg(long, value_enum)]
    pub(in crate::cli) form: Option<FormArg>,
    /// Which registry, and how it is spoken to
    #[command(flatten)]
    pub(in crate::cli) reach: Reach,
}

/// Files of one cluster, apart by commas.
#[derive(Debug, Clone)]
pub(in crate::cli) struct ClusterFiles(pub(in crate::cli) Vec<PathBuf>);

impl std::str::FromStr for ClusterFiles {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.split(',').map(PathBuf::from).collect()))
    }
}

/// `dibump os-images`.
#[derive(Debug, Args)]
pub(in crate::cli) struct OsImagesArgs {
    /// Ask no registry whether the images exist
    #[arg(long)]
    pub(in crate::cli) offline: bool,
    /// Only the images that have to be served: those that machines choose, and os_image_server_additional_selectors
    #[arg(long)]
    pub(in crate::cli) served: bool,
    /// With --served: the values files, in order, of another cluster whose machines boot from this server, the chart's own
    /// first; can be given several times
    #[arg(long, value_name = "FILE,...", requires = "served")]
    pub(in crate::cli) workload_cluster: Vec<ClusterFiles>,
    /// The form of the output
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: DataFormat,
    /// The deployment
    #[command(flatten)]
    pub(in crate::cli) deployment: DeploymentArgs,
    /// Where it stands what is known of the images, by which selectors choose
    #[command(flatten)]
    pub(in crate::cli) known: KnownImagesArgs,
}

/// `dibump os-images-info`.
#[derive(Debug, Args)]
pub(in crate::cli) struct OsImagesInfoArgs {
    /// What happens to an image that is missing, lacks a required signature, or cannot be used
    #[arg(long, value_enum, value_name = "ACTION", default_value_t)]
    pub(in crate::cli) on_error: OnErrorArg,
    /// Write the ConfigMap to a file
    #[arg(short, long, value_name = "FILE", conflicts_with = "apply")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Write the ConfigMap to a cluster, by server-side apply
    #[arg(long)]
    pub(in crate::cli) apply: bool,
    /// Write no image in place of those that --output or --apply has
    #[arg(long)]
    pub(in crate::cli) allow_empty: bool,
    /// With --apply: the cluster checks, and writes nothing
    #[arg(long, requires = "apply")]
    pub(in crate::cli) dry_run: bool,
    /// With --apply: take over all that a manager wrote without server-side apply, as kubectl-client-side-apply; what
    /// it wrote and the images do not need is removed
    #[arg(long, value_name = "MANAGER", requires = "apply")]
    pub(in crate::cli) take_over_from: Vec<String>,
    /// With --apply: take over what any other manager of the ConfigMap set
    #[arg(long, requires = "apply")]
    pub(in crate::cli) force_conflicts: bool,
    /// The form of the output
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: DataFormat,
    /// The deployment
    #[command(flatten)]
    pub(in crate::cli) deployment: DeploymentArgs,
    /// Where images are served
    #[command(flatten)]
    pub(in crate::cli) served: Served,
    /// Which ConfigMap
    #[command(flatten)]
    pub(in crate::cli) config_map: ConfigMapArgs,
}

/// `dibump machine-image`.
#[derive(Debug, Args)]
pub(in crate::cli) struct MachineImageArgs {
    /// The image; without it, that of every machine of the values
    #[arg(conflicts_with_all = ["selector", "machines"])]
    pub(in crate::cli) key: Option<String>,
    /// The image with these attributes, as in `os=ubuntu,k8s-flavor=rke2`; values are regular expressions
    #[arg(long, value_name = "NAME=REGEX", value_delimiter = ',', conflicts_with = "machines")]
    pub(in crate::cli) selector: Vec<String>,
    /// Only these machines: control_plane, machine_deployments.NAME
    #[arg(long = "for", value_name = "MACHINES")]
    pub(in crate::cli) machines: Option<String>,
    /// The tag of an image that no values name, below --registry
    #[arg(long, value_name = "TAG", conflicts_with_all = ["files", "os_images_info"])]
    pub(in crate::cli) tag: Option<Tag>,
    /// The version of Metal3's API: `format` is called `diskFormat` in v1beta2
    #[arg(long, value_enum, value_name = "VERSION", default_value_t)]
    pub(in crate::cli) api_version: ApiVersionArg,
    /// The CAPM3 that will read it, which decides about checksums of oci:// images [default: 1.12, with v1beta2 1.14]
    #[arg(long, value_name = "VERSION")]
    pub(in crate::cli) capm3: Option<Capm3>,
    /// The Kubernetes version that the image must be for [default: that of the cluster in the values]
    #[arg(long, value_name = "VERSION", value_parser = kubernetes)]
    pub(in crate::cli) k8s_version: Option<K8sVersion>,
    /// What to do if the image is for another Kubernetes version
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    pub(in crate::cli) k8s_mismatch: MismatchArg,
    /// The form of the output
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: MachineFormat,
    /// Where it stands what is known of the images
    #[command(flatten)]
    pub(in crate::cli) known: KnownImagesArgs,
    /// The deployment
    #[command(flatten)]
    pub(in crate::cli) deployment: DeploymentArgs,
    /// Where images are served
    #[command(flatten)]
    pub(in crate::cli) served: Served,
}

/// Where it stands what is known of images, if a registry is not to be asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is known of the images")]
pub(in crate::cli) struct KnownImagesArgs {
    /// Take what is known of the images from this ConfigMap, or its values.yaml, instead of a registry; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "from_cluster")]
    pub(in crate::cli) os_images_info: Option<PathBuf>,
    /// Take what is known of the images from the ConfigMap in a cluster
    #[arg(long)]
    pub(in crate::cli) from_cluster: bool,
    /// Which ConfigMap
    #[command(flatten)]
    pub(in crate::cli) config_map: ConfigMapArgs,
}

/// Where images are served.
#[derive(Debug, Args)]
#[command(next_help_heading = "Image server")]
pub(in crate::cli) struct Served {
    /// The URL of an image, with {{ key }}, {{ service }}, {{ filename }}, {{ format }}, {{ image['os'] }}
    #[arg(long, value_name = "TEMPLATE", value_parser = UrlTemplate::new)]
    pub(in crate::cli) url_template: Option<UrlTemplate>,
    /// Refuse URLs that are not https
    #[arg(long)]
    pub(in crate::cli) https_only: bool,
}

/// Which ConfigMap, in which cluster.
#[derive(Debug, Args)]
#[command(next_help_heading = "ConfigMap os-images-info")]
pub(in crate::cli) struct ConfigMapArgs {
    /// The name of the ConfigMap
    #[arg(long, value_name = "NAME", default_value = "os-images-info", value_parser = object_name)]
    pub(in crate::cli) name: String,
    /// The namespace of the ConfigMap [default: that of the credentials]
    #[arg(short, long, value_name = "NAMESPACE", value_parser = namespace)]
    pub(in crate::cli) namespace: Option<String>,
    /// The context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) context: Option<String>,
    /// The kubeconfig [default: KUBECONFIG, ~/.kube/config, or the service account of the pod]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) kubeconfig: Option<PathBuf>,
}

/// The forms of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FormArg {
    /// `diskimage_builder_os_images`, of which `enabled: true` chooses
    Proposal,
    /// `sylva_diskimagebuilder_images`, of which each names its registry
    SylvaCore,
    /// The same with generations of registries, each with its own release; reconstructed from public statements
    #[value(name = "sylva-1.6")]
    Sylva16,
}

/// The forms of data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DataFormat {
    /// As Helm and kubectl read it
    #[default]
    Yaml,
    /// For programs; the shape is documented and versioned
    Json,
}

/// The forms of a machine's image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum MachineFormat {
    /// The `image` of each place
    #[default]
    Yaml,
    /// For programs; the shape is documented and versioned
    Json,
    /// A `Metal3MachineTemplate` with nothing but the image, as kustomize merges it
    Patch,
}

/// What becomes of an image of which nothing can be said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum OnErrorArg {
    /// Leave it out; where a retry may help, write nothing
    #[default]
    Omit,
    /// Leave it as the file or the cluster has it
    Keep,
    /// Write nothing
    Fail,
}

/// The versions of Metal3's API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ApiVersionArg {
    /// All of CAPM3 up to 1.12, and still served
    #[default]
    V1beta1,
    /// Since CAPM3 1.13
    V1beta2,
}

/// What it means that an image is for another Kubernetes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum MismatchArg {
    /// Refuse the image
    #[default]
    Error,
    /// Print a note
    Warn,
    /// Ignore it
    Off,
}

fn object_name(text: &str) -> Result<String, String> {
    match is_object_name(text) {
        true => Ok(text.to_owned()),
        false => Err("expected lower-case letters, digits, `-` and `.`, as in os-images-info".to_owned()),
    }
}

fn namespace(text: &str) -> Result<String, String> {
    match is_namespace_name(text) {
        true => Ok(text.to_owned()),
        false => Err("expected lower-case letters, digits and `-`, as in sylva-system".to_owned()),
    }
}

fn kubernetes(text: &str) -> Result<K8sVersion, String> {
    text.parse().map_err(|()| "expected something like v1.31.8+rke2r1, 1.31.8 or 1.31".to_owned())
}
