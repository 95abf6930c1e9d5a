//! What must be signed: one verdict for one values file, whichever command asks.

use std::path::Path;

use crate::bare_metal::described;
use crate::fake::cosign::Signer;
use crate::fake::oci::Image;
use crate::world::{PREFIX, Ran, VALUES, World};

const NAMES: [&str; 2] = ["ubuntu-noble-plain-rke2-1-30-11", "opensuse-15-6-plain-kubeadm-1-30-11"];

/// What a command makes of a file whose images nobody signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

fn of_plan(ran: &Ran) -> Verdict {
    match ran.exit {
        Some(3) => Verdict::Error,
        Some(0) if ran.stdout.contains("is not signed") && ran.stdout.contains("held") => Verdict::Required,
        Some(0) if ran.stdout.contains("none of 2 images is signed") => Verdict::Warned,
        Some(0) if ran.stdout.contains("no public key is known") => Verdict::NoKey,
        Some(0) if ran.stdout.contains("0.4.12") => Verdict::Silent,
        _ => panic!("{ran:#?}"),
    }
}

fn of_check(ran: &Ran) -> Verdict {
    match ran.exit {
        Some(3) => Verdict::Error,
        Some(10) if ran.stdout.contains("error[unsigned-image]") => Verdict::Required,
        Some(0) if ran.stdout.contains("warning[unsigned-image]") => Verdict::Warned,
        Some(0) if ran.stdout.contains("no public key is known") => Verdict::NoKey,
        Some(0) => Verdict::Silent,
        _ => panic!("{ran:#?}"),
    }
}

fn of_consumer(ran: &Ran) -> Verdict {
    match ran.exit {
        Some(3) => Verdict::Error,
        Some(5) if ran.stderr.contains("is not signed") => Verdict::Required,
        Some(0) if ran.stderr.contains("is not signed") => Verdict::Warned,
        Some(0) if ran.stderr.contains("no public key is known") => Verdict::NoKey,
        Some(0) if ran.stderr.is_empty() => Verdict::Silent,
        _ => panic!("{ran:#?}"),
    }
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

async fn row(form: usize, demand: Option<&str>, skip: Option<&str>, configured: bool) -> usize {
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
    let row = format!("{}, {demand:?}, skip {skip:?}, configured {configured}", form.0);
    let on = |arguments: &'static [&'static str]| world.desk.dibump(arguments);
    let plan = on(&["plan", VALUES]).await;
    assert_eq!(of_plan(&plan), wanted, "plan, {row}: {plan:#?}\n{text}");
    let run = on(&["run", "--dry-run"]).await;
    assert_eq!(of_plan(&run), wanted, "run, {row}: {run:#?}\n{text}");
    let check = on(&["check", VALUES]).await;
    assert_eq!(of_check(&check), wanted, "check, {row}: {check:#?}\n{text}");
    let info = on(&["os-images-info", "-f", VALUES]).await;
    // Without a demand nobody misses a key there.
    let quiet = wanted == Verdict::NoKey && demand.is_none() && skip.is_none();
    let told = if quiet { Verdict::Silent } else { wanted };
    assert_eq!(of_consumer(&info), told, "os-images-info, {row}: {info:#?}\n{text}");
    let machine = on(&["machine-image", NAMES[0], "-f", VALUES, "--k8s-mismatch", "off"]).await;
    assert_eq!(of_consumer(&machine), told, "machine-image, {row}: {machine:#?}\n{text}");
    5
}

#[tokio::test]
async fn five_commands_give_one_verdict_on_one_values_file() {
    let demands = [Some("required"), Some("warn"), Some("off"), None];
    let mut asked = 0;
    for form in 0..7 {
        for demand in demands {
            let rows = [None, Some("true"), Some("'true'")].map(|skip| row(form, demand, skip, false));
            asked += futures::future::join_all(rows).await.into_iter().sum::<usize>();
            asked += row(form, demand, Some("true"), true).await;
        }
    }
    assert_eq!(asked, 7 * 4 * 4 * 5);
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
    let held = format!("0.4.13: {0} of {0} images are not signed as expected", names.len());
    assert!(ran.stdout.contains(&held), "{ran:#?}");
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
    assert_eq!(of_consumer(&unsigned), Verdict::Required, "{unsigned:#?}");
    let path = format!("{PREFIX}/{}", NAMES[0]);
    signer.sign(&world.registry, &path, &world.registry.digest(&path, "0.4.11"));
    let signed = info().await;
    assert_eq!(signed.exit, Some(0), "{signed:#?}");
    let checksum = crate::bare_metal::sha256(NAMES[0]);
    assert!(signed.stdout.contains("mine:") && signed.stdout.contains(&checksum), "{signed:#?}");

    world.desk.write("rendered.yaml", "os_images:\n  mine: {uri: 'https://h/x', sylva_dib_image: 'true'}\n");
    let other = info().await;
    assert_eq!(other.exit, Some(3), "{other:#?}");
    assert!(other.stderr.contains("rendered.yaml:2:10: `os_images.mine.uri`"), "{other:#?}");
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
    assert_eq!(of_plan(&held), Verdict::Required, "{held:#?}");
    world.desk.write("prod.yaml", lost);
    let error = plan().await;
    assert_eq!(error.exit, Some(3), "{error:#?}");
    let told = "prod.yaml:5:5: `security.os_images.cosign_public_key`: `.Values.security.lost` has no value";
    assert!(error.stderr.contains(told), "{error:#?}");
    assert!(error.stderr.contains("`signatures: off`"), "{error:#?}");
    let info = world.desk.dibump(&["os-images-info", "-f", "prod.yaml"]).await;
    assert_eq!(info.exit, Some(3), "{info:#?}");
}
