//! Several builders in one values file: one plan, one commit and one merge request, and images that agree.

use crate::fake::oci::{Fault, Image};
use crate::world::{NETWORK, PATH, PREFIX, Ran, VALUES, World};

const KIWI: &str = "sylva/kiwi-imagebuilder";
const GROUP: &str = "dibump/main/diskimage-builder";

stories! {
    several_builders_have_one_merge_request,
    a_builder_that_is_late_is_waited_for,
    an_older_release_that_agrees_is_taken,
    a_builder_that_cannot_be_asked_leaves_all_where_they_are,
    a_release_that_is_withdrawn_ends_the_offer_of_the_set,
    a_persons_commit_on_the_branch_of_a_group_is_left_alone,
    a_closed_set_is_silenced_and_a_newer_one_is_asked_anew,
    the_merge_request_of_each_builder_ends_where_they_are_grouped,
    targets_of_one_file_that_name_different_producers_are_one_group,
    a_registry_that_only_the_file_names_is_not_asked,
}

/// The file at 0.4.N and 0.1.N, with the images of Kubernetes 1.30.N.
fn values(world: &World, patch: u32) -> String {
    let (dib, kiwi) = (world.registry.prefix(PREFIX), world.registry.prefix(KIWI));
    format!(
        "os_images_oci_registries:
  sylva: {{url: '{dib}', tag: '{{{{ .Values.sylva_diskimagebuilder_version }}}}'}}
  kiwi: {{url: '{kiwi}', tag: '{{{{ .Values.sylva_kiwi_imagebuilder_version }}}}'}}
sylva_diskimagebuilder_version: 0.4.{patch}  # one
sylva_kiwi_imagebuilder_version: 0.1.{patch}  # the other
sylva_diskimagebuilder_images:
  ubuntu-noble-plain-rke2-1-30-{patch}: {{os_images_oci_registry: sylva}}
  opensuse-15-6-plain-kubeadm-1-30-{patch}: {{os_images_oci_registry: sylva}}
  leapmicro-6-0-plain-rke2-1-30-{patch}: {{os_images_oci_registry: kiwi}}
"
    )
}

fn kiwi_release(world: &World, patch: u32) {
    let image = Image::new(&format!("leapmicro-6-0-plain-rke2-1-30-{patch}"));
    world.registry.release(KIWI, &format!("0.1.{patch}"), &[image]);
}

/// Both builders at 11, 0.4.12 of the first, and these targets.
fn arrange(world: &World, targets: &str) {
    kiwi_release(world, 11);
    world.hub.commit("main", "Two builders", &[(VALUES, values(world, 11).as_bytes())]);
    configure(world, targets);
}

fn configure(world: &World, targets: &str) {
    let producer = |path| {
        format!(
            "  - registry: {}\n    plain_http: true\n    discovery: [catalog]\n",
            world.registry.prefix(path)
        )
    };
    let (dib, kiwi, forge) = (producer(PREFIX), producer(KIWI), world.hub.config());
    let config = format!("version: 1\nproducers:\n{dib}{kiwi}forge: {forge}\ntargets:\n{targets}{NETWORK}");
    world.desk.write("dibump.yaml", config);
}

/// A target that follows the producers of its file.
fn all() -> String {
    format!("  - project: {PATH}\n    files: [{VALUES}]\n")
}

/// One that names its producer, and more keys.
fn only(producer: &str, version_key: &str, more: &str) -> String {
    let file = format!("{{path: {VALUES}, version_key: {version_key}}}");
    format!("  - project: {PATH}\n    producer: {producer}\n    files: [{file}]\n{more}")
}

fn says(ran: &Ran, outcome: &str) {
    assert!(ran.stdout.contains(&format!("→ {outcome}")), "{outcome} is expected: {ran:#?}");
}

async fn several_builders_have_one_merge_request(world: World) {
    arrange(&world, &all());
    kiwi_release(&world, 12);
    let (ran, writes) = world.run_and_writes().await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    says(&ran, "created");
    assert_eq!(writes.len(), 2, "{writes:#?}");
    assert_eq!(world.values(GROUP).unwrap(), values(&world, 12));
    let [request] = &world.merge_requests()[..] else { panic!("{:#?}", world.merge_requests()) };
    assert_eq!(request.source, GROUP);
    assert_eq!(request.title, "Update diskimage-builder to 0.4.12 and kiwi-imagebuilder to 0.1.12");
    for step in ["from diskimage-builder release `0.4.11`", "from kiwi-imagebuilder release `0.1.11`"] {
        assert!(request.text.contains(step), "{}", request.text);
    }
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "unchanged");
    assert!(writes.is_empty(), "{writes:#?}");
}

async fn a_builder_that_is_late_is_waited_for(world: World) {
    arrange(&world, &all());
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "held (disagreeing)");
    assert!(ran.exit == Some(0) && writes.is_empty(), "{writes:#?}");
    let behind = "`leapmicro-6-0-plain-rke2-1-30-11` of kiwi-imagebuilder 0.1.11 has Kubernetes 1.30.11";
    assert!(ran.stdout.contains(behind), "{}", ran.stdout);
    kiwi_release(&world, 12);
    says(&world.run().await, "created");
    assert_eq!(world.merge_requests().len(), 1);
}

async fn an_older_release_that_agrees_is_taken(world: World) {
    arrange(&world, &all());
    world.release(13);
    kiwi_release(&world, 12);
    let ran = world.run().await;
    says(&ran, "created");
    assert_eq!(world.values(GROUP).unwrap(), values(&world, 12));
    let [request] = &world.merge_requests()[..] else { panic!("{:#?}", world.merge_requests()) };
    assert!(request.text.contains("`0.4.13`: held"), "{}", request.text);
}

async fn a_builder_that_cannot_be_asked_leaves_all_where_they_are(world: World) {
    arrange(&world, &all());
    kiwi_release(&world, 12);
    world.registry.fault(Fault::status(503).on("kiwi-imagebuilder").times(1_000));
    let (ran, writes) = world.run_and_writes().await;
    assert_eq!(ran.exit, Some(4), "{ran:#?}");
    assert!(writes.is_empty(), "{writes:#?}");
}

async fn a_release_that_is_withdrawn_ends_the_offer_of_the_set(world: World) {
    arrange(&world, &all());
    kiwi_release(&world, 12);
    says(&world.run().await, "created");
    world.registry.remove(&format!("{KIWI}/leapmicro-6-0-plain-rke2-1-30-12"), "0.1.12");
    let ran = world.run().await;
    says(&ran, "closed");
    let [request] = &world.merge_requests()[..] else { panic!("{:#?}", world.merge_requests()) };
    assert_eq!(request.state, "closed");
    assert!(request.text.contains("is not published any more"), "{}", request.text);
}

async fn a_persons_commit_on_the_branch_of_a_group_is_left_alone(world: World) {
    arrange(&world, &all());
    kiwi_release(&world, 12);
    world.run().await;
    world.hub.commit(GROUP, "By hand", &[("README.md", b"mine\n")]);
    world.release(13);
    kiwi_release(&world, 13);
    let (ran, _) = world.run_and_writes().await;
    says(&ran, "edited by others");
    assert_eq!(world.hub.file(GROUP, "README.md").unwrap(), "mine\n");
    let [request] = &world.merge_requests()[..] else { panic!("{:#?}", world.merge_requests()) };
    let told = "For `diskimage-builder 0.4.13 and kiwi-imagebuilder 0.1.13` it lacks";
    assert!(request.text.contains(told), "{}", request.text);
}

async fn a_closed_set_is_silenced_and_a_newer_one_is_asked_anew(world: World) {
    arrange(&world, &all());
    kiwi_release(&world, 12);
    world.run().await;
    world.hub.change(world.merge_requests()[0].number, |request| request.state = "closed".to_owned());
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "closed by others");
    assert!(writes.is_empty(), "{writes:#?}");
    let told = "for diskimage-builder 0.4.12 and kiwi-imagebuilder 0.1.12 was closed by a person";
    assert!(ran.stdout.contains(told), "{}", ran.stdout);
    // The same Kubernetes, packaged once more by one of them.
    world.registry.release(KIWI, "0.1.13", &[Image::new("leapmicro-6-0-plain-rke2-1-30-12")]);
    says(&world.run().await, "created");
    assert_eq!(world.merge_requests().iter().filter(|request| request.state == "open").count(), 1);
}

async fn the_merge_request_of_each_builder_ends_where_they_are_grouped(world: World) {
    let alone = "    policy: {disagreeing: off}\n";
    arrange(&world, &only("diskimage-builder", "sylva_diskimagebuilder_version", alone));
    kiwi_release(&world, 12);
    says(&world.run().await, "created");
    configure(&world, &only("kiwi-imagebuilder", "sylva_kiwi_imagebuilder_version", alone));
    says(&world.run().await, "created");
    let sources: Vec<String> = world.merge_requests().into_iter().map(|request| request.source).collect();
    assert_eq!(sources, ["dibump/main/diskimage-builder-0.x", "dibump/main/kiwi-imagebuilder-0.x"]);
    configure(&world, &all());
    let ran = world.run().await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    world.run().await;
    let states: Vec<(String, String)> =
        world.merge_requests().into_iter().map(|request| (request.source, request.state)).collect();
    let closed = |source: &str| (source.to_owned(), "closed".to_owned());
    assert_eq!(states[..2], [closed(&sources[0]), closed(&sources[1])]);
    assert_eq!(states[2..], [(GROUP.to_owned(), "open".to_owned())]);
    assert!(
        world.merge_requests()[0].text.contains("Closed: grouped."),
        "{}",
        world.merge_requests()[0].text
    );
    assert_eq!(world.values(GROUP).unwrap(), values(&world, 12));
}

async fn targets_of_one_file_that_name_different_producers_are_one_group(world: World) {
    let dib = only("diskimage-builder", "sylva_diskimagebuilder_version", "");
    let kiwi = only("kiwi-imagebuilder", "sylva_kiwi_imagebuilder_version", "");
    arrange(&world, &format!("{dib}{kiwi}    enabled: false\n"));
    kiwi_release(&world, 12);
    let (ran, writes) = world.run_and_writes().await;
    assert!(ran.exit == Some(0) && writes.is_empty(), "one of them is not enabled: {writes:#?}");
    configure(&world, &format!("{dib}{kiwi}"));
    says(&world.run().await, "created");
    let [request] = &world.merge_requests()[..] else { panic!("{:#?}", world.merge_requests()) };
    assert_eq!(request.source, GROUP);
    assert_eq!(world.values(GROUP).unwrap(), values(&world, 12));
    // A plan in the checkout says the same.
    world.desk.write(VALUES, values(&world, 11));
    for command in [&["plan"][..], &["plan", VALUES]] {
        let ran = world.desk.dibump(command).await;
        for step in ["diskimage-builder: update 0.4.11 → 0.4.12", "kiwi-imagebuilder: update 0.1.11 → 0.1.12"]
        {
            assert!(ran.stdout.contains(step), "{step} {ran:#?}");
        }
    }
    let ran = world.desk.dibump(&["plan", "--to", "0.4.12"]).await;
    assert_eq!(ran.exit, Some(2), "{ran:#?}");
}

async fn a_registry_that_only_the_file_names_is_not_asked(world: World) {
    arrange(&world, &all());
    let other = values(&world, 11).replace(KIWI, "sylva/other-imagebuilder");
    world.hub.commit("main", "Another", &[(VALUES, other.as_bytes())]);
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "refused");
    assert!(ran.stdout.contains("other-imagebuilder (values.yaml:3:10) is not configured"), "{}", ran.stdout);
    assert!(writes.is_empty() && world.registry.count("other-imagebuilder") == 0, "{writes:#?}");
}
