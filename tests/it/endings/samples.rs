//! One error of each variant of each type that knows how it ends. A variant without a sample does not compile.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dibump::budget::{Budget, Counted};
use dibump::catalogue::CatalogueError;
use dibump::cluster::ClusterError;
use dibump::config::{ConfigError, ConfigErrors, ConfiguredSource};
use dibump::disk::checkout::CheckoutError;
use dibump::disk::releases::ReleasesFileError;
use dibump::disk::values_file::FileError;
use dibump::ending::{Ending, Ends};
use dibump::forge::{Branch, ForgeError};
use dibump::http::TransportError;
use dibump::image_store::UnacceptableImage;
use dibump::merge_request::Outcome;
use dibump::observe::releases::ObserveError;
use dibump::oci::credentials::CredentialsError;
use dibump::os_image::info::Fault;
use dibump::os_image::machine_image::{Algorithm, UnusableImage as ImageRefusal};
use dibump::plan::schema::InvalidSchema;
use dibump::plan::{PlanError, SurveyError};
use dibump::pull::PullError;
use dibump::reconcile::values_from::MapError;
use dibump::reconcile::{Listed, Refusal};
use dibump::registry::RegistryError;
use dibump::release::accepted::AmbiguousAcceptance;
use dibump::release::identity::{Contradiction, Fact};
use dibump::release::{Digest, InvalidVersion};
use dibump::run::{LookUpError, NotOffered};
use dibump::signature::{InvalidKey, RequirementError, Verdict};
use dibump::values::{EditError, KeyPath, Overlap, Position, ValuesError};
use dibump::wiring::WiringError;

/// How an error ends.
pub(super) struct Row {
    pub(super) error: String,
    pub(super) ending: Ending,
    pub(super) outcome: Outcome,
    pub(super) message: String,
}

/// A sample of each variant.
macro_rules! samples {
    ($error:ident { $($variant:ident => $sample:expr,)+ }) => {{
        let _every_variant = |error: &$error| match error {
            $($error::$variant { .. } => {})+
        };
        vec![$($sample),+]
    }};
}

/// Every error.
pub(super) fn all() -> Vec<Row> {
    let rows = [
        rows("ConfigErrors", config()),
        rows("FileError", file()),
        rows("ReleasesFileError", releases_file()),
        rows("CheckoutError", checkout()),
        rows("ValuesError", values()),
        rows("SurveyError", survey()),
        rows("PlanError", plan()),
        rows("Refusal", refusal()),
        rows("EditError", edit()),
        rows("LookUpError", look_up()),
        rows("ObserveError", observe()),
        rows("CatalogueError", catalogue()),
        rows("RegistryError", registry()),
        rows("CredentialsError", credentials()),
        rows("TransportError", transport()),
        rows("ForgeError", forge()),
        rows("NotOffered", not_offered()),
        rows("ClusterError", cluster()),
        rows("WiringError", wiring()),
        rows("Fault", fault()),
        rows("machine_image::Refusal", image_refusal()),
        rows("UnacceptableImage", unacceptable_image()),
        rows("PullError", pull()),
    ];
    rows.into_iter().flatten().collect()
}

fn rows<E: Ends>(name: &str, errors: Vec<E>) -> Vec<Row> {
    let row = |error: &E| {
        let debug = format!("{error:?}");
        let variant: String = debug.chars().take_while(|c| c.is_alphanumeric()).collect();
        let error_name = if variant == name { variant } else { format!("{name}::{variant}") };
        let (ending, outcome) = (error.ending(), Outcome::of(error));
        Row { error: error_name, ending, outcome, message: error.to_string() }
    };
    errors.iter().map(row).collect()
}

const AT: Position = Position { line: 5, column: 3 };
const FIRST: Position = Position { line: 3, column: 3 };

fn path() -> String {
    "values.yaml".to_owned()
}

fn file_path() -> PathBuf {
    PathBuf::from("values.yaml")
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn key_path() -> KeyPath {
    "diskimage_builder_os_images".parse().unwrap()
}

fn version() -> dibump::release::Version {
    "0.4.12".parse().unwrap()
}

fn cause() -> Arc<dyn std::error::Error + Send + Sync> {
    Arc::new(io())
}

fn io() -> std::io::Error {
    std::io::Error::other("permission denied")
}

fn config() -> Vec<ConfigErrors> {
    let (file, field, problem) = (text("dibump.yaml"), text("targets[0]"), text("unknown key"));
    let error = ConfigError { file, at: Some(AT), field, problem, nearest: None };
    vec![ConfigErrors { errors: vec![error] }]
}

pub(super) fn plan() -> Vec<PlanError> {
    let schema = "values.schema.json";
    samples!(PlanError {
        Survey => PlanError::Survey(survey().remove(1)),
        Refused => PlanError::Refused { path: path(), refusal: refusal().remove(0) },
        LeavesSchema => PlanError::LeavesSchema {
            path: path(),
            at: AT,
            key: text("ubuntu-noble-plain-rke2-1-31-8"),
            schema: text(schema),
            rule: text("propertyNames"),
        },
        Schema => PlanError::Schema {
            path: text(schema),
            error: InvalidSchema { at: AT, message: text("expected value") },
        },
        Exceeded => PlanError::Exceeded {
            path: text(schema),
            error: Budget::default().spend(Counted::Schema, u64::MAX).unwrap_err(),
        },
        Signatures => PlanError::Signatures { path: path(), at: Some(AT), error: RequirementError::NoKey },
        Unsigned => PlanError::Unsigned { version: text("0.4.12"), reason: text("2 images are not signed") },
        Edit => PlanError::Edit { path: path(), error: edit().remove(7) },
        Map => PlanError::Map {
            path: path(),
            to: text("units.calico.helm_chart_versions").parse().unwrap(),
            error: Box::new(MapError::NoScalar { at: AT, path: text("units.calico.helm_chart_versions.calico").parse().unwrap() }),
        },
        NoMap => PlanError::NoMap {
            path: path(),
            to: text("units.calico.helm_chart_versions").parse().unwrap(),
            found: Some(Box::new((AT, text("units.calico").parse().unwrap()))),
        },
        Producer => PlanError::Producer { place: text("values.yaml:8:5"), reason: text("`os_images_oci_registries.sylva.url`: is missing") },
    })
}

pub(super) fn survey() -> Vec<SurveyError> {
    samples!(SurveyError {
        Missing => SurveyError::Missing { path: path() },
        Values => SurveyError::Values { path: path(), error: values().remove(5) },
        NoVersion => SurveyError::NoVersion { path: path(), key: "sylva_diskimagebuilder_version".parse().unwrap() },
        NotAVersion => SurveyError::NotAVersion { path: path(), at: AT, error: InvalidVersion(text("main")) },
        NoMapping => SurveyError::NoMapping { path: path() },
        NoSuchMapping => SurveyError::NoSuchMapping { path: path(), key: key_path() },
        TwoMappings => SurveyError::TwoMappings { path: path(), at: [FIRST, AT] },
        NoSuchRegistry => SurveyError::NoSuchRegistry { path: path(), name: text("mine"), known: vec![text("sylva")] },
        OnlyOverlays => SurveyError::OnlyOverlays,
    })
}

pub(super) fn values() -> Vec<ValuesError> {
    samples!(ValuesError {
        TooLarge => ValuesError::TooLarge { size: 33_554_433 },
        NotUtf8 => ValuesError::NotUtf8 { at: AT, offset: 80 },
        Tab => ValuesError::Tab { at: AT },
        LfsPointer => ValuesError::LfsPointer,
        TemplateLine => ValuesError::TemplateLine { at: AT },
        Syntax => ValuesError::Syntax { at: AT, message: text("did not find expected key") },
        Alias => ValuesError::Alias { path: key_path(), at: AT },
        Template => ValuesError::Template { path: key_path(), at: AT },
        ThroughList => ValuesError::ThroughList { path: key_path(), at: AT },
        ThroughText => ValuesError::ThroughText { path: key_path(), at: AT },
        Encrypted => ValuesError::Encrypted { path: key_path(), at: AT },
        Unexpected => ValuesError::Unexpected { path: key_path(), at: AT, found: "a list", expected: "a mapping" },
        TopLevel => ValuesError::TopLevel { at: AT, found: "a list" },
        WrittenTwice => ValuesError::WrittenTwice { path: key_path(), first: FIRST, second: AT },
        TwoDocuments => ValuesError::TwoDocuments { path: key_path(), first: FIRST, second: AT },
        MergeKey => ValuesError::MergeKey { path: key_path(), at: AT },
        TooManyAliases => ValuesError::TooManyAliases { at: AT },
    })
}

pub(super) fn refusal() -> Vec<Refusal> {
    let listed = Listed { key: text("debian-12-plain-rke2-1-29-9"), line: None, at: AT };
    samples!(Refusal {
        WrittenTwice => Refusal::WrittenTwice { key: listed.key.clone(), first: FIRST, second: AT },
        AnchorUsedElsewhere => Refusal::AnchorUsedElsewhere { key: listed.key.clone(), at: AT },
        EmptiesTheMapping => Refusal::EmptiesTheMapping { version: version(), listed: 3 },
        KeysOfUnknownRegistry => Refusal::KeysOfUnknownRegistry { keys: vec![listed], version: version() },
    })
}

fn edit() -> Vec<EditError> {
    samples!(EditError {
        Values => EditError::Values(values().remove(5)),
        NoSuchKey => EditError::NoSuchKey { path: key_path() },
        WrittenTwice => EditError::WrittenTwice { path: key_path(), first: FIRST, second: AT },
        NoSuchEntry => EditError::NoSuchEntry { path: key_path(), entry: 7 },
        Contradiction => EditError::Contradiction { path: key_path(), entry: 7 },
        EmptiesMapping => EditError::EmptiesMapping { path: key_path(), at: AT },
        AnchorUsedElsewhere => EditError::AnchorUsedElsewhere { key: text("a"), at: AT },
        Layout => EditError::Layout { at: AT, why: "a tab before the value" },
        CopiesAlias => EditError::CopiesAlias { key: text("a"), at: AT },
        ChangedTwice => EditError::ChangedTwice { at: AT },
        Overlap => EditError::Overlap(Overlap { offset: 80 }),
        Sops => EditError::Sops { at: AT },
        Encrypted => EditError::Encrypted { key: text("a"), at: AT },
        Unreadable => EditError::Unreadable { reader: "Helm", at: AT, message: text("did not find expected key") },
        NoSecondReader => EditError::NoSecondReader { at: AT, message: text("did not find expected key") },
        ReadOtherwise => EditError::ReadOtherwise { at: AT, expected: text("`b`"), found: text("`a`") },
        NotAsPlanned => EditError::NotAsPlanned { at: AT, expected: text("`b`"), found: text("`a`") },
        OutsideTheRanges => EditError::OutsideTheRanges,
    })
}

fn look_up() -> Vec<LookUpError> {
    samples!(LookUpError {
        Observe => LookUpError::Observe(observe().remove(1)),
        Plan => LookUpError::Plan(plan().remove(4)),
        Accepted => LookUpError::Accepted(AmbiguousAcceptance {
            version: "0.4.13".parse().unwrap(),
            producers: vec![text("diskimage-builder"), text("kiwi-imagebuilder")],
        }),
        NoSuchRelease => LookUpError::NoSuchRelease {
            version: text("0.9.9"),
            place: "the registry",
            newest: Some(text("0.4.13")),
        },
    })
}

fn observe() -> Vec<ObserveError> {
    let producer = || text("oci://registry.example/group/diskimage-builder");
    samples!(ObserveError {
        Catalogue => ObserveError::Catalogue {
            producer: producer(),
            source_name: "catalog",
            error: catalogue().remove(1),
        },
        Registry => ObserveError::Registry { producer: producer(), error: registry().remove(3) },
        NoImages => ObserveError::NoImages { producer: producer(), asked: text("_catalog, 26 repositories") },
        NoReleases => ObserveError::NoReleases {
            producer: producer(),
            asked: text("releases of group/diskimage-builder at gitlab.example: 404 Project Not Found"),
        },
    })
}

pub(super) fn catalogue() -> Vec<CatalogueError> {
    let subject = || text("https://registry.example/v2/_catalog");
    samples!(CatalogueError {
        NotOffered => CatalogueError::NotOffered { subject: subject(), reason: text("404 Not Found") },
        Refused => CatalogueError::Refused { subject: subject(), status: text("401 Unauthorized"), hint: "the token comes from GITLAB_TOKEN" },
        Unavailable => CatalogueError::Unavailable { subject: subject(), source: cause() },
        Invalid => CatalogueError::Invalid { subject: subject(), reason: text("expected a list of repositories") },
        Unusable => CatalogueError::Unusable {
            reason: text("gitlab.example answers plain HTTP, not TLS"),
            hint: None,
        },
        Broken => CatalogueError::Broken {
            reason: text("releases.json: missing field `releases`"),
            hint: None,
        },
    })
}

pub(super) fn registry() -> Vec<RegistryError> {
    let subject = || text("registry.example/group/diskimage-builder/ubuntu");
    samples!(RegistryError {
        Refused => RegistryError::Refused { subject: subject(), status: text("403 Forbidden") },
        Invalid => RegistryError::Invalid {
            subject: subject(),
            reason: text("not a list: EOF while parsing a list"),
        },
        Broken => RegistryError::Broken { subject: subject(), reason: text("an annotation is not a string") },
        Unavailable => RegistryError::Unavailable { subject: subject(), source: cause() },
        Unusable => RegistryError::Unusable {
            reason: text("registry.example answers plain HTTP, not TLS"),
            hint: None,
        },
        NotUnderstood => RegistryError::NotUnderstood {
            subject: subject(),
            reason: text("not a list: invalid type: sequence"),
        },
        Denied => RegistryError::Denied { subject: subject(), status: text("403 Forbidden: DENIED") },
    })
}

fn forge() -> Vec<ForgeError> {
    let action = || text("couldn't create the merge request");
    let reason = text("403 Forbidden");
    samples!(ForgeError {
        Refused => ForgeError::Refused { action: action(), reason: reason.clone(), hint: None },
        Unusable => ForgeError::Unusable {
            action: action(),
            reason: text("https://gitlab.example/users/sign_in: a web page (200 OK) where GitLab's API was expected"),
            hint: None,
        },
        Rejected => ForgeError::Rejected { action: action(), reason: text("the branch is protected") },
        Postponed => ForgeError::Postponed {
            action: action(),
            reason: text("You cannot perform write operations on a read-only instance"),
            retry_after: None,
            hint: None,
        },
        NotYet => ForgeError::NotYet { action: action(), reason: text("the branch does not exist yet") },
        Unavailable => ForgeError::Unavailable {
            action: action(),
            host: text("gitlab.example"),
            retry_after: None,
            source: cause(),
        },
        Invalid => ForgeError::Invalid { action: action(), reason: text("the answer has no `iid`") },
    })
}

fn cluster() -> Vec<ClusterError> {
    let resource = || text("metal3machines (infrastructure.cluster.x-k8s.io)");
    let subject = || text("ConfigMap os-images/os-images-info");
    let reason = || text("configmaps is forbidden");
    samples!(ClusterError {
        NotServed => ClusterError::NotServed { resource: resource() },
        NoAccess => ClusterError::NoAccess { reason: text("no kubeconfig") },
        Refused => ClusterError::Refused { verb: "patch", subject: subject(), reason: reason() },
        Untrusted => ClusterError::Untrusted { verb: "get", subject: subject(), reason: text("no trusted certificate authority signed it") },
        Unauthenticated => ClusterError::Unauthenticated { verb: "get", subject: subject(), reason: text("Unauthorized") },
        Conflict => ClusterError::Conflict { subject: subject(), reason: text("conflict with \"helm\""), clients: Vec::new(), others: true },
        Rejected => ClusterError::Rejected { subject: subject(), reason: text("the name is too long") },
        Invalid => ClusterError::Invalid { subject: subject(), reason: text("it has no data") },
        Unavailable => ClusterError::Unavailable { verb: "get", subject: subject(), source: cause() },
    })
}

/// `Forge` is the forge's own, which is above.
fn not_offered() -> Vec<NotOffered> {
    let (project, branch) = ("group/deployment".to_owned(), Branch("main".to_owned()));
    samples!(NotOffered {
        Forge => NotOffered::Forge(forge().remove(0)),
        Empty => NotOffered::Empty { project: project.clone(), branch: branch.clone() },
        Configured => NotOffered::Configured { files: vec!["dibump.yaml".to_owned()], project: project.clone(), branch: branch.clone() },
        NotPushed => NotOffered::NotPushed { files: vec!["values.yaml".to_owned()], project, branch },
    })
}

fn checkout() -> Vec<CheckoutError> {
    let said = "not a git repository (or any of the parent directories): .git".to_owned();
    samples!(CheckoutError {
        NoGit => CheckoutError::NoGit(std::io::ErrorKind::NotFound.into()),
        Git => CheckoutError::Git { command: "rev-parse", said },
        NotTheTop => CheckoutError::NotTheTop { here: "/srv/deployment/charts".into(), top: "/srv/deployment".into() },
    })
}

fn file() -> Vec<FileError> {
    samples!(FileError {
        Read => FileError::Read(file_path(), io()),
        Write => FileError::Write(file_path(), io()),
        WriteReport => FileError::WriteReport(file_path(), io()),
        TooLarge => FileError::TooLarge { path: file_path(), size: 33_554_433 },
        Changed => FileError::Changed(file_path()),
    })
}

fn releases_file() -> Vec<ReleasesFileError> {
    let path = || PathBuf::from("releases.json");
    let json = || serde_json::from_str::<bool>("{").unwrap_err();
    samples!(ReleasesFileError {
        Io => ReleasesFileError::Io(path(), io()),
        Json => ReleasesFileError::Json(path(), json()),
        Value => ReleasesFileError::Value { path: path(), reason: text("`main` is not a release version") },
    })
}

fn credentials() -> Vec<CredentialsError> {
    samples!(CredentialsError {
        File => CredentialsError::File { path: "config.json".into(), reason: text("not JSON") },
        Helper => CredentialsError::Helper {
            helper: text("pass"),
            host: text("registry.example"),
            reason: text("it ended with status 1"),
        },
        Half => CredentialsError::Half { missing: "DIBUMP_REGISTRY_PASSWORD" },
        Unclaimed => CredentialsError::Unclaimed {
            hosts: vec![text("mirror.example"), text("registry.example")],
        },
    })
}

fn transport() -> Vec<TransportError> {
    let url = || text("https://registry.example/v2/");
    let source = Arc::new(reqwest::Proxy::all("").unwrap_err());
    let status = http::StatusCode::SERVICE_UNAVAILABLE;
    samples!(TransportError {
        Setup => TransportError::Setup { reason: text("no CA certificate was found") },
        Connection => TransportError::Connection { url: url(), source: Arc::clone(&source) },
        NoTls => TransportError::NoTls { host: text("registry.example") },
        Untrusted => TransportError::Untrusted {
            host: text("registry.example"),
            reason: text("no trusted certificate authority signed it"),
            remedy: "trust its certificate authority with --ca-file FILE",
        },
        Proxy => TransportError::Proxy {
            url: url(),
            proxy: text("http://proxy.example:3128/"),
            source: Arc::clone(&source),
        },
        TimedOut => TransportError::TimedOut { url: url(), waited: Duration::from_secs(30) },
        Silent => TransportError::Silent { url: url(), waited: Duration::from_secs(60) },
        DeadlinePassed => TransportError::DeadlinePassed { url: url() },
        WebPage => TransportError::WebPage {
            url: text("https://gitlab.example/users/sign_in"),
            status: http::StatusCode::OK,
            expected: "GitLab's API",
        },
        TooLarge => TransportError::TooLarge { url: url(), cap: 4_194_304 },
        Redirect => TransportError::Redirect { url: url(), reason: text("from https to http") },
        ForeignCredential => TransportError::ForeignCredential {
            origin: text("https://registry.example"),
            url: text("https://elsewhere.example/"),
        },
        Status => TransportError::Status { url: url(), status, retry_after: None },
    })
}

fn wiring() -> Vec<WiringError> {
    samples!(WiringError {
        Variable => WiringError::Variable {
            variable: text("REGISTRY_USER"),
            reason: "is not set; the configuration names it",
        },
        File => WiringError::File(file().remove(0)),
        Key => WiringError::Key { path: "cosign.pub".into(), error: InvalidKey::NotPem },
        Credentials => WiringError::Credentials(credentials().remove(0)),
        Access => WiringError::Access(Box::new(dibump::http::InvalidSecret)),
        NoSource => WiringError::NoSource {
            source_name: ConfiguredSource::Gitlab,
            registry: "oci://registry.example/group/diskimage-builder".parse().unwrap(),
        },
        NoTarget => WiringError::NoTarget { project: text("group/project") },
        NoKube => WiringError::NoKube,
        Transport => WiringError::Transport(transport().remove(0)),
        Catalogue => WiringError::Catalogue(catalogue().remove(1)),
        Registry => WiringError::Registry(registry().remove(3)),
        Cluster => WiringError::Cluster(cluster().remove(0)),
    })
}

fn fault() -> Vec<Fault> {
    samples!(Fault {
        Missing => Fault::Missing,
        WrongImage => Fault::WrongImage(Contradiction {
            fact: Fact::Tag,
            says: text("0.4.11"),
            asked: text("0.4.12"),
        }),
        Signature => Fault::Signature(Verdict::Unsigned),
        Unfit => Fault::Unfit(image_refusal().remove(0)),
        Broken => Fault::Broken(text("an annotation is not a string")),
        Refused => Fault::Refused(text("403 Forbidden")),
        Unusable => Fault::Unusable(text("registry.example answers plain HTTP, not TLS")),
        Unknown => Fault::Unknown(text("no answer within 60 s")),
    })
}

fn image_refusal() -> Vec<ImageRefusal> {
    samples!(ImageRefusal {
        NoChecksum => ImageRefusal::NoChecksum,
        NotSha256 => ImageRefusal::NotSha256(text("abc")),
        NoFormat => ImageRefusal::NoFormat,
        UnknownFormat => ImageRefusal::UnknownFormat(text("iso")),
        NoFilename => ImageRefusal::NoFilename,
        Filename => ImageRefusal::Filename(text("../a")),
        NotText => ImageRefusal::NotText { name: text("size"), found: "a number" },
        UrlTemplate => ImageRefusal::UrlTemplate(text("`.name` has no value")),
        NotAUrl => ImageRefusal::NotAUrl { url: text("a b"), reason: text("relative URL without a base") },
        Scheme => ImageRefusal::Scheme(text("ftp")),
        UrlTooLong => ImageRefusal::UrlTooLong(3_000),
        UserInfo => ImageRefusal::UserInfo,
        Insecure => ImageRefusal::Insecure,
        OciArtifact => ImageRefusal::OciArtifact,
        NoUrl => ImageRefusal::NoUrl("format"),
        UnknownAlgorithm => ImageRefusal::UnknownAlgorithm(text("crc32")),
        Length => ImageRefusal::Length { algorithm: Algorithm::Sha256, expected: 64, found: 3 },
        NotAChecksum => ImageRefusal::NotAChecksum(text("abc")),
        OciWithChecksum => ImageRefusal::OciWithChecksum,
        OciWithoutChecksum => ImageRefusal::OciWithoutChecksum,
    })
}

fn unacceptable_image() -> Vec<UnacceptableImage> {
    let (a, b) = (|| text("a.raw"), || text("b.raw"));
    samples!(UnacceptableImage {
        Source => UnacceptableImage::Source(text("file:///images/a.raw")),
        Host => UnacceptableImage::Host(text("images.example")),
        Layers => UnacceptableImage::Layers,
        LayerDigest => UnacceptableImage::LayerDigest(text("sha512:ab")),
        NotANumber => UnacceptableImage::NotANumber { name: "size", text: text("0x10") },
        TooLarge => UnacceptableImage::TooLarge { size: 70 << 30, most: 64 << 30 },
        Name => UnacceptableImage::Name(text("../a.raw")),
        Reserved => UnacceptableImage::Reserved(text("metrics")),
        NotAnArchive => UnacceptableImage::NotAnArchive,
        BrokenArchive => UnacceptableImage::BrokenArchive(text("the checksum of a header is wrong")),
        NotAFile => UnacceptableImage::NotAFile { kind: "a link", name: a() },
        LeadsElsewhere => UnacceptableImage::LeadsElsewhere(text("../a.raw")),
        SeveralFiles => UnacceptableImage::SeveralFiles { first: a(), second: b() },
        NoFile => UnacceptableImage::NoFile,
        FileTooLarge => UnacceptableImage::FileTooLarge { size: 9 << 30, most: 1 << 30 },
        Padding => UnacceptableImage::Padding(1 << 20),
        Corrupt => UnacceptableImage::Corrupt(text("corrupt deflate stream")),
        Longer => UnacceptableImage::Longer { expected: 1_048_576 },
        Shorter => UnacceptableImage::Shorter { expected: 1_048_576, found: 1_024 },
        Sha256 => UnacceptableImage::Sha256 { expected: Digest::of(b"a"), found: Digest::of(b"b") },
        SameRoute => UnacceptableImage::SameRoute { other: text("b"), route: a() },
    })
}

fn pull() -> Vec<PullError> {
    let uri = || text("oci://registry.example/images/a:0.4.12");
    let unavailable = RegistryError::Unavailable { subject: text("registry.example"), source: cause() };
    samples!(PullError {
        Manifest => PullError::Manifest(Fault::Missing),
        Unacceptable => PullError::Unacceptable(UnacceptableImage::Layers),
        Download => PullError::Download(unavailable),
        Garbled => PullError::Garbled { uri: uri(), layer: Digest::of(b"a"), found: Digest::of(b"b") },
        Restless => PullError::Restless { uri: uri() },
        NoRoom => PullError::NoRoom { need: 44 << 30, have: 20 << 30 },
        Folder => PullError::Folder { action: "write to", source: Arc::new(io()) },
        Panicked => PullError::Panicked(text("the image was not written")),
    })
}
