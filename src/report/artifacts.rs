//! The artifacts of one release, as a table for terminals and for Markdown.

use std::collections::BTreeMap;

use anstyle::Style;

use super::table::{Column, Table};
use super::{DIM, GREEN, RED, YELLOW, paint, printable};
use crate::markdown;
use crate::release::diff::total_size;
use crate::release::{Artifact, Coverage, Digest, ImageKey, Naming, Release, Size};
use crate::signature::Verdict;

/// The verdict on the signature of each artifact, where there are keys to check with.
pub type SignedColumn = BTreeMap<ImageKey, Verdict>;

/// How much of a digest tells it from others: `sha256:` and twelve digits.
const SHORT_DIGEST: usize = 19;

/// The table for a terminal of this width.
pub fn text(
    release: &Release,
    signed: Option<&SignedColumn>,
    naming: &Naming,
    width: Option<usize>,
) -> String {
    let short = |digest: &Digest| digest.as_str().chars().take(SHORT_DIGEST).collect();
    let table = table(release, signed, short);
    let text = if table.is_empty() { String::new() } else { table.fitted(width) };
    let [count, size] = [count(release), total(release)];
    let version = &release.version;
    text + &match &release.coverage {
        Coverage::Complete if release.artifacts.is_empty() => {
            paint(YELLOW, format!("no artifact carries {version}"))
        }
        Coverage::Complete => format!("{version}: {count}{size}, {}", paint(GREEN, "complete")),
        Coverage::Partial { reason } => {
            let others = paint(YELLOW, "others may exist");
            format!("{version}: {count} proven{size}, {others}: {}", printable(reason))
        }
        Coverage::Unknown { reason } => {
            format!("{version}: {}: {}", paint(RED, "unknown"), printable(reason))
        }
    } + "\n"
        + &others(release).map(|others| paint(DIM, others) + "\n").unwrap_or_default()
        + &wrong(release, naming)
            .map(|(key, what)| format!("  {} {key} is {}\n", paint(RED, '!'), printable(&what)))
            .collect::<String>()
}

/// Images that are another image or release by their annotations, with what they are.
fn wrong<'a>(release: &'a Release, naming: &Naming) -> impl Iterator<Item = (&'a ImageKey, String)> {
    release.artifacts.values().filter_map(|artifact| {
        let identity = artifact.identity(&release.version, naming);
        Some((&artifact.key, identity.contradiction()?.to_string()))
    })
}

/// What carries the version and is not a disk image.
fn others(release: &Release) -> Option<String> {
    let names: Vec<&str> = release.others.keys().map(ImageKey::as_str).collect();
    let what = "no disk images, by their names and annotations";
    (!names.is_empty()).then(|| format!("{} ({what}): {}", release.version, names.join(", ")))
}

/// The same in Markdown, with whole digests.
pub fn markdown(release: &Release, signed: Option<&SignedColumn>, naming: &Naming) -> String {
    let table = table(release, signed, |digest| digest.to_string());
    let text = if table.is_empty() { String::new() } else { table.markdown() + "\n" };
    let [count, size] = [count(release), total(release)];
    let version = &release.version;
    text + &match &release.coverage {
        Coverage::Complete if release.artifacts.is_empty() => format!("No artifact carries {version}."),
        Coverage::Complete => format!("{version}: {count}{size}, complete."),
        Coverage::Partial { reason } => {
            format!("{version}: {count} proven{size}, **others may exist**: {}", markdown::inline(reason))
        }
        Coverage::Unknown { reason } => format!("{version}: **unknown**: {}", markdown::inline(reason)),
    } + "\n"
        + &others(release).map(|others| format!("\n{}\n", markdown::inline(&others))).unwrap_or_default()
        + &wrong(release, naming)
            .map(|(key, what)| format!("\n{key} is {}\n", markdown::inline(&what)))
            .collect::<String>()
}

fn count(release: &Release) -> String {
    match release.artifacts.len() {
        1 => "1 artifact".to_owned(),
        count => format!("{count} artifacts"),
    }
}

fn total(release: &Release) -> String {
    total_size(release.artifacts.values()).map(|bytes| format!(", {}", Size(bytes))).unwrap_or_default()
}

fn table(release: &Release, signed: Option<&SignedColumn>, digest: impl Fn(&Digest) -> String) -> Table {
    let columns = [
        Column::whole("Artifact").verbatim(),
        Column::optional("OS"),
        Column::optional("Kubernetes"),
        Column::optional("Size"),
        Column::optional("Created"),
    ];
    let signature = signed.map(|_| Column::cut("Signature"));
    let digests = Column::optional("Digest").verbatim();
    let mut table = Table::of(columns.into_iter().chain(signature).chain([digests]));
    for artifact in release.artifacts.values() {
        let cells = row(artifact).map(|text| (text, Style::new()));
        let signature = signed.map(|signed| signature_of(artifact, signed));
        let digest = artifact.digest.as_ref().map(&digest).unwrap_or_default();
        table.row(cells.into_iter().chain(signature).chain([(digest, Style::new())]));
    }
    table
}

fn signature_of(artifact: &Artifact, signed: &SignedColumn) -> (String, Style) {
    let Some(verdict) = signed.get(&artifact.key) else { return (String::new(), Style::new()) };
    let style = match verdict {
        Verdict::Verified(_) => GREEN,
        Verdict::Unknown { .. } => YELLOW,
        Verdict::Unsigned | Verdict::Bad(_) => RED,
    };
    (printable(&verdict.to_string()), style)
}

fn row(artifact: &Artifact) -> [String; 5] {
    let facets = artifact.facets.as_ref();
    [
        artifact.key.to_string(),
        facets.map(|f| printable(&f.os_release)).unwrap_or_default(),
        facets.map(|f| printable(&f.k8s_version.to_string())).unwrap_or_default(),
        artifact.size.map(|bytes| Size(bytes).to_string()).unwrap_or_default(),
        artifact.created.map(|t| t.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(name: &str, os_release: &str, k8s: &str) -> Artifact {
        let annotations: BTreeMap<String, String> = [
            ("org.opencontainers.image.created", "2026-05-04T03:02:01Z"),
            ("sylvaproject.org/diskimage/os", "ubuntu"),
            ("sylvaproject.org/diskimage/os-release", os_release),
            ("sylvaproject.org/diskimage/flavor", "plain"),
            ("sylvaproject.org/diskimage/k8s-flavor", "rke2"),
            ("sylvaproject.org/diskimage/k8s-version", k8s),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        let digest = Digest::of(name.as_bytes());
        Artifact::described(name.parse().unwrap(), Some(digest), annotations, &Naming::default())
            .sized(Some(1_992_294_400))
    }

    fn release(coverage: Coverage) -> Release {
        let images = [
            image("ubuntu-noble-plain-rke2-1-31-8", "noble", "1.31.8+rke2r1"),
            image("ubuntu-jammy-plain-rke2-1-31-x", "@all|\u{1b}[31m", "1.31.7+rke2r1"),
        ];
        Release::with_coverage("0.4.12".parse().unwrap(), coverage, images)
    }

    fn partial() -> Coverage {
        Coverage::Partial { reason: "the tag list of @all was cut".to_owned() }
    }

    fn plain(text: String) -> String {
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn every_artifact_has_what_it_contains_and_its_size() {
        insta::assert_snapshot!(plain(text(&release(Coverage::Complete), None, &Naming::default(), None)), @r"
          ARTIFACT                        OS          KUBERNETES     SIZE     CREATED           DIGEST
          ubuntu-jammy-plain-rke2-1-31-x  @all|�[31m  1.31.7+rke2r1  1.9 GiB  2026-05-04 03:02  sha256:5bdc768f7407
          ubuntu-noble-plain-rke2-1-31-8  noble       1.31.8+rke2r1  1.9 GiB  2026-05-04 03:02  sha256:6f30bca4668f
        0.4.12: 2 artifacts, 3.7 GiB, complete
        ");
    }

    #[test]
    fn a_narrow_terminal_shows_names_and_what_else_there_is_room_for() {
        insta::assert_snapshot!(plain(text(&release(partial()), None, &Naming::default(), Some(72))), @r"
          ARTIFACT                        OS          KUBERNETES     SIZE
          ubuntu-jammy-plain-rke2-1-31-x  @all|�[31m  1.31.7+rke2r1  1.9 GiB
          ubuntu-noble-plain-rke2-1-31-8  noble       1.31.8+rke2r1  1.9 GiB
          CREATED, DIGEST left out: shown from 107 columns on
        0.4.12: 2 artifacts proven, 3.7 GiB, others may exist: the tag list of @all was cut
        ");
        insta::assert_snapshot!(plain(text(&release(partial()), None, &Naming::default(), Some(20))), @r"
          ARTIFACT
          ubuntu-jammy-plain-rke2-1-31-x
          ubuntu-noble-plain-rke2-1-31-8
          OS, KUBERNETES, SIZE, CREATED, DIGEST left out: shown from 107 columns on
        0.4.12: 2 artifacts proven, 3.7 GiB, others may exist: the tag list of @all was cut
        ");
    }

    #[test]
    fn what_is_only_a_name_has_no_empty_columns() {
        let named = Artifact::named("diskimage-builder-plain".parse().unwrap(), &Naming::default());
        let release = Release::complete("0.0.2".parse().unwrap(), [named]);
        insta::assert_snapshot!(plain(text(&release, None, &Naming::default(), None)), @r"
          ARTIFACT
          diskimage-builder-plain
        0.0.2: 1 artifact, complete
        ");
    }

    #[test]
    fn markdown_has_whole_digests_and_inert_text() {
        insta::assert_snapshot!(markdown(&release(partial()), None, &Naming::default()), @"
        | Artifact | OS | Kubernetes | Size | Created | Digest |
        | --- | --- | --- | --- | --- | --- |
        | `ubuntu-jammy-plain-rke2-1-31-x` | @\u{200b}all\\|�\\[\u{200b}31m | 1.31.7+rke2r1 | 1.9 GiB | 2026-05-04 03:02 | `sha256:5bdc768f74072f6887144a6ba6c4b72f7c85d0fbfab1a007fb2840cbe8c336fd` |
        | `ubuntu-noble-plain-rke2-1-31-8` | noble | 1.31.8+rke2r1 | 1.9 GiB | 2026-05-04 03:02 | `sha256:6f30bca4668f41d58dd8f5512799a73e9097369259e4dd2bf1a9b2562eb14e3f` |

        0.4.12: 2 artifacts proven, 3.7 GiB, **others may exist**: the tag list of @\u{200b}all was cut
        ");
    }

    #[test]
    fn an_image_that_is_another_one_is_named_below_the_table_with_inert_text() {
        let wrong = image("ubuntu-jammy-plain-rke2-1-31-8", "@all|\u{1b}[31m", "1.31.8+rke2r1");
        let release = Release::complete("0.4.12".parse().unwrap(), [wrong]);
        let last = |text: String| text.lines().last().unwrap().to_owned();
        assert_eq!(
            last(plain(text(&release, None, &Naming::default(), None))),
            "  ! ubuntu-jammy-plain-rke2-1-31-8 is another image: its os-release is `@all|�[31m`, not `jammy`"
        );
        assert_eq!(
            last(markdown(&release, None, &Naming::default())),
            "ubuntu-jammy-plain-rke2-1-31-8 is another image: its os-release is \\`@\u{200b}all\\|\\[\u{200b}31m\\`, not \\`jammy\\`"
        );
    }

    #[test]
    fn nothing_and_not_known_are_said_differently() {
        let nothing = Release::complete("0.4.12".parse().unwrap(), []);
        assert_eq!(markdown(&nothing, None, &Naming::default()), "No artifact carries 0.4.12.\n");
        let unknown = Release::unknown("0.4.12".parse().unwrap(), "503");
        assert_eq!(markdown(&unknown, None, &Naming::default()), "0.4.12: **unknown**: 503\n");
        assert_eq!(plain(text(&nothing, None, &Naming::default(), None)), "no artifact carries 0.4.12\n");
        assert_eq!(plain(text(&unknown, None, &Naming::default(), None)), "0.4.12: unknown: 503\n");
    }
}
