//! The fault matrix over two registries, of which two builders of one file are served: each fails at each request in each
//! way while the other one is well. A run may then know too little to change anything; what it offers is right and whole.

use std::any::Any;

use dibump::config::{Config, load};
use dibump::http::Transport;

use super::{FILES, IMPATIENCE, Kind, run, seen, transport};
use crate::fake::oci::{FakeRegistry, Fault, Image};
use crate::hub::{self, Hub, PATH};
use crate::world::{PATIENCE, PREFIX, VALUES, images};

const KIWI: &str = "sylva/kiwi-imagebuilder";
const GROUP: &str = "dibump/main/diskimage-builder";

/// What goes wrong with one request. That an image is not there (404) is an answer, and no fault.
const FAULTS: [&str; 9] = [
    "a page of a firewall",
    "500",
    "429",
    "401",
    "an answer to another request",
    "an empty answer",
    "a cut answer",
    "a page in place of an answer",
    "silence",
];

fn fault(name: &str) -> Fault {
    match name {
        "500" => Fault::status(500),
        "429" => Fault::status(429),
        "401" => Fault::status(401),
        "a page of a firewall" => Fault::status(403).body("<title>Just a moment...</title>"),
        "an answer to another request" => {
            Fault::status(200).body("{\"id\": 1, \"kind\": \"something else\"}")
        }
        "an empty answer" => Fault::status(200),
        "a page in place of an answer" => Fault::status(200).body("<html>Sign in</html>"),
        "a cut answer" => Fault::cut(),
        _ => Fault::silence(),
    }
}

/// What is offered before: nothing, or the set before the newest one.
#[derive(Debug, Clone, Copy)]
enum Story {
    Create,
    Move,
}

struct Scene {
    /// One of each builder.
    registries: [FakeRegistry; 2],
    hub: Box<dyn Hub>,
    config: Config,
    clean: Transport,
    before: Box<dyn Any + Send + Sync>,
    after: String,
    /// How many requests each registry gets in a run without faults.
    requests: [usize; 2],
}

/// The file with both builders at a patch.
fn values([dib, kiwi]: &[FakeRegistry; 2], patch: u32) -> String {
    let (dib, kiwi) = (dib.prefix(PREFIX), kiwi.prefix(KIWI));
    format!(
        "os_images_oci_registries:
  sylva: {{url: '{dib}', tag: '{{{{ .Values.sylva_diskimagebuilder_version }}}}'}}
  kiwi: {{url: '{kiwi}', tag: '{{{{ .Values.sylva_kiwi_imagebuilder_version }}}}'}}
sylva_diskimagebuilder_version: 0.4.{patch}
sylva_kiwi_imagebuilder_version: 0.1.{patch}
sylva_diskimagebuilder_images:
  ubuntu-noble-plain-rke2-1-30-{patch}: {{os_images_oci_registry: sylva}}
  opensuse-15-6-plain-kubeadm-1-30-{patch}: {{os_images_oci_registry: sylva}}
  leapmicro-6-0-plain-rke2-1-30-{patch}: {{os_images_oci_registry: kiwi}}
"
    )
}

fn release([dib, kiwi]: &[FakeRegistry; 2], patch: u32) {
    dib.release(PREFIX, &format!("0.4.{patch}"), &images(patch));
    let image = Image::new(&format!("leapmicro-6-0-plain-rke2-1-30-{patch}"));
    kiwi.release(KIWI, &format!("0.1.{patch}"), &[image]);
}

impl Scene {
    async fn new(kind: Kind, story: Story) -> Self {
        let registries = [FakeRegistry::start().await, FakeRegistry::start().await];
        let hub = match kind {
            Kind::GitLab => hub::gitlab(&FILES).await,
            Kind::GitHub => hub::github(&FILES).await,
        };
        hub.commit("main", "Two builders", &[(VALUES, values(&registries, 11).as_bytes())]);
        let config = load("dibump.yaml", &configuration(&registries, hub.as_ref())).unwrap();
        let clean = transport("clean", PATIENCE);
        release(&registries, 11);
        release(&registries, 12);
        if matches!(story, Story::Move) {
            run(hub.as_ref(), &config, &clean).await;
            release(&registries, 13);
        }
        let before = hub.keep();
        let served = || registries.each_ref().map(|registry| registry.count(""));
        let first = served();
        run(hub.as_ref(), &config, &clean).await;
        let last = served();
        let requests = [last[0] - first[0], last[1] - first[1]];
        assert!(requests.iter().all(|count| *count > 2), "{requests:?}");
        let after = seen(hub.as_ref());
        let scene = Self { registries, hub, config, clean, before, after, requests };
        assert_eq!(scene.offered(), Some(scene.newest(story)));
        scene
    }

    fn newest(&self, story: Story) -> String {
        values(&self.registries, if matches!(story, Story::Move) { 13 } else { 12 })
    }

    /// The file on the branch of the group.
    fn offered(&self) -> Option<String> {
        self.hub.file(GROUP, VALUES)
    }

    /// A run in which one request of one registry goes wrong; false where a busy machine spoils more than that.
    async fn fails(&self, registry: usize, number: usize, name: &str, transport: &Transport) -> bool {
        self.hub.come_back(self.before.as_ref());
        self.registries[registry].fault(fault(name).after(number).times(1));
        let unanswered = || -> u64 {
            let requests = transport.requests().into_iter().filter(|((_, status), _)| status.is_none());
            requests.map(|(_, count)| count).sum()
        };
        let before = unanswered();
        run(self.hub.as_ref(), &self.config, transport).await;
        name != "silence" || unanswered() - before == 1
    }

    /// What is offered after a fault: what was offered before, or what is right.
    fn is_whole(&self, story: Story, what: &str) {
        let mut right = vec![Some(self.newest(story))];
        right.push(matches!(story, Story::Move).then(|| values(&self.registries, 12)));
        assert!(right.contains(&self.offered()), "{what}: {:?}", self.offered());
        let requests = self.hub.opened();
        assert!(requests.iter().all(|request| request.source == GROUP), "{what}: {requests:#?}");
        assert!(requests.iter().all(|request| request.state == "open"), "{what}: {requests:#?}");
    }
}

fn configuration([dib, kiwi]: &[FakeRegistry; 2], hub: &dyn Hub) -> String {
    let producer =
        |prefix: String| format!("  - {{registry: '{prefix}', plain_http: true, discovery: [catalog]}}\n");
    let producers = producer(dib.prefix(PREFIX)) + &producer(kiwi.prefix(KIWI));
    let forge = hub.config();
    format!(
        "version: 1\nproducers:\n{producers}forge: {forge}\ntargets:\n  - {{project: {PATH}, files: [{VALUES}]}}\n"
    )
}

/// One story on one forge: how many cases were tried.
async fn matrix(kind: Kind, story: Story) -> usize {
    let (mut scene, mut impatience, mut cases) = (Scene::new(kind, story).await, IMPATIENCE, 0);
    let patient = transport("faulted", PATIENCE);
    for registry in [0, 1] {
        for number in 0..scene.requests[registry] {
            for name in FAULTS {
                let what = format!("{story:?}: {name} at request {number} of registry {registry}");
                let mut faulted = match name {
                    "silence" => transport("impatient", impatience),
                    _ => patient.clone(),
                };
                while !scene.fails(registry, number, name, &faulted).await {
                    // What the busy machine answers too late may still happen: not where the next try is.
                    scene = Scene::new(kind, story).await;
                    impatience *= 2;
                    faulted = transport("impatient", impatience);
                }
                assert!(scene.registries[registry].all_struck(), "{what}: it never met it");
                scene.is_whole(story, &what);
                run(scene.hub.as_ref(), &scene.config, &scene.clean).await;
                assert_eq!(seen(scene.hub.as_ref()), scene.after, "{what}");
                cases += 1;
            }
        }
    }
    cases
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_fails_never_leads_to_half_an_update() {
    let mut tasks = tokio::task::JoinSet::new();
    for story in [Story::Create, Story::Move] {
        for kind in [Kind::GitLab, Kind::GitHub] {
            tasks.spawn(matrix(kind, story));
        }
    }
    let cases: usize = tasks.join_all().await.into_iter().sum();
    println!("{cases} cases of the fault matrix over two registries");
    assert!(cases >= 200, "{cases}");
}
