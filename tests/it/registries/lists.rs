//! Lists in pages, however the next page is named.

use super::*;
use crate::fake::oci::{LinkStyle, Paging, Quirk};

fn linked(registry: &FakeRegistry, style: LinkStyle) {
    registry.paging(Paging::Linked { size: 1, style });
}

/// Every list goes on, and nobody can say where.
const MAY_GO_ON: &str = "cannot be read, so the list may go on";

#[tokio::test]
async fn lists_in_pages() {
    let modes: &[Mode] = &[
        ("relative", |registry| linked(registry, LinkStyle::Relative), 0, UPDATE),
        ("absolute", |registry| linked(registry, LinkStyle::Absolute), 0, UPDATE),
        (
            "a path that is not the list's (Nexus, Artifactory)",
            |registry| linked(registry, LinkStyle::WrongPath),
            0,
            UPDATE,
        ),
        ("n=0 (GHCR)", |registry| linked(registry, LinkStyle::ZeroN), 0, UPDATE),
        ("another scheme", |registry| linked(registry, LinkStyle::OtherScheme), 0, UPDATE),
        ("another host and port", |registry| linked(registry, LinkStyle::Foreign), 0, UPDATE),
        ("a host behind the proxy", |registry| linked(registry, LinkStyle::InternalHost), 0, UPDATE),
        ("nothing but a query", |registry| linked(registry, LinkStyle::QueryOnly), 0, UPDATE),
        ("two headers", |registry| linked(registry, LinkStyle::SecondHeader), 0, UPDATE),
        ("more parameters", |registry| linked(registry, LinkStyle::Titled), 0, UPDATE),
        ("escaped for HTML", |registry| linked(registry, LinkStyle::Escaped), 4, MAY_GO_ON),
        ("no brackets", |registry| linked(registry, LinkStyle::NoBrackets), 4, MAY_GO_ON),
        ("single quotes", |registry| linked(registry, LinkStyle::SingleQuotes), 4, MAY_GO_ON),
        ("no relation", |registry| linked(registry, LinkStyle::NoRelation), 4, MAY_GO_ON),
        (
            "no large pages",
            |registry| {
                registry.quirk(Quirk::SmallPages);
            },
            0,
            UPDATE,
        ),
        ("many tags", many_tags, 0, UPDATE),
        ("tags that are no releases", other_tags, 0, UPDATE),
    ];
    each_is_answered(modes, "[catalog]", "plan").await;
    let unread: Vec<Mode> = modes.iter().filter(|mode| mode.2 == 4).copied().collect();
    each_is_answered(&unread, "auto", "plan").await;
    each_is_answered(&unread, "auto", "check").await;
}

fn tagged(registry: &FakeRegistry, tags: impl Iterator<Item = String>) {
    let name = format!("{PREFIX}/{}", images(12)[0].name);
    tags.for_each(|tag| registry.copy((&name, "0.4.12"), (&name, &tag)));
}

fn many_tags(registry: &FakeRegistry) {
    tagged(registry, (0..300).map(|number| format!("0.0.0-git-{number:08x}")));
    registry.paging(Paging::Linked { size: 50, style: LinkStyle::Relative });
}

fn other_tags(registry: &FakeRegistry) {
    let tags = ["latest", "sha256-abc.sig", "0.4.12.sig", "0.4.13-rc.1", "v0.5.0"];
    tagged(registry, tags.into_iter().map(str::to_owned));
}
