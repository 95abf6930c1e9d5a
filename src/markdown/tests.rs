use std::sync::LazyLock;

use regex::Regex;

use super::*;

/// What somebody could write into release notes to make the bot do something on the project.
pub(crate) const HOSTILE: &[&str] = &[
    "@all",
    "ping @group/sub and @user.name, please",
    "mail me@host.example",
    "/close",
    "  /merge",
    "text\n/approve\n/label ~urgent",
    "text\r/assign @me",
    "text\u{2028}/spend 1d",
    "\u{200b}/close",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<details><summary>x",
    "<!-- dibump:end -->",
    "<!-- dibump {\"v\":1} -->",
    "-->",
    "&lt;b&gt;",
    "![image](https://tracker.example/pixel.png)",
    "!\u{200b}[image](//tracker.example/pixel.png)",
    "[click](javascript:alert(1))",
    "[a]: https://host.example",
    "[[wiki]]",
    "Closes #12",
    "closes: #12",
    "Closed group/project#12",
    "Closing #1, #2 and #3",
    "Fix #12",
    "fixes owner/repo#12",
    "Fixed: #12",
    "Fixing #12",
    "Resolve #12",
    "resolves https://gitlab.example/group/project/-/issues/12",
    "Resolved GH-12",
    "Resolving gh-12",
    "Implement #12",
    "Implements #12",
    "implemented ABC-123",
    "Implementing #12",
    "see #12, !34, &56, $78, ~90, ~\"a label\", %\"a milestone\", %12",
    "*iteration:12 and *iteration:\"x\"",
    "^alert#12 [vulnerability:12] [contact:a@b.example]",
    "group/project!12 group/project@1a2b3c4d5e6f",
    "1a2b3c4",
    "since 1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
    "https://gitlab.example/group/project/-/merge_requests/1",
    "www.example.org",
    "ftp://host.example",
    "group/project> and other",
    "_> and \u{301}>",
    "`code` ``` ```\n/close\n```",
    "`@all`",
    "[skip ci] and [ci skip]",
    "| a | b |\n|---|---|",
    "# heading\n> quote\n---\n===\n1. one\n12.\n+ two",
    "* * *",
    "**bold** _it_ ~~no~~ $`x`$ {+ add +}",
    "\u{202e}gnp.exe @all",
    "\0\u{7}@all",
    "trailing\\",
    "",
];

/// What a forge would act on in raw or rendered text.
const ACTS: &[(&str, &str)] = &[
    ("mention", r"@[\w.]"),
    ("reference", r##"[#!&$~%^][\w"]"##),
    ("special reference", r"\*iteration:|\[(vulnerability|contact|skip|ci)\b"),
    ("commit id", r"[0-9a-fA-F]{7}"),
    ("tracker key", r"\b([A-Z][A-Z0-9_]*|[gG][hHlL])-\d"),
    ("url", r"\w://|(?i:www)\."),
    (
        "closing",
        r"(?i)\b(clos(e[sd]?|ing)|fix(e[sd]|ing)?|resolv(e[sd]?|ing)|implement(s|ed|ing)?):? +(\S*#\d|https?://|(?-i:\b[A-Z][A-Z0-9_]*-\d))",
    ),
    ("quick action", r"(?m)^[ \t]*/"),
    ("project", r"\w>"),
    ("control", r"[\x00-\x09\x0b-\x1f\u{7f}-\u{9f}\u{202a}-\u{202e}]"),
];

/// What Markdown would act on, in text of which the backslash escapes were taken out.
const MARKDOWN: &[(&str, &str)] = &[
    ("html", r"[<>]"),
    ("entity", r"&(#|lt\b|gt\b)"),
    ("link or image", r"[\[\]]"),
    ("emphasis, code, table", r"[*_`~|]"),
    ("block", r"(?m)^ {0,3}(#|-|\+|=|\d+\.( |$))"),
];

pub(crate) static ACTING: LazyLock<Patterns> = LazyLock::new(|| Patterns::new(ACTS));
static MARKUP: LazyLock<Patterns> = LazyLock::new(|| Patterns::new(MARKDOWN));
static ESCAPES: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\\([!-/:-@\[-`{-~])").unwrap());

pub(crate) struct Patterns(Vec<(&'static str, Regex)>);

impl Patterns {
    fn new(patterns: &[(&'static str, &str)]) -> Self {
        Self(patterns.iter().map(|(name, pattern)| (*name, Regex::new(pattern).unwrap())).collect())
    }

    pub(crate) fn refuse(&self, text: &str, input: &str) {
        for (name, pattern) in &self.0 {
            let found = pattern.find(text);
            assert!(found.is_none(), "{name} in {text:?} from {input:?}: {found:?}");
        }
    }
}

/// Markdown without its escapes, and with our own entities as words.
fn unescaped(markdown: &str) -> String {
    let text = ESCAPES.replace_all(markdown, "x");
    text.replace("&lt;", "x").replace("&gt;", "x").replace("&amp;", "x")
}

/// What the reader's browser would show.
fn rendered(markdown: &str) -> String {
    let text = ESCAPES.replace_all(markdown, "$1");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[test]
fn a_title_holds_nothing_that_a_forge_acts_on() {
    for input in HOSTILE {
        let text = title(input);
        ACTING.refuse(&text, input);
        assert!(!text.contains('\n'), "{input:?}");
    }
}

#[test]
fn a_paragraph_holds_nothing_that_a_forge_or_markdown_acts_on() {
    for input in HOSTILE {
        let text = inline(input);
        ACTING.refuse(&text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"), input);
        ACTING.refuse(&rendered(&text), input);
        MARKUP.refuse(&unescaped(&text), input);
        assert!(!text.contains('\n'), "{input:?}");
    }
}

#[test]
fn every_line_of_a_block_is_a_quotation_of_inert_text() {
    for input in HOSTILE {
        for line in block(input).split('\n') {
            let line = line.strip_prefix('>').unwrap_or_else(|| panic!("{line:?} from {input:?}"));
            let text = line.trim_start_matches(" - ").trim().trim_start_matches("**").trim_end_matches('\\');
            ACTING.refuse(&rendered(text), input);
            MARKUP.refuse(&unescaped(text.trim_end_matches("**")), input);
        }
    }
}

#[test]
fn a_code_span_ends_where_it_should_and_closes_nothing() {
    let acts = Patterns::new(&ACTS[6..8]);
    for input in HOSTILE {
        let text = code(input);
        let fence: String = text.chars().take_while(|c| *c == '`').collect();
        let inside = text.strip_prefix(&fence).and_then(|t| t.strip_suffix(&fence)).unwrap();
        assert!(longest_run(inside, '`') < fence.len(), "{text:?}");
        assert!(
            !inside.starts_with('`') && !inside.ends_with('`') && !inside.contains(['\n', '|']),
            "{text:?}"
        );
        acts.refuse(&text, input);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_combination_of_characters_gets_through(
        input in r#"([-@#!&$~%^*_+=|{}()<>/`a-f0-9A-Zg.:\\" \n\[\]]|www|://|12|closes |gh-|/close|1a2b3c4){0,12}"#
    ) {
        ACTING.refuse(&title(&input), &input);
        let paragraph = inline(&input);
        ACTING.refuse(&rendered(&paragraph), &input);
        MARKUP.refuse(&unescaped(&paragraph), &input);
        for line in block(&input).split('\n') {
            assert!(line.starts_with('>'), "{line:?} from {input:?}");
            ACTING.refuse(&rendered(line.trim_start_matches("> - ").trim_end_matches('\\')).replace("> ", ""), &input);
        }
    }
}

#[test]
fn what_is_harmless_stays_as_it_is() {
    assert_eq!(title("Update diskimage-builder to 0.4.12"), "Update diskimage-builder to 0.4.12");
    assert_eq!(inline("0.4.12 fixes the kernel, see below"), "0.4.12 fixes the kernel, see below");
    assert_eq!(code("ubuntu-noble-plain-rke2-1-31-8"), "`ubuntu-noble-plain-rke2-1-31-8`");
    let digest = format!("sha256:{}", "0a".repeat(32));
    assert_eq!(code(&digest), format!("`{digest}`"));
    assert_eq!(
        command("dibump plan values.yaml --to 0.4.12"),
        "```shell\ndibump plan values.yaml --to 0.4.12\n```"
    );
    assert_eq!(block("## Changes\n\n- one\n- two\nend"), "> **Changes**\\\n>\n> - one\n> - two\n> end\\");
}

#[test]
fn what_is_broken_is_still_read_by_people() {
    let seen: String = rendered(&inline("Closes #12 by @all <b>")).replace(BREAK, "");
    assert_eq!(seen, "Closes #12 by @all <b>");
}
