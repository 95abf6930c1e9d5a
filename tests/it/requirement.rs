//! What must be signed: one verdict for one values file, whichever command asks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::bare_metal::described;
use crate::fake::cosign::Signer;
use crate::fake::oci::Image;
use crate::said::{about, settled};
use crate::world::{PREFIX, Ran, VALUES, World};

const NAMES: [&str; 2] = ["ubuntu-noble-plain-rke2-1-30-11", "opensuse-15-6-plain-kubeadm-1-30-11"];

/// What a command makes of a file whose images nobody signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// It does not let them through.
    Required,
    /// It lets them through, and says that they are not signed.
    Warned,
    /// It lets them through, and says that no key is known.
    NoKey,
    /// It lets them through without a word.
    Silent,
    /// A person must act.
    Error,
}

/// The forms in which the entry of the registry has its key: its text, and what else the values hold.
fn forms(pem: &str) -> [(&'static str, String, String); 7] {
    let block = |indent: &str| format!("|\n{indent}{}\n", pem.trim().replace('\n', &format!("\n{indent}")));
    let of_all = |text: String| format!("  os_images:\n    cosign_public_key: {text}");
    let template = |path: &str| format!("'{{{{ .Values.security.{path} }}}}'\n");
    let one = template("os_images.cosign_public_key");
    let typo = block("      ").replacen("MFk", "MFx", 1);
    [
        ("literal", block("      "), String::new()),
        ("one template", one.clone(), of_all(block("      "))),
        (
            "two templates",
            one,
            format!("{}  default_key: {}", of_all(template("default_key")), block("    ")),
        ),
        ("unrenderable", template("lost"), String::new()),
        ("typo", typo, String::new()),
        ("empty", "''\n".to_owned(), String::new()),
        ("missing", "\n".to_owned(), String::new()),
    ]
}

fn values(world: &World, (_, key, security): &(&str, String, String), skip: Option<&str>) -> String {
    let mut security = security.clone();
    if let Some(skip) = skip {
        let head = "  os_images:\n";
        let flag = format!("{head}    skip_signing_check: {skip}\n");
        security = match security.contains(head) {
            true => security.replacen(head, &flag, 1),
            false => flag + &security,
        };
    }
    let images: String =
        NAMES.iter().map(|name| format!("  {name}: {{os_images_oci_registry: sylva}}\n")).collect();
    format!(
        "sylva_diskimagebuilder_version: 0.4.11\nsylva_diskimagebuilder_images:\n{images}\
         os_images_oci_registries:\n  sylva:\n    url: {}\n    tag: '{{{{ .Values.sylva_diskimagebuilder_version }}}}'\n    \
         cosign_publickey: {key}cluster: {{image_provisioning_host: 192.0.2.1}}\n{}",
        world.registry.prefix(PREFIX),
        if security.is_empty() { String::new() } else { format!("security:\n{security}") },
    )
}

/// Unsigned releases with everything that the consumer's side reads of them.
async fn world() -> World {
    let world = World::new().await;
    for patch in [11, 12] {
        let image = |name: &str, is: [&str; 5]| -> Image {
            described(&name.replace("-11", &format!("-{patch}")), is)
        };
        let version = format!("1.30.{patch}");
        let images = [
            image(NAMES[0], ["ubuntu", "noble", "plain", "rke2", &version]),
            image(NAMES[1], ["opensuse", "15.6", "plain", "kubeadm", &version]),
        ];
        world.registry.release(PREFIX, &format!("0.4.{patch}"), &images);
    }
    world
}

/// What the commands say about signatures, by verdict: the texts of all rows.
type Said = BTreeMap<(Verdict, &'static str), BTreeSet<String>>;

/// A command ends as the verdict demands, and says what it says of every other file of this verdict.
fn ends(said: &mut Said, verdict: Verdict, command: &'static str, ran: &Ran) {
    let exit = match (verdict, command) {
        (Verdict::Error, _) => 3,
        (Verdict::Required, "check") => 10,
        (Verdict::Required, "os-images-info" | "machine-image") => 5,
        _ => 0,
    };
    assert_eq!(ran.exit, Some(exit), "{command}, {verdict:?}: {ran:#?}");
    if verdict == Verdict::Error {
        return;
    }
    let all = format!("{}{}", ran.stdout, ran.stderr);
    let lines = [about(&all, "signed"), about(&all, "public key")].concat();
    let text = if lines.is_empty() { "(nothing)\n".to_owned() } else { settled(&lines) };
    said.entry((verdict, command)).or_default().insert(text);
}

/// The verdict that the rule gives; whether a missing key is told is another matter.
fn expected(form: &str, demand: Option<&str>, skips: bool, configured: bool) -> Verdict {
    let demand = match demand {
        Some("off") => return Verdict::Silent,
        None if skips && !configured => Some("warn"),
        demand => demand,
    };
    match (form, demand) {
        _ if configured => {
            if demand == Some("warn") {
                Verdict::Warned
            } else {
                Verdict::Required
            }
        }
        ("unrenderable" | "typo", _) => Verdict::Error,
        ("empty" | "missing", Some("required")) => Verdict::Error,
        ("empty" | "missing", _) => Verdict::NoKey,
        (_, Some("warn")) => Verdict::Warned,
        _ => Verdict::Required,
    }
}

async fn row(form: usize, demand: Option<&str>, skip: Option<&str>, configured: bool) -> Said {
    let (world, signer) = (world().await, Signer::new());
    let form = &forms(&signer.pem())[form];
    let text = values(&world, form, skip);
    world.hub.commit("main", "values", &[(VALUES, text.as_bytes())]);
    world.desk.write(VALUES, &text).write("cosign.pub", signer.pem());
    world.configure(
        "[catalog]",
        if configured { "    cosign_public_keys: [{file: cosign.pub}]\n" } else { "" },
    );
    if let Some(demand) = demand {
        world.add(&format!("policy: {{signatures: {demand}}}"));
    }
    let wanted = expected(form.0, demand, skip.is_some(), configured);
    let on = |arguments: &'static [&'static str]| world.desk.dibump(arguments);
    let mut said = Said::new();
    ends(&mut said, wanted, "plan", &on(&["plan", VALUES]).await);
    ends(&mut said, wanted, "run", &on(&["run", "--dry-run"]).await);
    ends(&mut said, wanted, "check", &on(&["check", VALUES]).await);
    // Without a demand nobody misses a key there.
    let quiet = wanted == Verdict::NoKey && demand.is_none() && skip.is_none();
    let wanted = if quiet { Verdict::Silent } else { wanted };
    ends(&mut said, wanted, "os-images-info", &on(&["os-images-info", "-f", VALUES]).await);
    let machine = ["machine-image", NAMES[0], "-f", VALUES, "--k8s-mismatch", "off"];
    ends(&mut said, wanted, "machine-image", &world.desk.dibump(&machine).await);
    said
}

#[tokio::test]
async fn five_commands_give_one_verdict_on_one_values_file() {
    let demands = [Some("required"), Some("warn"), Some("off"), None];
    let mut rows_said = Vec::new();
    for form in 0..7 {
        for demand in demands {
            let rows = [None, Some("true"), Some("'true'")].map(|skip| row(form, demand, skip, false));
            rows_said.extend(futures::future::join_all(rows).await);
            rows_said.push(row(form, demand, Some("true"), true).await);
        }
    }
    assert_eq!(rows_said.len(), 7 * 4 * 4);
    let mut said = Said::new();
    for (place, texts) in rows_said.into_iter().flatten() {
        said.entry(place).or_default().extend(texts);
    }
    let told = |((verdict, command), texts): (&(Verdict, &str), &BTreeSet<String>)| {
        format!("# {verdict:?}, {command}\n{}", texts.iter().map(String::as_str).collect::<String>())
    };
    reads!(said.iter().map(told).collect::<String>(), @"
    # Required, check
    error[unsigned-image]: `ubuntu-noble-plain-rke2-1-30-11` is not signed
    error[unsigned-image]: `opensuse-15-6-plain-kubeadm-1-30-11` is not signed
    # Required, machine-image
    error: `ubuntu-noble-plain-rke2-1-30-11` is not signed
    # Required, os-images-info
    error: values.yaml:4:3: `opensuse-15-6-plain-kubeadm-1-30-11` is not signed
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-30-11` is not signed
    # Required, plan
    ‖ 0.4.12  held: 2 of 2 images are not signed as expected: opensuse-15-6-plain-kubeadm-1-30-12 is not signed  2
    0.4.12: it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images
    held (unsigned): 0.4.12: 2 of 2 images are not signed as expected: opensuse-15-6-plain-kubeadm-1-30-12 is not signed; it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images
    # Required, run
    ‖ 0.4.12  held: 2 of 2 images are not signed as expected: opensuse-15-6-plain-kubeadm-1-30-12 is not signed  2
    0.4.12: it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images
    held (unsigned): 0.4.12: 2 of 2 images are not signed as expected: opensuse-15-6-plain-kubeadm-1-30-12 is not signed; it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images
    → held (unsigned)
    # Warned, check
    warning[unsigned-image]: `ubuntu-noble-plain-rke2-1-30-11` is not signed
    warning[unsigned-image]: `opensuse-15-6-plain-kubeadm-1-30-11` is not signed
    # Warned, machine-image
    warning: `ubuntu-noble-plain-rke2-1-30-11` is not signed
    # Warned, os-images-info
    warning: `opensuse-15-6-plain-kubeadm-1-30-11` is not signed
    warning: `ubuntu-noble-plain-rke2-1-30-11` is not signed
    # Warned, plan
    new warning[unsigned-image]: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-30-12` is not signed
    new warning[unsigned-image]: values.yaml:4:3: `opensuse-15-6-plain-kubeadm-1-30-12` is not signed
    signatures: none of 2 images is signed as expected
    ! opensuse-15-6-plain-kubeadm-1-30-12 is not signed
    ! ubuntu-noble-plain-rke2-1-30-12 is not signed
    # Warned, run
    new warning[unsigned-image]: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-30-12` is not signed
    new warning[unsigned-image]: values.yaml:4:3: `opensuse-15-6-plain-kubeadm-1-30-12` is not signed
    signatures: none of 2 images is signed as expected
    ! opensuse-15-6-plain-kubeadm-1-30-12 is not signed
    ! ubuntu-noble-plain-rke2-1-30-12 is not signed
    # NoKey, check
    skipped: values.yaml:2:1: unchecked-signature was not checked: no public key is known
    warning[unchecked-signature]: no signature was checked: no public key is known
    # NoKey, machine-image
    warning: oci://HOST/sylva/diskimage-builder: no signature is verified, no public key is known
    # NoKey, os-images-info
    warning: oci://HOST/sylva/diskimage-builder: no signature is verified, no public key is known
    # NoKey, plan
    signatures: not checked, no public key is known
    # NoKey, run
    signatures: not checked, no public key is known
    # Silent, check
    (nothing)
    # Silent, machine-image
    (nothing)
    # Silent, os-images-info
    (nothing)
    # Silent, plan
    (nothing)
    # Silent, run
    (nothing)
    ");
}

/// The chart that this program was made for: its key takes two templates.
#[tokio::test]
async fn an_unsigned_release_of_sylva_cores_own_values_is_held() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/sylva-core/fd968edcf/values.yaml");
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("not tried: there is no {}", file.display());
        return;
    };
    let names: Vec<&str> = text
        .split("\nsylva_diskimagebuilder_images:\n")
        .nth(1)
        .unwrap()
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with([' ', '#']))
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .filter(|key| key.contains("-1-"))
        .collect();
    assert!(names.len() > 15, "{names:?}");
    let world = World::new().await;
    let images: Vec<Image> = names.iter().map(|name| Image::new(name).with("name", name)).collect();
    for version in ["0.4.12", "0.4.13"] {
        world.registry.release(PREFIX, version, &images);
    }
    world.desk.write("chart.yaml", &text);
    let ran = world.desk.dibump(&["plan", "chart.yaml"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let held = format!("0.4.13: {0} of {0} images ", names.len());
    assert!(about(&ran.stdout, "held (unsigned): ").contains(&held), "{ran:#?}");
    let ran = world.desk.dibump(&["check", "chart.yaml"]).await;
    assert_eq!(ran.exit, Some(10), "{ran:#?}");
    assert_eq!(ran.stdout.matches("error[unsigned-image]").count(), names.len(), "{ran:#?}");
}

/// What the job of sylva-core's chart gets, and what `os-images` prints.
#[tokio::test]
async fn images_that_a_chart_has_rendered_are_read_and_verified_like_any_other() {
    let (world, signer) = (world().await, Signer::new());
    let pem = signer.pem().trim().replace('\n', "\n      ");
    let uri = format!("{}/{}:0.4.11", world.registry.prefix(PREFIX), NAMES[0]);
    world.desk.write(
        "rendered.yaml",
        format!("os_images:\n  mine:\n    uri: {uri}\n    sylva_dib_image: true\n    cosign_publickey: |\n      {pem}\n"),
    );
    let info = async || world.desk.dibump(&["os-images-info", "-f", "rendered.yaml", "--plain-http"]).await;
    let unsigned = info().await;
    assert_eq!(unsigned.exit, Some(5), "{unsigned:#?}");
    reads!(unsigned.stderr, @"error: rendered.yaml:2:3: `mine` is not signed");
    let path = format!("{PREFIX}/{}", NAMES[0]);
    signer.sign(&world.registry, &path, &world.registry.digest(&path, "0.4.11"));
    let signed = info().await;
    assert_eq!(signed.exit, Some(0), "{signed:#?}");
    let checksum = crate::bare_metal::sha256(NAMES[0]);
    assert!(signed.stdout.contains("mine:") && signed.stdout.contains(&checksum), "{signed:#?}");

    world.desk.write("rendered.yaml", "os_images:\n  mine: {uri: 'https://h/x', sylva_dib_image: 'true'}\n");
    let other = info().await;
    assert_eq!(other.exit, Some(3), "{other:#?}");
    reads!(other.stderr, @"error: rendered.yaml:2:10: `os_images.mine.uri`: is not the address of an image in a registry (expected oci://registry/path/image:tag)");
}

/// Each overlay is a deployment of its own: the strictest decides.
#[tokio::test]
async fn an_overlay_requires_signatures_with_a_key_of_its_own() {
    let (world, signer) = (world().await, Signer::new());
    let missing = &forms(&signer.pem())[6];
    let chart = values(&world, missing, None);
    let overlay = |security: &str| {
        format!(
            "sylva_diskimagebuilder_images:\n  {}: {{enabled: true}}\nsecurity:\n  os_images:\n{security}",
            NAMES[0]
        )
    };
    let pem = signer.pem().trim().replace('\n', "\n      ");
    let strict = overlay(&format!("    cosign_public_key: |\n      {pem}\n"));
    let lost = overlay("    cosign_public_key: '{{ .Values.security.lost }}'\n");
    let files = format!("files: [{VALUES}]");
    let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
    let both = "files: [values.yaml, {path: dev.yaml, overlay: true}, {path: prod.yaml, overlay: true}]";
    world.desk.write("dibump.yaml", config.replace(&files, both)).write(VALUES, &chart);
    let plan = async || world.desk.dibump(&["plan"]).await;
    world.desk.write("dev.yaml", overlay("    skip_signing_check: true\n")).write("prod.yaml", strict);
    let held = plan().await;
    assert_eq!(held.exit, Some(0), "{held:#?}");
    reads!(about(&held.stdout, "held (unsigned)"), @"held (unsigned): 0.4.12: 2 of 2 images are not signed as expected: opensuse-15-6-plain-kubeadm-1-30-12 is not signed; it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images");
    world.desk.write("prod.yaml", lost);
    let error = plan().await;
    assert_eq!(error.exit, Some(3), "{error:#?}");
    reads!(error.stderr, @"error: prod.yaml:5:5: `security.os_images.cosign_public_key`: `.Values.security.lost` has no value; set it in the values file; name the keys under `cosign_public_keys:` or with --cosign-key, or set `signatures: off`");
    let info = world.desk.dibump(&["os-images-info", "-f", "prod.yaml"]).await;
    assert_eq!(info.exit, Some(3), "{info:#?}");
}
