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
use crate::merge_request::text::{Background, Merging, Pages, ReleaseSource, describe};
use crate::plan::view::tests::hostile;

/// What our own text is made of.
const ELEMENTS: [&str; 22] = [
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
    "details",
    "summary",
];

/// Attributes that the renderer itself writes.
const ATTRIBUTES: [&str; 4] = ["", " class=\"language-shell\"", " type=\"checkbox\" disabled=\"\" /", " /"];

static TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<(/?)([a-zA-Z0-9]+)([^>]*)>").unwrap());
/// A page of the producer, whose address an adapter made.
static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("^ href=\"https://gitlab\\.example/[^\"<>]*\"$").unwrap());
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

fn background(text: &str) -> Background {
    Background {
        sources: vec![ReleaseSource {
            pages: Pages {
                release: Some(format!("https://gitlab.example/{text}")),
                comparison: Some(text.to_owned()),
            },
            release_notes: vec![("0.4.12".parse().unwrap(), text.to_owned())],
        }],
        reproduce: format!("dibump plan {text}"),
        merging: Merging::ByHand,
    }
}

fn descriptions(text: &str) -> Vec<String> {
    let version = "0.4.13".parse().unwrap();
    let plain = Description::new(&describe(&hostile(text), &background(text)), marker());
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
                let is_link = name == "a" && (attributes.is_empty() || LINK.is_match(attributes));
                let known = is_link || ELEMENTS.contains(&name) && ATTRIBUTES.contains(&attributes);
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
