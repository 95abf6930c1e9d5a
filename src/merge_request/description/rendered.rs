//! Hostile text as a reader's browser gets it: whole descriptions through the renderer behind GitLab's Markdown, which
//! does what GitHub's does.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use comrak::Options;
use regex::Regex;

use super::Description;
use crate::markdown::tests::{ACTING, HOSTILE};
use crate::merge_request::marker::tests::marker;
use crate::merge_request::notice;
use crate::merge_request::text::{
    FileSummary, FindingsSummary, Following, Image, ImageRow, KeyChange, OsReleases, ReferenceSummary,
    Summary, VersionChange, describe,
};
use crate::release::{Digest, Facets, Size};

/// What our own text is made of.
const ELEMENTS: [&str; 20] = [
    "p",
    "strong",
    "code",
    "pre",
    "blockquote",
    "ul",
    "ol",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "h3",
    "br",
    "input",
    "em",
    "h2",
    "hr",
];

/// Attributes that the renderer itself writes.
const ATTRIBUTES: [&str; 4] = ["", " class=\"language-shell\"", " type=\"checkbox\" disabled=\"\" /", " /"];

static TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<(/?)([a-zA-Z0-9]+)([^>]*)>").unwrap());
static COMMENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)<!--.*?-->").unwrap());
static CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)<code[^>]*>.*?</code>").unwrap());

/// All that GitLab and GitHub understand beyond CommonMark.
fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.description_lists = true;
    options.extension.multiline_block_quotes = true;
    options.extension.alerts = true;
    options.extension.math_dollars = true;
    options.extension.math_code = true;
    options.extension.wikilinks_title_after_pipe = true;
    // Both forges filter HTML afterwards; nothing of ours may need that.
    options.render.r#unsafe = true;
    options
}

/// Everything that comes from outside is `text`.
fn summary(text: &str) -> Summary {
    let digest = Digest::of(text.as_bytes());
    let image = |key: &str| Some(Image { key: key.to_owned(), facets: Facets::from_name(key) });
    let change = KeyChange {
        from: image("ubuntu-noble-plain-rke2-1-31-7"),
        to: image(text),
        why: Some(text.to_owned()),
        enabled: true,
    };
    Summary {
        producer: text.to_owned(),
        prefix: format!("oci://registry.example/{text}"),
        from: "0.4.11".parse().ok(),
        to: "0.4.12".parse().unwrap(),
        files: vec![FileSummary {
            path: text.to_owned(),
            policy: Some((text.to_owned(), text.to_owned())),
            changes: vec![change.clone(), KeyChange { to: None, ..change.clone() }],
            kept: vec![change.clone()],
            suggested: vec![text.to_owned()],
        }],
        findings: FindingsSummary {
            errors: vec![text.to_owned()],
            warnings: vec![text.to_owned()],
            resolved: vec![text.to_owned()],
            not_checked: vec![text.to_owned()],
        },
        os_releases: OsReleases { changes: vec![text.to_owned()], is_unexpected: true },
        following: Following {
            kubernetes_versions: vec![VersionChange {
                of: text.to_owned(),
                from: text.to_owned(),
                to: text.to_owned(),
            }],
            references: vec![ReferenceSummary { path: text.to_owned(), renamed: 1 }],
        },
        missing: vec![text.to_owned()],
        complete: Some(text.to_owned()),
        signatures: Some(text.to_owned()),
        warnings: vec![text.to_owned()],
        unchecked: vec![text.to_owned()],
        rolls: vec![change],
        others: vec![("0.5.0".parse().unwrap(), text.to_owned())],
        images: vec![ImageRow {
            key: text.to_owned(),
            digest: Some(digest),
            size: Some(Size(1)),
            signature: Some(text.to_owned()),
        }],
        release_notes: vec![("0.4.12".parse().unwrap(), text.to_owned())],
        reproduce: format!("dibump plan {text}"),
    }
}

fn descriptions(text: &str) -> Vec<String> {
    let version = "0.4.13".parse().unwrap();
    let plain = Description::new(&describe(&summary(text)), marker());
    let notices = [
        notice::edited(text, &version, &[text.to_owned()]),
        notice::moved(&version, &[text.to_owned()]),
        notice::closed(text),
    ];
    let noticed = notices.iter().map(|notice| plain.clone().with_notice(notice));
    std::iter::once(plain.clone()).chain(noticed).map(|description| description.write(1_000_000)).collect()
}

/// Text as people read it, without code: forges look for references there.
fn visible(html: &str) -> String {
    let text = CODE.replace_all(html, "");
    let text = TAG.replace_all(&text, "");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[test]
fn no_hostile_text_becomes_markup_or_a_reference_in_a_whole_description() {
    for text in HOSTILE {
        for description in descriptions(text) {
            let html = comrak::markdown_to_html(&description, &options());
            let ours: BTreeSet<&str> = COMMENT.find_iter(&html).map(|comment| comment.as_str()).collect();
            assert!(ours.iter().all(|comment| comment.starts_with("<!-- dibump")), "{text:?}: {ours:?}");
            let html = COMMENT.replace_all(&html, "");
            for tag in TAG.captures_iter(&html) {
                let (name, attributes) = (&tag[2], &tag[3]);
                let known = ELEMENTS.contains(&name) && ATTRIBUTES.contains(&attributes);
                assert!(known, "{text:?} became <{name}{attributes}>:\n{html}");
            }
            let left = TAG.replace_all(&html, "");
            assert!(!left.contains(['<', '>']), "{text:?} became half a tag:\n{html}");
            ACTING.refuse(visible(&html).trim(), text);
        }
    }
}

#[test]
fn the_boxes_of_a_description_are_the_only_ones() {
    for text in HOSTILE.iter().chain(&["- [x] done", "- [x] <!-- dibump:rebuild -->"]) {
        for description in descriptions(text) {
            let html = comrak::markdown_to_html(&description, &options());
            assert_eq!(html.matches("checkbox").count(), 2, "{text:?}:\n{html}");
            let boxes = Description::read(&description).unwrap().boxes();
            assert!(!boxes.rebuild && !boxes.again, "{text:?} ticked a box");
        }
    }
}
