//! Releases with the policy's verdict, as a table for terminals and for Markdown.

use std::collections::BTreeMap;

use anstyle::Style;
use jiff::Timestamp;

use super::artifacts::SignedColumn;
use super::table::{Column, Table};
use super::{DIM, paint, plan, plan_json, printable};
use crate::release::data::{ReleaseData, SelectionQuery};
use crate::release::policy::Exclusion;
use crate::release::selection::{Choice, Next, SelectionVerdict, next_wanted};
use crate::release::{Coverage, Release, Version, counted};

/// Judged releases.
pub struct Judged<'a> {
    known: &'a ReleaseData,
    current: Option<&'a Version>,
    /// Newest first.
    verdicts: Vec<(Version, SelectionVerdict)>,
    /// How many older ones are left out.
    left_out: usize,
    /// How many images of a release are signed, where that was asked.
    signed: BTreeMap<Version, String>,
}

impl<'a> Judged<'a> {
    /// The verdicts on what is known; with a limit, on the newest only.
    pub fn new(query: &SelectionQuery<'a>, known: &'a ReleaseData, limit: Option<usize>) -> Self {
        let (current, mut verdicts) = match next_wanted(query, known) {
            Next::Decided(choice) => (query.current, choice.verdicts),
            // The release that `--from` names does not exist: the verdicts are those of a file without a version.
            Next::Read(_) => match next_wanted(&SelectionQuery { current: None, ..query.clone() }, known) {
                Next::Decided(Choice { verdicts, .. }) => (None, verdicts),
                Next::Read(_) => (None, Vec::new()),
            },
        };
        let shown = limit.unwrap_or(usize::MAX).min(verdicts.len());
        let left_out = verdicts.split_off(shown).len();
        Self { known, current, verdicts, left_out, signed: BTreeMap::new() }
    }

    /// With what is to be said of the signatures of each release.
    #[must_use]
    pub fn signed(self, signed: &BTreeMap<Version, SignedColumn>) -> Self {
        let say = |(version, images): (&Version, &SignedColumn)| {
            let good = images.values().filter(|verdict| verdict.is_verified()).count();
            (version.clone(), format!("{good} of {}", images.len()))
        };
        Self { signed: signed.iter().map(say).collect(), ..self }
    }

    /// The releases that are shown, newest first.
    pub fn shown(&self) -> impl Iterator<Item = &Version> {
        self.verdicts.iter().filter(|(_, verdict)| !is_older(verdict)).map(|(version, _)| version)
    }

    /// Each verdict as a word and in words.
    pub fn words(&self) -> Vec<(Version, &'static str, String)> {
        let words = |(version, verdict): &(Version, SelectionVerdict)| {
            (version.clone(), plan_json::word(verdict), verdict.to_string())
        };
        self.verdicts.iter().map(words).collect()
    }

    /// The table for a terminal of this width. Releases older than the file's are only counted.
    pub fn text(&self, width: Option<usize>) -> String {
        if self.known.candidates.is_empty() {
            return "  no release was found\n".to_owned();
        }
        let table = self.table(|mark, version| format!("{mark} {version}"));
        let text = if table.is_empty() { String::new() } else { table.fitted(width) };
        text + &self.older().map(|older| format!("    {}\n", paint(DIM, older))).unwrap_or_default()
    }

    /// The same in Markdown.
    pub fn markdown(&self) -> String {
        if self.known.candidates.is_empty() {
            return "No release was found.\n".to_owned();
        }
        self.table(|_, version| version.to_string()).markdown()
            + &self.older().map(|older| format!("\n{older}\n")).unwrap_or_default()
    }

    fn table(&self, marked: impl Fn(char, &Version) -> String) -> Table {
        let columns = [
            Column::whole("Release").verbatim(),
            Column::optional("Date"),
            Column::whole("Artifacts"),
            Column::cut("Coverage"),
        ];
        let signed = (!self.signed.is_empty()).then(|| Column::whole("Signed"));
        let columns = columns.into_iter().chain(signed).chain([Column::cut("Verdict")]);
        let mut table = Table::of(columns);
        for (version, verdict) in self.verdicts.iter().filter(|(_, verdict)| !is_older(verdict)) {
            let (mark, style) = plan::emphasis(verdict, self.current == Some(version));
            let (count, coverage) = self.known.releases.get(version).map(coverage).unwrap_or_default();
            let date = self.date(version).map(|date| date.strftime("%Y-%m-%d").to_string());
            // An unknown release is explained by its coverage.
            let verdict = match verdict {
                SelectionVerdict::Unknown(_) => "unknown".to_owned(),
                verdict => printable(&verdict.to_string()),
            };
            let cells = [
                (marked(mark, version), style),
                (date.unwrap_or_default(), Style::new()),
                (count, Style::new()),
                (coverage, Style::new()),
            ];
            let signed = (!self.signed.is_empty())
                .then(|| (self.signed.get(version).cloned().unwrap_or_default(), Style::new()));
            table.row(cells.into_iter().chain(signed).chain([(verdict, style)]));
        }
        table
    }

    /// When it was announced, or else when its newest image was made.
    fn date(&self, version: &Version) -> Option<Timestamp> {
        let announced = self.known.candidates.get(version).and_then(|candidate| candidate.released_at);
        let images = self.known.releases.get(version).map(|release| release.artifacts.values());
        announced.or_else(|| images?.filter_map(|image| image.created).max())
    }

    fn older(&self) -> Option<String> {
        let hidden = self.verdicts.iter().filter(|(_, verdict)| is_older(verdict)).count() + self.left_out;
        (hidden > 0).then(|| format!("and {}", counted(hidden, "older release")))
    }
}

fn is_older(verdict: &SelectionVerdict) -> bool {
    matches!(verdict, SelectionVerdict::Excluded(Exclusion::Older))
}

/// How many artifacts, and whether these are all.
fn coverage(release: &Release) -> (String, String) {
    let count = release.artifacts.len();
    match &release.coverage {
        Coverage::Complete => (count.to_string(), "complete".to_owned()),
        Coverage::Partial { reason } => (format!("{count} or more"), format!("? {}", printable(reason))),
        Coverage::Unknown { reason } => ("?".to_owned(), format!("? {}", printable(reason))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::release::data::Candidate;
    use crate::release::policy::Policy;
    use crate::release::{Artifact, Naming};

    fn known() -> ReleaseData {
        let image = |name: &str| {
            let created = ("org.opencontainers.image.created".to_owned(), "2026-05-04T03:02:01Z".to_owned());
            Artifact::described(name.parse().unwrap(), None, BTreeMap::from([created]), &Naming::default())
        };
        let both = || [image("ubuntu-noble-plain-rke2-1-30"), image("opensuse-15-6-plain-rke2-1-30")];
        let v = |text: &str| text.parse::<Version>().unwrap();
        let cut = Coverage::Partial { reason: "the tag list of `@all` was |cut| in the middle".to_owned() };
        let releases = [
            Release::unknown(
                v("0.5.1"),
                "couldn't reach registry.example: 503 \u{1b}[31mService Unavailable",
            ),
            Release::complete(v("0.5.0"), both()),
            Release::with_coverage(v("0.4.12"), cut, both()),
            Release::complete(v("0.4.11"), []),
            Release::complete(v("0.4.10"), both()),
            Release::complete(v("0.0.0-git-098dca5b"), both()),
        ];
        let mut known = ReleaseData::default();
        for release in releases {
            let version = release.version.clone();
            let released_at = (version == v("0.5.0")).then(|| "2026-06-01T09:00:00Z".parse().unwrap());
            known.candidates.insert(
                version.clone(),
                Candidate { version: version.clone(), released_at, first_seen: None },
            );
            known.releases.insert(version, release);
        }
        known
    }

    fn with<T>(current: Option<&str>, limit: Option<usize>, look: impl Fn(&Judged<'_>) -> T) -> T {
        let (known, policy) = (known(), Policy::default());
        let current: Option<Version> = current.map(|version| version.parse().unwrap());
        let query = SelectionQuery {
            policy: &policy,
            current: current.as_ref(),
            to: None,
            listed: &BTreeSet::new(),
            naming: &Naming::default(),
            found: &BTreeMap::new(),
            requires_signatures: false,
            now: Timestamp::UNIX_EPOCH,
        };
        look(&Judged::new(&query, &known, limit))
    }

    fn plain(text: String) -> String {
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn every_release_has_its_date_its_coverage_and_its_verdict() {
        insta::assert_snapshot!(with(None, None, |judged| plain(judged.text(None))), @r"
        RELEASE               DATE        ARTIFACTS  COVERAGE                                                         VERDICT
        ? 0.5.1                           ?          ? couldn't reach registry.example: 503 �[31mService Unavailable  unknown
          0.5.0               2026-06-01  2          complete                                                         superseded by a newer one
          0.4.12              2026-05-04  2 or more  ? the tag list of `@all` was |cut| in the middle                 superseded by a newer one
          0.4.11                          0          complete                                                         superseded by a newer one
          0.4.10              2026-05-04  2          complete                                                         superseded by a newer one
          0.0.0-git-098dca5b  2026-05-04  2          complete                                                         pre-release
        ");
    }

    #[test]
    fn a_narrow_terminal_cuts_reasons_and_never_a_version() {
        insta::assert_snapshot!(with(Some("0.4.11"), None, |judged| plain(judged.text(Some(64)))), @r"
        RELEASE               ARTIFACTS  COVERAGE        VERDICT
        ? 0.5.1               ?          ? couldn't re…  unknown
          0.5.0               2          complete        superseded b…
          0.4.12              2 or more  ? the tag lis…  superseded b…
        • 0.4.11              0          complete        named in the…
          0.0.0-git-098dca5b  2          complete        pre-release
        DATE left out: shown from 73 columns on
          and 1 older release
        ");
    }

    #[test]
    fn a_limit_shows_the_newest_and_counts_the_others() {
        insta::assert_snapshot!(with(None, Some(2), |judged| plain(judged.text(None))), @r"
        RELEASE  DATE        ARTIFACTS  COVERAGE                                                         VERDICT
        ? 0.5.1              ?          ? couldn't reach registry.example: 503 �[31mService Unavailable  unknown
          0.5.0  2026-06-01  2          complete                                                         superseded by a newer one
          and 4 older releases
        ");
    }

    #[test]
    fn markdown_keeps_what_a_registry_says_inert() {
        insta::assert_snapshot!(with(None, None, |judged| judged.markdown()), @"
        | Release | Date | Artifacts | Coverage | Verdict |
        | --- | --- | --- | --- | --- |
        | `0.5.1` |  | ? | ? couldn't reach registry.example: 503 �\\[\u{200b}31mService Unavailable | unknown |
        | `0.5.0` | 2026-06-01 | 2 | complete | superseded by a newer one |
        | `0.4.12` | 2026-05-04 | 2 or more | ? the tag list of \\`@\u{200b}all\\` was \\|cut\\| in the middle | superseded by a newer one |
        | `0.4.11` |  | 0 | complete | superseded by a newer one |
        | `0.4.10` | 2026-05-04 | 2 | complete | superseded by a newer one |
        | `0.0.0-git-098dca5b` | 2026-05-04 | 2 | complete | pre-release |
        ");
    }

    #[test]
    fn a_release_to_start_from_that_does_not_exist_is_as_none() {
        let all = with(None, None, |judged| judged.text(None));
        assert_eq!(with(Some("0.4.99"), None, |judged| judged.text(None)), all);
    }
}
