//! Generations: registries of one file that are at a release of their own, each kept within its own minor release and with a
//! merge request of its own.

use crate::fake::oci::Image;
use crate::said::{about, outcomes};
use crate::world::{PREFIX, VALUES, World};

const MAIN: &str = "dibump/main/diskimage-builder-0.x";
const LAST: &str = "dibump/main/sylva-n-1-0.x";

stories! {
    each_generation_has_a_merge_request_of_its_own,
    generations_are_left_alone_unless_they_are_asked_for,
    generations_of_one_address_share_one_look_up,
    a_generation_on_another_host_is_refused_and_the_rest_goes_on,
}

/// The file at 0.4.N, with generations at 0.3.N and 0.2.9.
fn values(world: &World, main: u32, last: u32) -> String {
    let url = world.registry.prefix(PREFIX);
    format!(
        "os_images_oci_registries:
  sylva: {{url: '{url}', tag: '{{{{ .Values.sylva_diskimagebuilder_version }}}}'}}
  sylva-n-1:
    url: '{url}'
    tag: 0.3.{last}  # the last release
  sylva-n-2: {{url: '{url}', tag: '0.2.9'}}
  off: {{url: '{url}', tag: 0.1.1, enabled: false}}
sylva_diskimagebuilder_version: 0.4.{main}
sylva_diskimagebuilder_images:
  ubuntu-noble-plain-rke2-1-30-{main}: {{os_images_oci_registry: sylva}}
  opensuse-15-6-plain-kubeadm-1-30-{main}: {{os_images_oci_registry: sylva}}
"
    )
}

fn release(world: &World, version: &str, kubernetes: &str) {
    let image = Image::new(&format!("ubuntu-noble-plain-rke2-{kubernetes}"));
    world.registry.release(PREFIX, version, &[image]);
}

/// The file, its releases, and a target with these lines. Of the generations, one has something newer.
fn arrange(world: &World, more: &str) {
    for (version, kubernetes) in [("0.3.11", "1-29-1"), ("0.3.12", "1-29-2"), ("0.2.9", "1-28-1")] {
        release(world, version, kubernetes);
    }
    world.hub.commit("main", "Generations", &[(VALUES, values(world, 11, 11).as_bytes())]);
    world.configure("[catalog]", "").target(more);
}

async fn each_generation_has_a_merge_request_of_its_own(world: World) {
    arrange(&world, "    generations: true\n");
    let ran = world.run().await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(outcomes(&ran, "created"), 2, "{ran:#?}");
    assert_eq!(world.values(MAIN).unwrap(), values(&world, 12, 11));
    assert_eq!(world.values(LAST).unwrap(), values(&world, 11, 12));
    let requests = world.merge_requests();
    let last = requests.iter().find(|request| request.source == LAST).unwrap();
    assert_eq!(last.title, "Update sylva-n-1 to 0.3.12");
    let flag = "--version-key os_images_oci_registries.sylva-n-1.tag";
    assert!(last.text.contains(flag), "{}", last.text);
    let (ran, writes) = world.run_and_writes().await;
    assert_eq!(outcomes(&ran, "unchanged"), 2, "{ran:#?}");
    assert!(writes.is_empty(), "{writes:#?}");
    // The command of the text says the same.
    world.desk.write(VALUES, values(&world, 11, 11));
    let plan = ["plan", VALUES, "--version-key", "os_images_oci_registries.sylva-n-1.tag", "--write"];
    let ran = world.desk.dibump(&plan).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(String::from_utf8(world.desk.read(VALUES)).unwrap(), values(&world, 11, 12));
}

async fn generations_are_left_alone_unless_they_are_asked_for(world: World) {
    arrange(&world, "");
    let ran = world.run().await;
    assert_eq!(outcomes(&ran, "created"), 1, "{ran:#?}");
    assert_eq!(world.branches(), [MAIN, "main"]);
}

async fn generations_of_one_address_share_one_look_up(world: World) {
    arrange(&world, "");
    let asked = async || {
        let before = world.registry.count("");
        let ran = world.desk.dibump(&["run", "--dry-run"]).await;
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        let paths = world.registry.requests().split_off(before).into_iter().map(|request| request.path);
        let mut paths: Vec<String> = paths.collect();
        paths.sort();
        paths
    };
    let alone = asked().await;
    world.configure("[catalog]", "").target("    generations: true\n");
    let mut together = asked().await;
    let lists = |paths: &[String]| paths.iter().filter(|path| !path.contains("/manifests/")).count();
    assert_eq!(lists(&alone), lists(&together), "{alone:#?} {together:#?}");
    let all = together.len();
    together.dedup();
    assert_eq!(together.len(), all, "asked twice: {together:#?}");
}

async fn a_generation_on_another_host_is_refused_and_the_rest_goes_on(world: World) {
    arrange(&world, "    generations: true\n");
    world.add("registries_allowed: [mirror.example]");
    let other = world.registry.prefix(PREFIX).replace("127.0.0.1", "localhost");
    let file = values(&world, 11, 11).replace("tag: '0.2.9'", "tag: 0.2.9");
    let url = world.registry.prefix(PREFIX);
    let file = file.replace(&format!("sylva-n-2: {{url: '{url}'"), &format!("sylva-n-2: {{url: '{other}'"));
    world.hub.commit("main", "Another host", &[(VALUES, file.as_bytes())]);
    let ran = world.run().await;
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
    assert_eq!(outcomes(&ran, "created"), 2, "{ran:#?}");
    assert_eq!(outcomes(&ran, "refused"), 1, "{ran:#?}");
}

/// A chart with a generation that publishes Ubuntu alone, and a machine of this image.
fn chart(world: &World, choice: &str) -> String {
    let url = world.registry.prefix(PREFIX);
    format!(
        "os_images_oci_registries:
  sylva: {{url: '{url}', tag: '{{{{ .Values.sylva_diskimagebuilder_version }}}}'}}
  sylva-n-1: {{url: '{url}', tag: 0.3.11}}
sylva_diskimagebuilder_version: 0.4.12
sylva_diskimagebuilder_images:
  ubuntu-noble-plain-rke2-1-30: {{os_images_oci_registry: sylva}}
  opensuse-15-6-plain-rke2-1-30: {{os_images_oci_registry: sylva}}
cluster:
  capm3:
{choice}"
    )
}

#[tokio::test]
async fn check_warns_of_what_a_generation_lacks_where_it_is_chosen_there() {
    let world = World::new().await;
    let [ubuntu, suse] = ["ubuntu-noble-plain-rke2-1-30", "opensuse-15-6-plain-rke2-1-30"].map(Image::new);
    world.registry.release(PREFIX, "0.3.11", std::slice::from_ref(&ubuntu));
    world.registry.release(PREFIX, "0.4.12", &[ubuntu, suse]);
    world.configure("[catalog]", "").target("");
    let key = |key: &str| format!("    image_key: {key}\n");
    let selector = |os: &str, registry: &str| {
        format!("    os_image_selector: {{os: {os}, oci-image-registry-key: {registry}}}\n")
    };
    let suse = "sylva-n-1--opensuse-15-6-plain-rke2-1-30";
    let mut told = String::new();
    for (choice, lacks) in [
        (key("sylva-n-1--ubuntu-noble-plain-rke2-1-30"), false),
        (key(suse), true),
        (key("sylva--opensuse-15-6-plain-rke2-1-30"), false),
        (selector("ubuntu", "sylva-n-1"), false),
        (selector("opensuse", "sylva-n-1"), true),
        (selector("opensuse", "sylva"), false),
        (
            format!("{}# dibump: ignore[generation-image] because it comes\n", key(suse).replace('\n', "  ")),
            false,
        ),
        (String::new(), false),
    ] {
        world.desk.write(VALUES, chart(&world, &choice));
        let before = world.registry.count("/manifests/0.3.11");
        let ran = world.desk.dibump(&["check", VALUES]).await;
        let asked = world.registry.count("/manifests/0.3.11") - before;
        assert_eq!(ran.stdout.contains("warning[generation-image]"), lacks, "{choice}: {ran:#?}");
        let is_asked = choice.contains("sylva-n-1");
        assert_eq!(asked, usize::from(is_asked), "only what is chosen is asked for: {choice}");
        told += &about(&ran.stdout, "generation-image");
    }
    reads!(told, @"
    warning[generation-image]: the generation `sylva-n-1` (oci://HOST/sylva/diskimage-builder:0.3.11) does not publish `opensuse-15-6-plain-rke2-1-30`
    warning[generation-image]: the generation `sylva-n-1` (oci://HOST/sylva/diskimage-builder:0.3.11) does not publish `opensuse-15-6-plain-rke2-1-30`
    ");
}
