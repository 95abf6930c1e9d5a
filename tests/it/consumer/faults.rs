//! The fault matrix of the consumer's side: each request of each command goes wrong in every way. The answer is right, or
//! the command ends with 4, or with 3 where that would stay so, and nothing is written.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Consumer, HARDENED, KUBEADM, RKE2};
use crate::fake::oci::{Access, Fault, Logged, Referrers, TokenRules};
use crate::said::about;
use crate::world::{PREFIX, Ran};

/// How long a command waits for an answer that never comes, at first.
const IMPATIENCE: Duration = Duration::from_millis(200);

const FAULTS: [&str; 9] = [
    "500",
    "429 with Retry-After",
    "429 without Retry-After",
    "401",
    "403",
    "a cut answer",
    "an answer to another request",
    "a page in the way",
    "silence",
];

fn fault(name: &str) -> Fault {
    match name {
        "500" => Fault::status(500),
        "429 with Retry-After" => Fault::status(429).header("retry-after", "1"),
        "429 without Retry-After" => Fault::status(429),
        "401" => Fault::status(401),
        "403" => Fault::status(403),
        "a cut answer" => Fault::cut(),
        "an answer to another request" => Fault::status(200)
            .header("content-type", "application/json")
            .body(r#"{"id": 1, "kind": "something else"}"#),
        "a page in the way" => {
            Fault::status(200).header("content-type", "text/html").body("<html>sign in</html>")
        }
        _ => Fault::silence(),
    }
}

/// The commands, each with all that it asks of a registry.
const COMMANDS: [&[&str]; 4] = [
    &["os-images"],
    &["os-images-info"],
    &["os-images-info", "--output", "info.yaml"],
    &["machine-image", "--selector", "hardened=true"],
];

/// Where the signatures stand.
#[derive(Debug, Clone, Copy)]
enum Signed {
    Classic,
    /// As bundles, in a registry with the API for referrers.
    Bundles,
}

/// A world in which everything is signed, and tokens are asked for.
async fn stage(signed: Signed) -> Consumer {
    let consumer = Consumer::new().await;
    match signed {
        Signed::Classic => drop(consumer.signed(&[RKE2, HARDENED, KUBEADM], "")),
        Signed::Bundles => {
            consumer.registry.referrers(Referrers::Api);
            for name in [RKE2, HARDENED, KUBEADM] {
                let path = format!("{PREFIX}/{name}");
                consumer.signer.bundle(&consumer.registry, &path, &consumer.registry.digest(&path, "0.4.12"));
            }
            consumer.signed(&[], "");
        }
    }
    consumer.registry.access(Access::Token(TokenRules::default()));
    consumer.desk.write("info.yaml", "os_images: {}\n");
    consumer
}

async fn ran(consumer: &Consumer, command: &[&str]) -> Ran {
    consumer.run(command[0], &command[1..]).await
}

/// What a command says in a world without faults, and what it asked for.
async fn right(command: &[&str], signed: Signed) -> (Ran, Vec<Logged>) {
    let consumer = stage(signed).await;
    let ran = ran(&consumer, command).await;
    assert_eq!((ran.exit, ran.stderr.as_str()), (Some(0), ""), "{command:?}: {ran:#?}");
    (ran, consumer.registry.requests())
}

/// What no later run mends by itself.
const FOR_A_PERSON: [&str; 4] = ["401", "403", "a page in the way", "an answer to another request"];

#[tokio::test(flavor = "multi_thread")]
async fn every_request_of_every_command_goes_wrong_in_every_way() {
    let mut cells = 0;
    let mut advice = BTreeSet::new();
    let bundles: &[&str] = &["os-images-info", "--output", "info.yaml"];
    let classic = COMMANDS.into_iter().map(|command| (command, Signed::Classic));
    for (command, signed) in classic.chain([(bundles, Signed::Bundles)]) {
        let (right, requests) = right(command, signed).await;
        for request in 0..requests.len() {
            let faults = FAULTS.iter().map(|name| cell(command, signed, request, name));
            for (name, host, ran, info) in futures::future::join_all(faults).await {
                let what = format!("{command:?}, {signed:?}, request {request}, {name}: {ran:#?}");
                let is_right = ran.stdout.replace(&host, "") == without_host(&right.stdout);
                let untouched = info == b"os_images: {}\n";
                match ran.exit {
                    Some(0) => assert!(is_right && untouched != command.contains(&"--output"), "{what}"),
                    Some(4) => assert!(ran.stdout.is_empty() && untouched, "{what}"),
                    // A registry that refuses us is a matter for a person, and so is a page or an answer to another
                    // request where a registry's was expected.
                    Some(3) if FOR_A_PERSON.contains(&name) => {
                        assert!(ran.stdout.is_empty() && untouched, "{what}");
                        let status = name.starts_with('4');
                        assert!(!status || ran.stderr.contains(name), "{what}");
                        advice.insert(format!("# {name}\n{}", about(&ran.stderr, "hint: ")));
                    }
                    _ => panic!("{what}"),
                }
                cells += 1;
            }
        }
    }
    assert!(cells > 300, "{cells} cells");
    reads!(Vec::from_iter(advice).concat(), @"
    # 401
    # 401
    hint: credentials come from DIBUMP_REGISTRY_USERNAME and DIBUMP_REGISTRY_PASSWORD (for --registry, the only producer, or the one whose `credentials:` names them), CI_REGISTRY_* or docker's config.json
    # 401
    hint: it does not exist or is not public; credentials come from DIBUMP_REGISTRY_USERNAME and DIBUMP_REGISTRY_PASSWORD (for --registry, the only producer, or the one whose `credentials:` names them), CI_REGISTRY_* or docker's config.json
    # 403
    # 403
    hint: credentials come from DIBUMP_REGISTRY_USERNAME and DIBUMP_REGISTRY_PASSWORD (for --registry, the only producer, or the one whose `credentials:` names them), CI_REGISTRY_* or docker's config.json
    # 403
    hint: it does not exist or is not public; credentials come from DIBUMP_REGISTRY_USERNAME and DIBUMP_REGISTRY_PASSWORD (for --registry, the only producer, or the one whose `credentials:` names them), CI_REGISTRY_* or docker's config.json
    # a page in the way
    # a page in the way
    hint: is the address right? or does a sign-in page or a proxy answer in its place?
    # an answer to another request
    # an answer to another request
    hint: ask the operator of the registry; its `WWW-Authenticate` names a server that must give tokens
    ");
}

async fn cell(
    command: &[&str],
    signed: Signed,
    request: usize,
    name: &'static str,
) -> (&'static str, String, Ran, Vec<u8>) {
    let mut impatience = IMPATIENCE;
    loop {
        let consumer = stage(signed).await;
        consumer.registry.fault(fault(name).after(request).times(1));
        if name == "silence" {
            consumer.gives_up_after(impatience);
        }
        let ran = ran(&consumer, command).await;
        if consumer.registry.all_struck() {
            return (name, consumer.registry.host().to_owned(), ran, consumer.desk.read("info.yaml"));
        }
        // The machine is so busy that an answer before it came too late.
        assert_eq!(name, "silence", "{command:?}: request {request} was never sent: {ran:#?}");
        impatience *= 2;
    }
}

/// Each registry of a test has a port of its own, and each signer a key.
fn without_host(text: &str) -> String {
    let Some((before, rest)) = text.split_once("oci://127.0.0.1:") else { return text.to_owned() };
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    format!("{before}oci://{}", without_host(&rest[port.len()..]))
}
