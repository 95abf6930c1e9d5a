//! Update policies as meant: a branch's own keys, then its target's, then those of the whole file.

use globset::{Glob, GlobSet, GlobSetBuilder};
use semver::VersionReq;

use super::meaning::Meaning;
use super::place::FieldPath;
use super::raw::RawPolicy;
use crate::release::Version;
use crate::release::accepted::Accepted;
use crate::release::policy::{Gates, Policy};

impl Meaning<'_> {
    /// Reads a policy whose keys may come from several levels. `at` is the level whose mistakes are reported.
    pub(super) fn policy(&mut self, raw: &RawPolicy, accept: &[Accepted], at: &FieldPath) -> Option<Policy> {
        let range = self.maybe(raw.range.as_ref(), |meaning, text| meaning.range(text, &at.key("range")));
        let ignored = raw.ignore.as_deref().unwrap_or_default();
        let ignore = self.each(ignored, &at.key("ignore"), |meaning, text, at| meaning.ignored(text, at));
        let include = self.globs(raw.include.as_deref().unwrap_or_default(), &at.key("include"));
        let exclude = self.globs(raw.exclude.as_deref().unwrap_or_default(), &at.key("exclude"));
        let minimum_age = self
            .maybe(raw.minimum_age.as_ref(), |meaning, text| meaning.duration(text, &at.key("minimum_age")));
        let timeout = self.maybe(raw.incomplete_timeout.as_ref(), |meaning, text| {
            meaning.duration(text, &at.key("incomplete_timeout"))
        });
        let default = Policy::default();
        Some(Policy {
            range: range?,
            ignore: ignore?,
            include: include.map(|globs| (!globs.is_empty()).then_some(globs))?,
            exclude: exclude?,
            prereleases: raw.prereleases.unwrap_or(default.prereleases),
            allow: raw.allow.clone().unwrap_or(default.allow),
            minimum_age: minimum_age?,
            unknown_age: raw.unknown_age.unwrap_or(default.unknown_age),
            step: raw.step.unwrap_or(default.step),
            downgrade: raw.downgrade.unwrap_or(default.downgrade),
            look_back: raw.look_back.map_or(default.look_back, |count| count.get() as usize),
            accept: accept.to_vec(),
            gates: Gates {
                incomplete: raw.incomplete.unwrap_or(default.gates.incomplete),
                incomplete_timeout: timeout?.unwrap_or(default.gates.incomplete_timeout),
                inconsistent: raw.inconsistent.unwrap_or(default.gates.inconsistent),
                big_jump: raw.big_jump.unwrap_or(default.gates.big_jump),
                disagreeing: raw.disagreeing.unwrap_or(default.gates.disagreeing),
            },
            on_new_findings: raw.on_new_findings.unwrap_or(default.on_new_findings),
            signatures: raw.signatures,
            identity: raw.identity.unwrap_or(default.identity),
        })
    }

    fn range(&mut self, text: &str, at: &FieldPath) -> Option<VersionReq> {
        let range = VersionReq::parse(text);
        self.take(
            range.map_err(|e| format!("`{text}` is not a range ({e}; expected >=0.4, <0.6 or 0.3.x)")),
            at,
        )
    }

    /// A version alone is that version and not, as in a range, everything that is compatible with it.
    fn ignored(&mut self, text: &str, at: &FieldPath) -> Option<VersionReq> {
        match text.parse::<Version>() {
            Ok(_) => self.range(&format!("={text}"), at),
            Err(_) => self.range(text, at),
        }
    }

    fn globs(&mut self, texts: &[String], at: &FieldPath) -> Option<GlobSet> {
        let globs = self.each(texts, at, |meaning, text, at| meaning.glob(text, at));
        let mut set = GlobSetBuilder::new();
        for glob in globs? {
            set.add(glob);
        }
        self.take(set.build(), at)
    }

    pub(super) fn glob(&mut self, text: &str, at: &FieldPath) -> Option<Glob> {
        self.take(Glob::new(text).map_err(|e| format!("`{text}` is not a glob ({})", e.kind())), at)
    }
}
