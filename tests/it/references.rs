//! What follows the image keys elsewhere: references in other files, Kubernetes versions in the same one.

use serde_json::{Value, json};

use crate::fake::oci::Image;
use crate::said::{about, says};
use crate::world::{AT_0_4_11, Desk, PREFIX, SOURCE, VALUES, World, values_at};

const UBUNTU: &str = "ubuntu-noble-plain-rke2";
const OPENSUSE: &str = "opensuse-15-6-plain-kubeadm";

/// The text of the merge request as its reader sees it: without what keeps it from acting.
fn text(world: &World) -> String {
    world.merge_requests()[0].text.replace(['\\', '\u{200b}'], "")
}

/// How often the list of all files was asked for.
fn lists(world: &World) -> usize {
    let is_list = |target: &str| target.contains("/repository/tree?") || target.contains("/git/trees/");
    world.hub.log().iter().filter(|seen| seen.method == "GET" && is_list(&seen.target)).count()
}

stories! {
    references_follow_renames_in_the_same_commit_and_what_dangles_is_told,
    a_list_of_files_that_was_cut_gives_unknown_and_no_write,
    files_are_listed_only_where_a_key_moves_and_somebody_asked_for_it,
    references_that_match_nothing_are_silent,
    kubernetes_versions_move_with_the_images,
    where_nothing_follows_it_is_said_that_versions_differ,
    a_map_follows_by_itself_and_a_cluster_s_own_version_is_told,
    names_of_keys_follow_in_every_file_of_the_target,
}

/// 0.4.11 has a Kubernetes minor more than 0.4.12, and the file lists one image of it.
fn with_a_minor_that_leaves(world: &World) {
    let names = [(UBUNTU, "1-30-11"), (OPENSUSE, "1-30-11"), (UBUNTU, "1-29-15"), (OPENSUSE, "1-29-15")];
    let images = names.map(|(family, version)| Image::new(&format!("{family}-{version}")));
    world.registry.release(PREFIX, "0.4.11", &images);
    let values = AT_0_4_11.replace("other:", &format!("  {UBUNTU}-1-29-15: {{}}\nother:"));
    world.hub.commit("main", "More", &[(VALUES, values.as_bytes())]);
}

async fn references_follow_renames_in_the_same_commit_and_what_dangles_is_told(world: World) {
    with_a_minor_that_leaves(&world);
    let a = format!("# {UBUNTU}-1-30-11\nimage: '{UBUNTU}-1-30-11'\nold: {UBUNTU}-1-29-15\n");
    let c = format!("{OPENSUSE}-1-30-11: {{x: {UBUNTU}-1-30-110}}\r\n");
    let files: [(&str, &[u8]); 5] = [
        ("deploy/a.yaml", a.as_bytes()),
        ("deploy/b/c.yaml", c.as_bytes()),
        ("deploy/bad.yaml", b"a: [\n"),
        ("deploy/link.yaml", b"a.yaml"),
        ("docs/a.yaml", a.as_bytes()),
    ];
    world.hub.commit("main", "Deployments", &files);
    world.hub.make_link("deploy/link.yaml");
    world.target("    references: ['deploy/**/*.yaml', '*.yaml']\n");

    let (ran, writes) = world.run_and_writes().await;

    says(&ran, "created");
    assert_eq!((writes.len(), lists(&world)), (2, 1), "{writes:#?}");
    assert_eq!(world.commits_ahead(), 1);
    let on = |path: &str| world.hub.file(SOURCE, path).unwrap();
    assert_eq!(
        on("deploy/a.yaml"),
        a.replace("'ubuntu-noble-plain-rke2-1-30-11'", "'ubuntu-noble-plain-rke2-1-30-12'")
    );
    assert_eq!(on("deploy/b/c.yaml"), c.replace("kubeadm-1-30-11", "kubeadm-1-30-12"));
    assert_eq!((on("deploy/bad.yaml"), on("docs/a.yaml")), ("a: [\n".to_owned(), a.clone()));
    assert_eq!(world.values(SOURCE).unwrap(), values_at(12));
    let text = text(&world);
    reads!(about(&text, "deploy/"), @"
    - deploy/a.yaml:3:6: ubuntu-noble-plain-rke2-1-29-15 is named here and leaves the mapping: its series is not published any more
    - deploy/bad.yaml was not looked at: 1:4: not YAML: unclosed bracket '['
    - `deploy/a.yaml`: 1 reference renamed
    - `deploy/b/c.yaml`: 1 reference renamed
    dibump plan values.yaml --registry oci://HOST/sylva/diskimage-builder --plain-http --images auto --from 0.4.11 --to 0.4.12 --references 'deploy/**/*.yaml' --references '*.yaml'
    ");

    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "unchanged");
    assert!(writes.is_empty(), "{writes:#?}");

    let ran = world.desk.dibump(&["run", "--dry-run", "--format", "json"]).await;
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let references = &report["branches"][0]["plan"]["references"];
    let place = json!([{"from": format!("{UBUNTU}-1-30-11"), "to": format!("{UBUNTU}-1-30-12"), "line": 2, "column": 8}]);
    assert_eq!((&references[0]["path"], &references[0]["followed"]), (&json!("deploy/a.yaml"), &place));
    assert_eq!(references[0]["dangling"][0]["line"], 3);
    assert_eq!(references[2]["path"], "deploy/bad.yaml");
    assert!(references[2]["not_looked_at"].as_str().unwrap().contains("not YAML"), "{references:#}");
}

async fn a_list_of_files_that_was_cut_gives_unknown_and_no_write(world: World) {
    let names: Vec<String> = (0..150).map(|i| format!("many/{i:03}.yaml")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"a: 1\n"[..])).collect();
    world.hub.commit("main", "Many", &files);
    world.hub.cut_list_of_files();
    world.target("    references: ['none/*.yaml']\n");
    let (ran, writes) = world.run_and_writes().await;
    assert_eq!(ran.exit, Some(4), "{ran:#?}");
    says(&ran, "unknown");
    let told = about(&ran.stdout, "→ unknown");
    reads!(told.split(" at ").next().unwrap(), @"→ unknown: couldn't list the files");
    assert!(writes.is_empty(), "{writes:#?}");
}

async fn files_are_listed_only_where_a_key_moves_and_somebody_asked_for_it(world: World) {
    let (ran, _) = world.run_and_writes().await;
    says(&ran, "created");
    assert_eq!(lists(&world), 0, "nobody asked for it");

    world.target("    references: ['deploy/*.yaml']\n");
    world.hub.commit("main", "By hand", &[(VALUES, values_at(12).as_bytes())]);
    world.run_and_writes().await;
    assert_eq!(lists(&world), 0, "nothing moves");

    world.release(13).run_and_writes().await;
    assert_eq!(lists(&world), 1);
}

async fn references_that_match_nothing_are_silent(world: World) {
    world.hub.commit("main", "Deployment", &[("deploy/a.yaml", b"image: other\n")]);
    world.target("    references: ['deploy/*.yaml', 'none/*.yaml']\n");
    let (ran, _) = world.run_and_writes().await;
    says(&ran, "created");
    assert!(!ran.stdout.contains("deploy/a.yaml") && !text(&world).contains("**Look at:**"), "{ran:#?}");
}

/// What an update renames is renamed wherever the target's files name it: in the same file, in an overlay and what only
/// it lists, in a file that has keys of its own; and a file with a version of its own is left alone.
async fn names_of_keys_follow_in_every_file_of_the_target(world: World) {
    let kubeadm = |patch: u32| format!("ubuntu-noble-plain-kubeadm-1-30-{patch}");
    for patch in [11, 12] {
        let images = [format!("{UBUNTU}-1-30-{patch}"), format!("{OPENSUSE}-1-30-{patch}"), kubeadm(patch)];
        let images: Vec<Image> = images.iter().map(|name| Image::new(name)).collect();
        world.registry.release(PREFIX, &format!("0.4.{patch}"), &images);
    }
    let cluster = format!(
        "cluster: {{capm3: {{os_image_key: {UBUNTU}-1-30-11}}}}\nos_images: {{{OPENSUSE}-1-30-11: {{}}}}\n"
    );
    let own = format!(
        "diskimage_builder_os_images:\n  {0}: {{enabled: true}}\ncluster:\n  capo:\n    image_key: '{0}'\n",
        kubeadm(11)
    );
    let other = format!("sylva_diskimagebuilder_version: 0.4.11\n{own}");
    let files: [(&str, &[u8]); 4] = [
        (VALUES, &format!("{AT_0_4_11}{cluster}").into_bytes()),
        ("env.yaml", own.as_bytes()),
        ("deploy/own.yaml", own.as_bytes()),
        ("deploy/other.yaml", other.as_bytes()),
    ];
    world.hub.commit("main", "Deployments", &files);
    let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
    let files =
        format!("files: [{VALUES}, {{path: env.yaml, overlay: true}}]\n    references: ['deploy/*.yaml']");
    world.desk.write("dibump.yaml", config.replace(&format!("files: [{VALUES}]"), &files));

    let (ran, _) = world.run_and_writes().await;

    says(&ran, "created");
    let on = |path: &str| world.hub.file(SOURCE, path).unwrap();
    assert_eq!(on(VALUES), format!("{}{}", values_at(12), cluster.replace("-11", "-12")));
    assert_eq!(on("env.yaml"), own.replace("-11", "-12"));
    assert_eq!(on("deploy/own.yaml"), own.replace("-11", "-12"));
    assert_eq!(on("deploy/other.yaml"), other);
    let text = text(&world);
    reads!(about(&text, "deploy/other.yaml"), @"
    - deploy/other.yaml was left alone: it names a version of its own (1:33)
    - deploy/other.yaml:1:33: unknown-image-key: the file names a version of its own
    ");
    reads!(about(&text, "references renamed"), @"
    - `deploy/own.yaml`: 2 references renamed
    - `values.yaml`: 2 references renamed
    ");
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "unchanged");
    assert!(writes.is_empty(), "{writes:#?}");
}

const MAP: &str = "\
_internal:
  k8s_version_map:
    1.30: '{{ .x | eq \"cabpr\" | ternary \"v1.30.11+rke2r1\" \"v1.30.11\" }}'  # by hand
";

/// Images that say what they are, of one Kubernetes patch.
fn annotated(world: &World, patch: u32) {
    let image = |family: &str, facets: [&str; 4]| {
        let image = Image::new(&format!("{family}-1-30-{patch}"));
        let names = ["os", "flavor", "k8s-flavor", "k8s-version"];
        names.iter().zip(facets).fold(image, |image, (name, value)| {
            image.with(&format!("sylvaproject.org/diskimage/{name}"), value)
        })
    };
    let (rke2, kubeadm) = (format!("1.30.{patch}+rke2r1"), format!("1.30.{patch}"));
    let images = [
        image(UBUNTU, ["ubuntu", "plain", "rke2", &rke2]),
        image(OPENSUSE, ["opensuse", "plain", "kubeadm", &kubeadm]),
    ];
    world.registry.release(PREFIX, &format!("0.4.{patch}"), &images);
}

async fn kubernetes_versions_move_with_the_images(world: World) {
    annotated(&world, 11);
    annotated(&world, 12);
    world.hub.commit("main", "Map", &[(VALUES, format!("{AT_0_4_11}{MAP}").as_bytes())]);
    let rule = |flavor: &str| format!("{{path: _internal.k8s_version_map, k8s_flavor: {flavor}}}");
    world.target(&format!("    kubernetes_versions: [{}, {}]\n", rule("rke2"), rule("kubeadm")));

    let (ran, _) = world.run_and_writes().await;

    says(&ran, "created");
    let expected = format!("{}{}", values_at(12), MAP.replace("v1.30.11", "v1.30.12"));
    assert_eq!(world.values(SOURCE).unwrap(), expected);
    let text = text(&world);
    reads!(about(&text, "Kubernetes of"), @"
    - Kubernetes of rke2 1.30: `v1.30.11+rke2r1` → `v1.30.12+rke2r1`
    - Kubernetes of kubeadm 1.30: `v1.30.11` → `v1.30.12`
    ");
    assert!(text.contains("--kubernetes-versions 'rke2=_internal.k8s_version_map'"), "{text}");

    // By hand only the keys were moved: the map is put right by itself.
    let half = format!("{}{MAP}", values_at(12));
    world.hub.commit("main", "By hand", &[(VALUES, half.as_bytes())]);
    let (ran, _) = world.run_and_writes().await;
    says(&ran, "updated");
    assert_eq!(world.values(SOURCE).unwrap(), expected);
    assert!(world.merge_requests()[0].title.contains("Align"), "{:#?}", world.merge_requests());
}

async fn where_nothing_follows_it_is_said_that_versions_differ(world: World) {
    annotated(&world, 12);
    world.hub.commit("main", "Map", &[(VALUES, format!("{AT_0_4_11}{MAP}").as_bytes())]);
    world.target("    kubernetes_versions: off\n");
    world.run_and_writes().await;
    assert_eq!(world.values(SOURCE).unwrap(), format!("{}{MAP}", values_at(12)));
    let text = text(&world);
    reads!(about(&text, "k8s_version_map"), @"- values.yaml: _internal.k8s_version_map differs from the images (rke2 1.30: v1.30.11+rke2r1 → v1.30.12+rke2r1, kubeadm 1.30: v1.30.11 → v1.30.12); `kubernetes_versions: auto` sets it");
    assert!(text.contains("--kubernetes-versions off"), "{text}");
}

async fn a_map_follows_by_itself_and_a_cluster_s_own_version_is_told(world: World) {
    annotated(&world, 11);
    annotated(&world, 12);
    let cluster = "cluster: {k8s_version: v1.30.11+rke2r1}\n";
    let overlay = format!("images: 1\ndiskimage_builder_os_images: {{{UBUNTU}-1-30-11: {{}}}}\n{cluster}");
    let files: [(&str, &[u8]); 3] = [
        (VALUES, &format!("{AT_0_4_11}{MAP}").into_bytes()),
        ("env.yaml", overlay.as_bytes()),
        ("deploy/a.yaml", cluster.as_bytes()),
    ];
    world.hub.commit("main", "Map", &files);
    let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
    let files =
        format!("files: [{VALUES}, {{path: env.yaml, overlay: true}}]\n    references: ['deploy/*.yaml']");
    world.desk.write("dibump.yaml", config.replace(&format!("files: [{VALUES}]"), &files));

    let (ran, _) = world.run_and_writes().await;

    says(&ran, "created");
    let expected = format!("{}{}", values_at(12), MAP.replace("v1.30.11", "v1.30.12"));
    assert_eq!(world.values(SOURCE).unwrap(), expected);
    assert_eq!(world.hub.file(SOURCE, "deploy/a.yaml").unwrap(), cluster);
    let text = text(&world);
    reads!(about(text.split("<details>").next().unwrap(), ".yaml:"), @"
    - new error: env.yaml:3:24: Kubernetes `v1.30.11+rke2r1` fits no listed image
    - new error: deploy/a.yaml:1:24: Kubernetes `v1.30.11+rke2r1` fits no listed image
    - env.yaml:3:24: Kubernetes v1.30.11+rke2r1 fits no listed image any more (listed images have 1.30.12, 1.30.12+rke2r1); decide whether cluster.k8s_version moves, or name it in `kubernetes_versions:`
    - deploy/a.yaml:1:24: Kubernetes v1.30.11+rke2r1 fits no listed image any more (listed images have 1.30.12, 1.30.12+rke2r1); decide whether cluster.k8s_version moves, or name it in `kubernetes_versions:…`
    ");
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "unchanged");
    assert!(writes.is_empty(), "{writes:#?}");

    // A rule names it, in whichever file it stands.
    let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
    let rule = "    kubernetes_versions: [{path: cluster.k8s_version, k8s_flavor: rke2}]\n    references:";
    world.desk.write("dibump.yaml", config.replace("    references:", rule));
    world.run_and_writes().await;
    let moved = cluster.replace("1.30.11", "1.30.12");
    assert_eq!(world.hub.file(SOURCE, "deploy/a.yaml").unwrap(), moved);
    assert!(world.hub.file(SOURCE, "env.yaml").unwrap().ends_with(&moved));
    reads!(about(&self::text(&world), "cluster.k8s_version"), @"dibump plan values.yaml --registry oci://HOST/sylva/diskimage-builder --plain-http --images auto --from 0.4.11 --to 0.4.12 --references 'deploy/*.yaml' --kubernetes-versions 'rke2=cluster.k8s_version'");
}

/// A folder with the file at 0.4.11 and both releases in a file.
fn desk() -> Desk {
    let desk = Desk::new();
    let release = |patch: u32| {
        let names = crate::world::images(patch).map(|image| json!({"name": image.name}));
        json!({"version": format!("0.4.{patch}"), "artifacts": names})
    };
    let releases = json!({"schema": "dibump.releases/1", "releases": [release(12), release(11)]});
    desk.write("releases.json", releases.to_string()).write(VALUES, AT_0_4_11);
    desk
}

#[tokio::test]
async fn plan_follows_references_in_local_files_below_the_working_directory() {
    let desk = desk();
    std::fs::create_dir_all(desk.path("deploy/deep")).unwrap();
    let reference = format!("image: {UBUNTU}-1-30-11\n");
    desk.write("deploy/deep/a.yaml", &reference).write("deploy/b.txt", &reference);
    let arguments = ["plan", "./values.yaml", "--observed", "releases.json", "--references", "**/*.yaml"];

    let diff = desk.dibump(&[&arguments[..], &["--format", "diff"]].concat()).await;
    assert!(
        diff.stdout.contains("+++ b/deploy/deep/a.yaml") && diff.stdout.matches("+++ ").count() == 2,
        "{diff:#?}"
    );
    assert_eq!(desk.read("deploy/deep/a.yaml"), reference.as_bytes());

    let written = desk.dibump(&[&arguments[..], &["--write"]].concat()).await;
    assert_eq!(written.exit, Some(0), "{written:#?}");
    assert_eq!(desk.read("deploy/deep/a.yaml"), reference.replace("-11", "-12").as_bytes());
    assert_eq!(desk.read("deploy/b.txt"), reference.as_bytes());
    assert_eq!(desk.read(VALUES), values_at(12).as_bytes());

    let wrong = desk.dibump(&["plan", VALUES, "--observed", "releases.json", "--references", "{"]).await;
    assert_eq!(wrong.exit, Some(2), "{wrong:#?}");
    assert!(wrong.stderr.contains("`{` is not a glob"), "{wrong:#?}");
}

#[tokio::test]
async fn plan_sets_kubernetes_versions_by_a_flag() {
    let desk = desk();
    desk.write(VALUES, format!("{AT_0_4_11}{MAP}"));
    let flag = ["--kubernetes-versions", "kubeadm=_internal.k8s_version_map"];
    let ran =
        desk.dibump(&[&["plan", VALUES, "--observed", "releases.json", "--write"], &flag[..]].concat()).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let expected = format!("{}{}", values_at(12), MAP.replace("\"v1.30.11\"", "\"v1.30.12\""));
    assert_eq!(String::from_utf8(desk.read(VALUES)).unwrap(), expected, "names tell no revision of rke2");
    let wrong = desk.dibump(&["plan", VALUES, "--kubernetes-versions", "rke2"]).await;
    assert_eq!(wrong.exit, Some(2), "{wrong:#?}");
}

#[tokio::test]
async fn a_release_known_in_part_moves_no_kubernetes_version() {
    let desk = desk();
    let names = crate::world::images(12).map(|image| json!({"name": image.name}));
    for (state, moves) in [("complete", true), ("partial", false)] {
        let release = json!({"version": "0.4.12", "state": state, "reason": "cut", "artifacts": names});
        let releases = json!({"schema": "dibump.releases/1", "releases": [release]});
        let before = format!("{}{MAP}", values_at(12));
        desk.write("releases.json", releases.to_string()).write(VALUES, &before);
        let flag = ["--kubernetes-versions", "kubeadm=_internal.k8s_version_map"];
        let ran = desk
            .dibump(&[&["plan", VALUES, "--observed", "releases.json", "--write"], &flag[..]].concat())
            .await;
        let after = String::from_utf8(desk.read(VALUES)).unwrap();
        assert_eq!(after != before, moves, "{state}: {ran:#?}");
    }
}
