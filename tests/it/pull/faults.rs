//! What goes wrong on the way: never a wrong file visible, and it is fetched in the end, or the next run does it. Counted and
//! printed.

use super::{Built, KEY, OTHER, Puller, disk, gzip};
use crate::fake::docker_registry::DockerRegistry;
use crate::fake::oci::FakeRegistry;
use crate::fake::spoiling_proxy::{Spoil, SpoilingProxy};
use crate::said::about;
use crate::world::{PREFIX, Ran};

/// So many places of a layer.
const PLACES: usize = 200;

struct Way {
    built: Built,
    proxy: SpoilingProxy,
    _registry: DockerRegistry,
}

impl Way {
    async fn new() -> Self {
        let registry = DockerRegistry::start().await;
        let proxy = SpoilingProxy::start(&registry.host).await;
        let built = Built::new(KEY, disk(9));
        built.push_to_docker(&registry).await;
        Self { built, proxy, _registry: registry }
    }

    fn puller(&self) -> Puller {
        Puller::new(&self.proxy.prefix(PREFIX), &[KEY])
    }

    /// Places all over the layer, the first and the last byte among them.
    fn places(&self, count: usize) -> Vec<usize> {
        let last = self.built.layer.len() - 1;
        (0..count).map(|i| i * last / (count - 1)).collect()
    }

    async fn spoiled(&self, spoils: impl IntoIterator<Item = Spoil>) -> (Puller, Ran) {
        let puller = self.puller();
        self.proxy.blobs();
        self.proxy.spoil(spoils);
        let ran = puller.pull(&[]).await;
        (puller, ran)
    }

    /// Nothing wrong is visible, and the next run completes.
    async fn next_run_completes(&self, puller: &Puller, what: &str) {
        puller.visible();
        self.proxy.spoil([]);
        let ran = puller.pull(&[]).await;
        assert_eq!(ran.exit, Some(0), "{what}: {ran:#?}");
        assert!(puller.has(&self.built), "{what}");
    }
}

/// What ends an answer before the layer does, wherever that is.
async fn ended_everywhere(name: &str, spoil: impl Fn(usize) -> Vec<Spoil>) {
    let way = Way::new().await;
    let mut places = way.places(PLACES + 1);
    // Each answer brings what is between two places; the last one all the rest.
    places.push(way.built.layer.len());
    let parts: Vec<usize> = places.windows(2).map(|two| two[1] - two[0]).filter(|part| *part > 0).collect();
    let (puller, ran) = way.spoiled(parts.iter().flat_map(|part| spoil(*part))).await;
    assert_eq!(ran.exit, Some(0), "{name}: {ran:#?}");
    assert!(puller.has(&way.built), "{name}");
    let asked = way.proxy.blobs();
    // The signed address repeats what its registry was asked.
    let of_registry: Vec<_> = asked.iter().filter(|request| !request.is_signed).collect();
    assert!(of_registry.len() >= PLACES, "{name}: {} requests", of_registry.len());
    assert!(of_registry[0].range.is_none(), "{name}");
    let mut at = 0;
    for (request, part) in of_registry.iter().skip(1).zip(&parts) {
        at += part;
        assert_eq!(request.range, Some(format!("bytes={at}-")), "{name}");
        let tag = format!("\"{}\"", crate::fake::oci::digest(&way.built.layer));
        assert_eq!(request.if_range, Some(tag), "{name}");
    }
    println!("{name}: {} times in one download", of_registry.len());
}

#[tokio::test]
async fn a_connection_that_is_cut_anywhere_goes_on_where_it_was() {
    ended_everywhere("cut", |part| vec![Spoil::Cut(part)]).await;
}

#[tokio::test]
async fn a_length_that_is_a_lie_anywhere_is_noticed() {
    ended_everywhere("too short a length", |part| vec![Spoil::Short(part)]).await;
}

#[tokio::test]
async fn a_redirect_that_expires_anywhere_is_asked_for_again() {
    ended_everywhere("a redirect that expires", |part| vec![Spoil::Redirect, Spoil::Cut(part)]).await;
}

#[tokio::test]
async fn a_byte_that_flips_anywhere_is_noticed() {
    let way = Way::new().await;
    let mut flips = 0;
    for places in way.places(PLACES).chunks(4) {
        let (puller, ran) = way.spoiled(places.iter().map(|at| Spoil::Flip(*at))).await;
        assert_eq!(ran.exit, Some(0), "{places:?}: {ran:#?}");
        assert!(puller.has(&way.built), "{places:?}");
        assert_eq!(
            way.proxy.blobs().len(),
            places.len() + 1,
            "{places:?}: each was fetched again as a whole"
        );
        flips += places.len();
    }
    println!("flipped: {flips} bytes, one after the other");
    let (puller, ran) = way.spoiled([100; 20].map(Spoil::Flip)).await;
    assert_eq!(ran.exit, Some(4), "whoever always flips ends with 4: {ran:#?}");
    let told = about(&ran.stderr, "error");
    reads!(told.split(" sha256:").next().unwrap(), @"error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` could not be downloaded: the layer of oci://HOST/sylva/diskimage-builder/ubuntu-noble-plain-rke2-1-31-8:0.4.12 has the digest");
    assert_eq!((puller.visible().len(), way.proxy.blobs().len()), (0, 5));
    way.next_run_completes(&puller, "after flips").await;
}

#[tokio::test]
async fn a_killed_run_leaves_nothing_wrong_and_the_next_one_completes() {
    let way = Way::new().await;
    let mut killed = 0;
    for at in way.places(50) {
        let puller = way.puller();
        way.proxy.spoil([Spoil::Stop(at)]);
        let mut child = puller.desk.spawn(&Puller::arguments(&[]));
        way.proxy.stopped().await;
        child.kill().await.unwrap();
        assert_eq!((puller.visible().len(), puller.index(KEY)), (0, None), "killed at {at}");
        way.next_run_completes(&puller, &format!("killed at {at}")).await;
        killed += 1;
    }
    println!("killed: {killed} runs");
}

#[tokio::test]
async fn servers_that_answer_otherwise_do_no_harm() {
    use Spoil::{Cut, Longer, Nothing, OtherTag, Redirect, Short, Status, Whole};
    let way = Way::new().await;
    let half = way.built.layer.len() / 2;
    let done: [(&str, Vec<Spoil>, usize); 9] = [
        ("200 in place of a part", vec![Cut(half), Whole], 3),
        ("416", vec![Cut(half), Status(416)], 3),
        ("another tag", vec![Cut(half), OtherTag], 3),
        ("503 at first", vec![Status(503), Status(503)], 3),
        ("503 in the middle", vec![Cut(half), Status(503), Cut(100), Status(503)], 5),
        ("a length that is too short", vec![Short(half), Short(1), Short(0)], 4),
        ("a length that is too long", vec![Longer(1)], 2),
        ("a redirect that expires", vec![Redirect, Cut(half), Redirect, Cut(10), Redirect, Nothing], 6),
        ("cut once", vec![Cut(half), Nothing], 2),
    ];
    for (name, spoils, requests) in done {
        let (puller, ran) = way.spoiled(spoils).await;
        assert_eq!(ran.exit, Some(0), "{name}: {ran:#?}");
        assert!(puller.has(&way.built), "{name}");
        let asked = way.proxy.blobs();
        assert_eq!(asked.len(), requests, "{name}: {asked:#?}");
        // The registry is asked each time, and never the signed address by itself.
        assert!(asked.windows(2).all(|two| !two[1].is_signed || !two[0].is_signed), "{name}: {asked:#?}");
        let carried = |asked: &crate::fake::spoiling_proxy::BlobRequest| asked.authorization.is_some();
        assert!(!asked.iter().any(|asked| asked.is_signed && carried(asked)), "{name}: {asked:#?}");
    }
    for (name, spoil, exit) in [
        ("503", Status(503), 4),
        ("429", Status(429), 4),
        ("500", Status(500), 4),
        ("cut at once", Cut(0), 4),
        ("always too short", Short(0), 4),
        ("404", Status(404), 3),
        ("403", Status(403), 3),
    ] {
        let (puller, ran) = way.spoiled(vec![spoil; 50]).await;
        assert_eq!(ran.exit, Some(exit), "{name}: {ran:#?}");
        assert_eq!((puller.visible().len(), puller.index(KEY)), (0, None), "{name}");
        way.next_run_completes(&puller, name).await;
    }
}

/// Both pulls, on a file system that has 110 MiB.
const ON_A_SMALL_DISK: &str = "\
mount -t tmpfs -o size=110m tmpfs images || exit 77
\"$0\" pull --into images -f large.yaml; echo \"large: $?\"
find images -type f
\"$0\" pull --into images -f values.yaml; echo \"small: $?\"
";

#[tokio::test]
async fn a_disk_that_is_full_in_the_middle_has_its_room_again() {
    let registry = FakeRegistry::start().await;
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    let small = Built::new(KEY, disk(9));
    small.push(&registry);
    // 128 MiB, of which the manifest does not say that they are so many.
    let layer = gzip(&vec![7; 1 << 20]).repeat(128);
    let large = Built::of(OTHER, b"unknown".to_vec(), layer, "application/octet-stream").with("size", None);
    large.push(&registry);
    let values = String::from_utf8(puller.desk.read("values.yaml")).unwrap();
    puller.desk.write("large.yaml", values.replace(KEY, OTHER));
    std::fs::create_dir(puller.desk.path("images")).unwrap();
    let mut command = tokio::process::Command::new("unshare");
    command.args(["-rm", "sh", "-c", ON_A_SMALL_DISK, env!("CARGO_BIN_EXE_dibump")]);
    command.current_dir(puller.desk.path("")).env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
    let output = command.output().await.expect("util-linux is everywhere");
    let (said, errors) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    if !said.contains("large: ") {
        // A container may forbid it.
        return println!("full disk: not tried, no file system can be mounted here: {errors}");
    }
    println!("full disk: tried");
    reads!(about(&errors, "room"), @"note: make room in the folder, and run it again: images that are complete are kept");
    let mut files: Vec<&str> = said.lines().filter(|line| line.starts_with("images/")).collect();
    files.sort_unstable();
    assert_eq!(files, ["images/.lock", "images/wanted.json"], "{said}{errors}");
    assert!(said.contains("large: 3") && said.contains("small: 0"), "{said}{errors}");
}
