//! Several builders in one values file: one plan, one commit and one merge request, and images that agree.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::bare_metal::described;
use crate::fake::oci::{Access, Fault, Image};
use crate::said::{about, says};
use crate::world::{NETWORK, PATH, PREFIX, VALUES, World};

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
    a_registry_on_another_host_is_not_asked,
    a_registry_of_a_known_host_is_asked_without_the_secrets_of_others,
    a_release_is_accepted_for_its_producer,
    a_version_that_two_producers_have_must_be_accepted_with_a_name,
    a_group_has_the_name_that_is_set,
    targets_with_different_groups_stay_apart,
    check_holds_the_images_of_targets_of_one_file_against_each_other,
    the_merge_request_of_a_group_ends_where_its_first_producer_leaves,
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
    reads!(about(&request.text, "Closed:"), @"> Closed: kiwi-imagebuilder 0.1.12 is not published any more.");
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
    reads!(about(&request.text, "kiwi-imagebuilder 0.1.13"), @"> 2 commits are on the source branch, so dibump leaves this branch alone. For `diskimage-builder 0.4.13 and kiwi-imagebuilder 0.1.13` it lacks:");
}

async fn a_closed_set_is_silenced_and_a_newer_one_is_asked_anew(world: World) {
    arrange(&world, &all());
    kiwi_release(&world, 12);
    world.run().await;
    world.hub.change(world.merge_requests()[0].number, |request| request.state = "closed".to_owned());
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "closed by others");
    assert!(writes.is_empty(), "{writes:#?}");
    reads!(about(&ran.stdout, "kiwi-imagebuilder 0.1.12"), @"note: merge request 1 for diskimage-builder 0.4.12 and kiwi-imagebuilder 0.1.12 was closed by a person");
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
    reads!(about(&world.merge_requests()[0].text, "Closed:"), @"> Closed: grouped.");
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

async fn a_registry_on_another_host_is_not_asked(world: World) {
    arrange(&world, &all());
    // The same machine under another name: what is asked there is seen.
    let elsewhere = world.registry.host().replace("127.0.0.1", "localhost");
    assert_ne!(elsewhere, world.registry.host());
    let other = values(&world, 11)
        .replace(&world.registry.prefix(KIWI), &format!("oci://{elsewhere}/sylva/other-imagebuilder"));
    world.hub.commit("main", "Another", &[(VALUES, other.as_bytes())]);
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "refused");
    reads!(about(&ran.stdout, "other-imagebuilder"), @"→ refused: registry oci://HOST/sylva/other-imagebuilder (values.yaml:3:10) is not configured; add it to `producers:`, or its host HOST to `registries_allowed:`");
    assert!(writes.is_empty() && world.registry.count("other-imagebuilder") == 0, "{writes:#?}");
    // An allowed host is asked, over TLS only: what answers plain HTTP is told so.
    world.add(&format!("registries_allowed: ['{elsewhere}']"));
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "failed");
    reads!(about(&ran.stdout, "→ failed"), @"→ failed: couldn't look up the releases of oci://HOST/sylva/other-imagebuilder (catalog): HOST answers plain HTTP, not TLS; for a registry without TLS: --plain-http, or `plain_http: true`; elsewhere http:// in the URL");
    assert!(writes.is_empty() && world.registry.count("other-imagebuilder") == 0, "{writes:#?}");
}

async fn a_registry_of_a_known_host_is_asked_without_the_secrets_of_others(mut world: World) {
    const USER: &str = "bot";
    const PASSWORD: &str = "hunter2-for-one-producer";
    arrange(&world, "");
    kiwi_release(&world, 12);
    let prefix = world.registry.prefix(PREFIX);
    let forge = world.hub.config();
    let config = format!(
        "version: 1
producers:
  - registry: {prefix}
    plain_http: true
    discovery: [catalog]
    credentials: {{username_env: DIB_USER, password_env: DIB_PASSWORD}}
registries_allowed: [mirror.example]
forge: {forge}
targets:
{}{NETWORK}",
        all()
    );
    world.desk.write("dibump.yaml", config);
    world.registry.access(Access::Basic { user: USER.to_owned(), password: PASSWORD.to_owned() });
    for (name, value) in [("DIB_USER", USER), ("DIB_PASSWORD", PASSWORD)] {
        world.desk.variables.push((name.to_owned(), value.to_owned()));
    }
    let (ran, writes) = world.run_and_writes().await;
    assert_ne!(ran.exit, Some(0), "{ran:#?}");
    assert!(writes.is_empty(), "{writes:#?}");
    let sent = world.registry.requests().into_iter().filter(|request| request.path.contains("kiwi"));
    let sent: Vec<_> = sent.filter_map(|request| request.authorization).collect();
    assert!(sent.is_empty(), "{sent:#?}");
    // What docker keeps for the host is for all of it.
    let pair = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let docker = format!("{{\"auths\": {{\"{}\": {{\"auth\": \"{pair}\"}}}}}}", world.registry.host());
    world.desk.write("config.json", docker);
    let folder = world.desk.path("").display().to_string();
    world.desk.variables.push(("DOCKER_CONFIG".to_owned(), folder));
    says(&world.run().await, "created");
    assert_eq!(world.values(GROUP).unwrap(), values(&world, 12));
}

/// A target that follows the producers of its file, with more lines.
fn all_with(more: &str) -> String {
    format!("{}    {more}\n", all())
}

async fn a_release_is_accepted_for_its_producer(world: World) {
    arrange(&world, &all_with("accept: [diskimage-builder@0.4.12]"));
    says(&world.run().await, "created");
    let [request] = &world.merge_requests()[..] else { panic!("{:#?}", world.merge_requests()) };
    assert!(request.text.contains("--accept diskimage-builder@0.4.12"), "{}", request.text);
    let changed = world.values(GROUP).unwrap();
    assert!(changed.contains("0.4.12  # one") && changed.contains("0.1.11  # the other"), "{changed}");
    configure(&world, &all_with("accept: [diskimagebuilder@0.4.12]"));
    let ran = world.run().await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(about(&ran.stdout, "diskimagebuilder@"), @"→ failed: `accept: [diskimagebuilder@0.4.12]`: the files name no such producer (diskimage-builder, kiwi-imagebuilder)");
    // A person at a terminal says the same.
    world.desk.write(VALUES, values(&world, 11));
    let plan = async |accept: &str| {
        world.desk.dibump(&["plan", VALUES, "--plain-http", "--accept", accept, "--format", "diff"]).await
    };
    for accept in ["diskimage-builder@0.4.12", "0.4.12"] {
        configure(&world, &all());
        let ran = plan(accept).await;
        assert!(ran.exit == Some(0) && ran.stdout.contains("0.4.12  # one"), "{accept} {ran:#?}");
    }
    let ran = plan("kiwy@0.4.12").await;
    assert_eq!(ran.exit, Some(2), "{ran:#?}");
    reads!(ran.stderr, @"
    error: --accept kiwy@0.4.12: no such producer is looked up
    hint: looked up: diskimage-builder, kiwi-imagebuilder
    ");
}

async fn a_version_that_two_producers_have_must_be_accepted_with_a_name(world: World) {
    arrange(&world, &all_with("accept: [0.4.12]"));
    world.registry.release(KIWI, "0.4.12", &[Image::new("leapmicro-6-0-plain-rke2-1-30-13")]);
    let (ran, writes) = world.run_and_writes().await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(about(&ran.stdout, "0.4.12"), @"→ failed: it is open which release `accept: [0.4.12]` means: diskimage-builder and kiwi-imagebuilder have it; name the producer: `diskimage-builder@0.4.12` or `kiwi-imagebuilder@0.4.12`");
    assert!(writes.is_empty(), "{writes:#?}");
    configure(&world, &all_with("accept: [kiwi-imagebuilder@0.4.12]"));
    says(&world.run().await, "created");
    let changed = world.values(GROUP).unwrap();
    assert!(changed.contains("sylva_kiwi_imagebuilder_version: 0.4.12"), "{changed}");
}

async fn a_group_has_the_name_that_is_set(world: World) {
    let group = "    update_group: nodes\n";
    let dib = only("diskimage-builder", "sylva_diskimagebuilder_version", group);
    let kiwi = only("kiwi-imagebuilder", "sylva_kiwi_imagebuilder_version", group);
    arrange(&world, &format!("{dib}{kiwi}"));
    kiwi_release(&world, 12);
    says(&world.run().await, "created");
    let [request] = &world.merge_requests()[..] else { panic!("{:#?}", world.merge_requests()) };
    assert_eq!(request.source, "dibump/main/nodes");
    assert_eq!(world.values("dibump/main/nodes").unwrap(), values(&world, 12));
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "unchanged");
    assert!(writes.is_empty(), "{writes:#?}");
}

async fn targets_with_different_groups_stay_apart(world: World) {
    let with = |group| format!("    update_group: {group}\n    policy: {{disagreeing: off}}\n");
    let dib = only("diskimage-builder", "sylva_diskimagebuilder_version", &with("one"));
    let kiwi = only("kiwi-imagebuilder", "sylva_kiwi_imagebuilder_version", &with("two"));
    arrange(&world, &format!("{dib}{kiwi}"));
    kiwi_release(&world, 12);
    says(&world.run().await, "created");
    let mut sources: Vec<String> = world.merge_requests().into_iter().map(|request| request.source).collect();
    sources.sort();
    assert_eq!(sources, ["dibump/main/one", "dibump/main/two"]);
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "unchanged");
    assert!(writes.is_empty(), "{writes:#?}");
}

async fn check_holds_the_images_of_targets_of_one_file_against_each_other(world: World) {
    let dib = only("diskimage-builder", "sylva_diskimagebuilder_version", "");
    let kiwi = only("kiwi-imagebuilder", "sylva_kiwi_imagebuilder_version", "");
    arrange(&world, &format!("{dib}{kiwi}"));
    // The names do not say the patch.
    let image = |os: &str, release: &str, kubernetes: &str| {
        let name = format!("{os}-{}-plain-rke2-1-30", release.replace('.', "-"));
        described(&name, [os, release, "plain", "rke2", kubernetes])
    };
    let ubuntu = image("ubuntu", "noble", "1.30.11+rke2r1");
    world.registry.release(PREFIX, "0.4.20", std::slice::from_ref(&ubuntu));
    let file = |kiwi: u32| {
        let values = values(&world, 11).replace("0.4.11", "0.4.20").replace("0.1.11", &format!("0.1.{kiwi}"));
        let (head, _) = values.split_once("  ubuntu-noble").unwrap();
        format!(
            "{head}  ubuntu-noble-plain-rke2-1-30: {{os_images_oci_registry: sylva}}\n  \
             leapmicro-6-0-plain-rke2-1-30: {{os_images_oci_registry: kiwi}}\n"
        )
    };
    for (release, kubernetes, exit) in [(20, "1.30.11+rke2r1", 0), (21, "1.30.12+rke2r1", 10)] {
        let image = image("leapmicro", "6.0", kubernetes);
        world.registry.release(KIWI, &format!("0.1.{release}"), &[image]);
        world.desk.write(VALUES, file(release));
        let ran = world.desk.dibump(&["check"]).await;
        assert_eq!(ran.exit, Some(exit), "{ran:#?}");
        assert_eq!(ran.stdout.contains("disagreeing-images"), exit == 10, "{}", ran.stdout);
    }
}

async fn the_merge_request_of_a_group_ends_where_its_first_producer_leaves(world: World) {
    arrange(&world, &all());
    kiwi_release(&world, 12);
    says(&world.run().await, "created");
    let alone = "    policy: {disagreeing: off}\n";
    configure(&world, &only("diskimage-builder", "sylva_diskimagebuilder_version", alone));
    world.run().await;
    world.run().await;
    let requests = world.merge_requests();
    let states: Vec<(&str, &str)> =
        requests.iter().map(|request| (request.source.as_str(), request.state.as_str())).collect();
    assert_eq!(states, [(GROUP, "closed"), ("dibump/main/diskimage-builder-0.x", "open")]);
    reads!(about(&requests[0].text, "Closed:"), @"> Closed: ungrouped.");
}
