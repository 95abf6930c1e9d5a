//! What follows the image keys elsewhere, as meant.

use super::meaning::Meaning;
use super::place::FieldPath;
use super::raw::{RawFollowing, RawKubernetesRule, RawKubernetesVersions, RawMapLines};
use crate::reconcile::kubernetes_versions::{
    KubernetesVersions, MapLines, Pattern, VersionPlace, VersionRule,
};
use crate::reconcile::references::Globs;
use crate::values::KeyPath;

impl Meaning<'_> {
    pub(super) fn references(&mut self, raw: &[String], at: &FieldPath) -> Option<Globs> {
        let each = self.each(raw, at, |meaning, text, at| {
            meaning.take(Globs::new(vec![text.clone()]), at).map(|_| text.clone())
        });
        self.take(Globs::new(each?), at)
    }

    pub(super) fn kubernetes_versions(
        &mut self,
        raw: &RawKubernetesVersions,
        at: &FieldPath,
    ) -> Option<KubernetesVersions> {
        let raw = match raw {
            RawKubernetesVersions::Word(RawFollowing::Auto) => return Some(KubernetesVersions::default()),
            RawKubernetesVersions::Lines(RawMapLines { add, remove }) => {
                return Some(KubernetesVersions::Auto(MapLines { add: *add, remove: *remove }));
            }
            RawKubernetesVersions::Word(RawFollowing::Off) => return Some(KubernetesVersions::Off),
            RawKubernetesVersions::Rules(rules) => rules,
        };
        let rules = self.each(raw, at, Self::rule)?;
        for (i, rule) in rules.iter().enumerate() {
            if let Some(first) = rules.iter().take(i).position(|other| other == rule) {
                let first = at.index(first);
                self.error(&at.index(i), format!("is the same as {first}; remove one of them"));
                return None;
            }
        }
        Some(KubernetesVersions::Rules(rules))
    }

    fn rule(&mut self, raw: &RawKubernetesRule, at: &FieldPath) -> Option<VersionRule> {
        let k8s_flavor = raw.k8s_flavor.clone();
        let place = match (&raw.path, &raw.pattern) {
            (Some(path), None) => VersionPlace::Path(self.take(path.parse::<KeyPath>(), &at.key("path"))?),
            (None, Some(pattern)) => {
                VersionPlace::Pattern(self.take(Pattern::new(pattern), &at.key("pattern"))?)
            }
            _ => {
                self.error(at, "needs either `path` or `pattern`".to_owned());
                return None;
            }
        };
        Some(VersionRule { place, k8s_flavor })
    }
}

impl RawKubernetesVersions {
    pub(super) fn of(setting: &KubernetesVersions) -> Self {
        match setting {
            KubernetesVersions::Auto(MapLines { add: false, remove: false }) => {
                Self::Word(RawFollowing::Auto)
            }
            KubernetesVersions::Auto(MapLines { add, remove }) => {
                Self::Lines(RawMapLines { add: *add, remove: *remove })
            }
            KubernetesVersions::Off => Self::Word(RawFollowing::Off),
            KubernetesVersions::Rules(rules) => {
                Self::Rules(rules.iter().map(RawKubernetesRule::of).collect())
            }
        }
    }
}

impl RawKubernetesRule {
    fn of(rule: &VersionRule) -> Self {
        let k8s_flavor = rule.k8s_flavor.clone();
        match &rule.place {
            VersionPlace::Path(path) => Self { path: Some(path.to_string()), pattern: None, k8s_flavor },
            VersionPlace::Pattern(pattern) => {
                Self { path: None, pattern: Some(pattern.as_str().to_owned()), k8s_flavor }
            }
        }
    }
}
