//! What does not exist, and what is asked too often.

use super::*;
use crate::fake::oci::{Fault, Quirk};
use crate::said::told;

fn missing(registry: &FakeRegistry, quirk: Quirk) {
    registry.without_catalog().quirk(quirk);
}

#[tokio::test]
async fn what_is_not_there() {
    let modes: &[Mode] = &[
        (
            "404",
            |registry| {
                registry.without_catalog();
            },
            0,
            "nothing found",
        ),
        (
            "401",
            |registry| {
                registry.without_catalog().denies_what_is_missing(401);
            },
            0,
            "nothing found",
        ),
        (
            "403",
            |registry| {
                registry.without_catalog().denies_what_is_missing(403);
            },
            0,
            "nothing found",
        ),
        ("400", |registry| missing(registry, Quirk::MissingIs(400)), 0, "nothing found"),
        ("500", |registry| missing(registry, Quirk::MissingIs(500)), 4, "answered 500 Internal Server Error"),
        ("a page", |registry| missing(registry, Quirk::MissingIsAPage), 3, "a web page (404 Not Found)"),
        ("nothing at all", |registry| missing(registry, Quirk::MissingIsBare), 0, "nothing found"),
        ("an empty list", |registry| missing(registry, Quirk::MissingIsEmpty), 0, "nothing found"),
        (
            "401, with tokens",
            |registry| bearer(registry.without_catalog().denies_what_is_missing(401), TokenRules::default()),
            0,
            "nothing found",
        ),
        (
            "403, with tokens",
            |registry| bearer(registry.without_catalog().denies_what_is_missing(403), TokenRules::default()),
            0,
            "nothing found",
        ),
    ];
    each_is_answered(modes, "auto", "check").await;
    // With a catalogue there is nothing to guess.
    let with_catalogue: &[Mode] = &[
        (
            "401",
            |registry| {
                registry.denies_what_is_missing(401);
            },
            0,
            UPDATE,
        ),
        (
            "403",
            |registry| {
                registry.denies_what_is_missing(403);
            },
            0,
            UPDATE,
        ),
        (
            "400",
            |registry| {
                registry.quirk(Quirk::MissingIs(400));
            },
            0,
            UPDATE,
        ),
        (
            "500",
            |registry| {
                registry.quirk(Quirk::MissingIs(500));
            },
            0,
            UPDATE,
        ),
        (
            "a page",
            |registry| {
                registry.quirk(Quirk::MissingIsAPage);
            },
            0,
            UPDATE,
        ),
        (
            "an empty list",
            |registry| {
                registry.quirk(Quirk::MissingIsEmpty);
            },
            0,
            UPDATE,
        ),
    ];
    each_is_answered(with_catalogue, "auto", "plan").await;
}

fn limited(registry: &FakeRegistry, wait: &str) {
    registry.fault(Fault::status(429).header("retry-after", wait).on("/tags/list").after(1).times(1));
}

#[tokio::test]
async fn limits() {
    each_is_answered(
        &[
            ("a date", |registry| limited(registry, "Tue, 05 May 2026 03:02:01 GMT"), 0, UPDATE),
            ("a fraction", |registry| limited(registry, "1.5"), 0, UPDATE),
            ("nothing", |registry| limited(registry, ""), 0, UPDATE),
            ("a negative number", |registry| limited(registry, "-1"), 0, UPDATE),
            ("zero", |registry| limited(registry, "0"), 0, UPDATE),
            ("a word", |registry| limited(registry, "soon"), 0, UPDATE),
            ("more than a number holds", |registry| limited(registry, "99999999999999999999"), 0, UPDATE),
            (
                "a day",
                |registry| limited(registry, "86400"),
                4,
                "429 Too Many Requests and asks to wait 86400 s",
            ),
        ],
        "auto",
        "plan",
    )
    .await;
}

#[tokio::test]
async fn a_registry_that_sends_nothing_is_given_up_and_the_message_says_after_what() {
    let registry = registry().await;
    registry.fault(Fault::silence());
    let desk = desk(&registry, "auto");
    let config = String::from_utf8(desk.read("dibump.yaml")).unwrap();
    desk.write("dibump.yaml", config.replace("give_up_after: 1h", "give_up_after: 300ms"));
    let mut said = String::new();
    for (command, exit) in [("plan", 4), ("check", 4)] {
        let ran = desk.dibump(&[command, VALUES, "--max-time", "40s"]).await;
        assert_eq!(ran.exit, Some(exit), "{command}: {ran:#?}");
        said += &told(&ran, "waited");
    }
    reads!(said, @"
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (catalog): couldn't reach http://HOST/v2/_catalog?n=1000: waited 300ms for http://HOST/v2/, repetitions included, without receiving a byte
    hint: nothing was changed; a later run may succeed
    could not tell: 0.4.11: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (catalog): couldn't reach http://HOST/v2/_catalog?n=1000: waited 300ms for http://HOST/v2/, repetitions included, without receiving a byte
    ");
}
