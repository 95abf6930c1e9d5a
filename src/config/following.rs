//! What follows the image keys elsewhere, as meant.

use super::meaning::Meaning;
use super::place::Field;
use super::raw::RawKubernetesVersions;
use crate::reconcile::kubernetes_versions::{Pattern, Place, Rule};
use crate::reconcile::references::Globs;
use crate::values::KeyPath;

impl Meaning<'_> {
    pub(super) fn references(&mut self, raw: &[String], at: &Field) -> Option<Globs> {
        let each = self.each(raw, at, |meaning, text, at| {
            meaning.take(Globs::new(vec![text.clone()]), at).map(|_| text.clone())
        });
        self.take(Globs::new(each?), at)
    }

    pub(super) fn kubernetes_versions(
        &mut self,
        raw: &[RawKubernetesVersions],
        at: &Field,
    ) -> Option<Vec<Rule>> {
        let rules = self.each(raw, at, Self::rule)?;
        for (i, rule) in rules.iter().enumerate() {
            if let Some(first) = rules.iter().take(i).position(|other| other.meets(rule)) {
                let first = at.index(first);
                let problem =
                    format!("sets the same versions as {first}; only those of rke2 are told from others");
                self.error(&at.index(i), problem);
                return None;
            }
        }
        Some(rules)
    }

    fn rule(&mut self, raw: &RawKubernetesVersions, at: &Field) -> Option<Rule> {
        let k8s_flavor = raw.k8s_flavor.clone();
        let place = match (&raw.path, &raw.pattern) {
            (Some(path), None) => Place::Path(self.take(path.parse::<KeyPath>(), &at.key("path"))?),
            (None, Some(pattern)) => Place::Pattern(self.take(Pattern::new(pattern), &at.key("pattern"))?),
            _ => {
                self.error(at, "needs either `path` or `pattern`".to_owned());
                return None;
            }
        };
        Some(Rule { place, k8s_flavor })
    }
}

impl RawKubernetesVersions {
    pub(super) fn of(rule: &Rule) -> Self {
        let k8s_flavor = rule.k8s_flavor.clone();
        match &rule.place {
            Place::Path(path) => Self { path: Some(path.to_string()), pattern: None, k8s_flavor },
            Place::Pattern(pattern) => {
                Self { path: None, pattern: Some(pattern.as_str().to_owned()), k8s_flavor }
            }
        }
    }
}
