//! Which Kubernetes versions images have, before an update and after it.

use std::borrow::{Borrow, Cow};
use std::collections::{BTreeMap, BTreeSet};

use super::RKE2;
use super::token::{Exact, VersionToken};
use crate::release::{Facets, K8sMinor, K8sVersion, Naming, Release, named};

/// The images of a target before and after.
#[derive(Debug, Clone)]
pub struct ImagesBothSides<'a> {
    before: ImagesSide<'a>,
    after: ImagesSide<'a>,
}

/// The Kubernetes versions of listed images of one flavor, as an update changes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BroughtVersions {
    /// Those that come in, each with the one of its minor so far, as far as it is known.
    pub brought: Vec<(Option<K8sVersion>, K8sVersion)>,
    /// Those that stay.
    pub stay: Vec<K8sVersion>,
    /// Why it is not known what else comes in, a sentence fragment each.
    pub open: Vec<String>,
    /// The minors that left with every image.
    pub left: BTreeSet<K8sMinor>,
}

/// Images at one time.
#[derive(Debug, Clone)]
pub struct ImagesSide<'a> {
    /// Those that the mappings list.
    listed: ByMinor<Cow<'a, Facets>>,
    /// Those of other registries that the mappings list, as far as their names tell.
    others: ByMinor<Facets>,
    /// Those that the release publishes.
    published: ByMinor<&'a Facets>,
}

/// Images by the minor of their Kubernetes: no version is held against those of another one.
#[derive(Debug, Clone)]
struct ByMinor<T>(BTreeMap<K8sMinor, Vec<T>>);

impl<T: Borrow<Facets>> ByMinor<T> {
    fn of(&self, minor: K8sMinor) -> impl Iterator<Item = &Facets> {
        self.0.get(&minor).into_iter().flatten().map(Borrow::borrow)
    }

    fn all(&self) -> impl Iterator<Item = &Facets> + Clone {
        self.0.values().flatten().map(Borrow::borrow)
    }

    fn extend(&mut self, other: Self) {
        for (minor, images) in other.0 {
            self.0.entry(minor).or_default().extend(images);
        }
    }
}

impl<T: Borrow<Facets>> FromIterator<T> for ByMinor<T> {
    fn from_iter<I: IntoIterator<Item = T>>(images: I) -> Self {
        let mut by_minor: BTreeMap<K8sMinor, Vec<T>> = BTreeMap::new();
        for image in images {
            by_minor.entry(image.borrow().k8s_version.minor).or_default().push(image);
        }
        Self(by_minor)
    }
}

impl<'a> ImagesSide<'a> {
    /// The images that are listed at a release. `others` are keys of other registries.
    pub fn new(
        release: Option<&'a Release>,
        listed: impl IntoIterator<Item = &'a str>,
        others: impl IntoIterator<Item = &'a str>,
        naming: &Naming,
    ) -> Self {
        let artifacts = || release.into_iter().flat_map(|release| release.artifacts.values());
        let published = |key: &str| release?.artifacts.get(key)?.facets.as_ref().map(Cow::Borrowed);
        let named = |key: &str| naming.facets(key);
        let keys: BTreeSet<&str> = listed.into_iter().collect();
        Self {
            listed: keys
                .into_iter()
                .filter_map(|key| published(key).or_else(|| named(key).map(Cow::Owned)))
                .collect(),
            others: others.into_iter().filter_map(named).collect(),
            published: artifacts().filter_map(|artifact| artifact.facets.as_ref()).collect(),
        }
    }

    /// The images of a flavor at a minor: the listed ones, and where none is listed, the published ones.
    fn of(&self, k8s_flavor: &str, minor: K8sMinor) -> Vec<&Facets> {
        let is_of = |facets: &&Facets| facets.k8s_flavor == k8s_flavor;
        let listed: Vec<&Facets> = self.listed.of(minor).filter(is_of).collect();
        if listed.is_empty() { self.published.of(minor).filter(is_of).collect() } else { listed }
    }

    /// The versions of the listed images of a flavor at a minor.
    fn versions(&self, k8s_flavor: &str, minor: K8sMinor) -> BTreeSet<&K8sVersion> {
        let images = self.listed.of(minor).filter(|facets| facets.k8s_flavor == k8s_flavor);
        images.map(|facets| &facets.k8s_version).collect()
    }

    fn flavors(&self, minor: K8sMinor) -> impl Iterator<Item = &str> {
        let images = self.listed.of(minor).chain(self.published.of(minor));
        images.map(|facets| facets.k8s_flavor.as_str())
    }

    /// Whether a listed image has the version. Beside a version with a revision, one without is for the other flavors.
    fn fits(&self, token: &VersionToken<'_>, beside: &[VersionToken<'_>]) -> bool {
        let version = token.version();
        let is_revised = |flavor: &str| flavor == RKE2 && beside.iter().any(VersionToken::is_rke2);
        let is_for = |facets: &&Facets| {
            if token.is_rke2() { facets.k8s_flavor == RKE2 } else { !is_revised(&facets.k8s_flavor) }
        };
        let images = self.listed.of(token.minor).chain(self.others.of(token.minor));
        images.filter(is_for).any(|facets| version.agrees_with(&facets.k8s_version))
    }
}

impl<'a> ImagesBothSides<'a> {
    /// What was listed, and what will be.
    pub fn new(before: ImagesSide<'a>, after: ImagesSide<'a>) -> Self {
        Self { before, after }
    }

    /// The same with more listed images: those of a file that is laid over the others.
    #[must_use]
    pub fn and(&self, before: ImagesSide<'a>, after: ImagesSide<'a>) -> Self {
        let mut both = self.clone();
        both.before.listed.extend(before.listed);
        both.after.listed.extend(after.listed);
        both
    }

    /// The same with the images of another producer.
    #[must_use]
    pub fn beside(mut self, other: Self) -> Self {
        for (own, other) in [(&mut self.before, other.before), (&mut self.after, other.after)] {
            own.listed.extend(other.listed);
            own.others.extend(other.others);
            own.published.extend(other.published);
        }
        self
    }

    /// The flavors that have images of a minor afterwards.
    pub(super) fn flavors(&self, minor: K8sMinor) -> BTreeSet<&str> {
        self.after.flavors(minor).collect()
    }

    /// The minors of the images of a flavor that will be listed, or of all of them.
    pub(super) fn listed_minors(&self, k8s_flavor: Option<&str>) -> BTreeSet<K8sMinor> {
        let is_of = |facets: &&Facets| k8s_flavor.is_none_or(|flavor| facets.k8s_flavor == flavor);
        self.after.listed.all().filter(is_of).map(|facets| facets.k8s_version.minor).collect()
    }

    /// Whether the images of a flavor had the version before, and no other flavor need be meant.
    pub(super) fn had(&self, k8s_flavor: &str, token: &VersionToken<'_>) -> bool {
        let version = token.version();
        let has =
            |facets: &&Facets| facets.k8s_version.patch.is_some() && version.agrees_with(&facets.k8s_version);
        self.before.of(k8s_flavor, token.minor).iter().any(has)
    }

    /// The same before or afterwards.
    pub(super) fn has_or_had(&self, k8s_flavor: &str, token: &VersionToken<'_>) -> bool {
        let version = token.version();
        let has =
            |facets: &&Facets| facets.k8s_version.patch.is_some() && version.agrees_with(&facets.k8s_version);
        self.had(k8s_flavor, token) || self.after.of(k8s_flavor, token.minor).iter().any(has)
    }

    /// The flavors that had images of a minor, or have them afterwards.
    pub(super) fn flavors_on_both_sides(&self, minor: K8sMinor) -> BTreeSet<&str> {
        [&self.before, &self.after].into_iter().flat_map(|side| side.flavors(minor)).collect()
    }

    /// The one version of the images of a flavor at a minor; `None` where they have none, several, or do not tell.
    pub(super) fn exact(&self, k8s_flavor: &str, minor: K8sMinor) -> Option<Exact> {
        let images = self.after.of(k8s_flavor, minor);
        let exact = images.iter().map(|facets| Exact::of(&facets.k8s_version, k8s_flavor == RKE2));
        let mut versions = exact.collect::<Option<BTreeSet<Exact>>>()?;
        if versions.len() == 1 { versions.pop_first() } else { None }
    }

    /// The versions of the images of a flavor that will be listed: those that come in, by their minors, and those that stay.
    pub fn brought(&self, k8s_flavor: &str) -> BroughtVersions {
        let mut found = BroughtVersions { left: self.minors_that_left(), ..BroughtVersions::default() };
        for minor in self.listed_minors(Some(k8s_flavor)) {
            let (before, after) =
                (self.before.versions(k8s_flavor, minor), self.after.versions(k8s_flavor, minor));
            let whole = |versions: &BTreeSet<&K8sVersion>| whole(k8s_flavor, versions);
            match whole(&after) {
                Ok(version) if before == after => found.stay.push(version),
                Ok(to) => found.brought.push((before.last().map(|version| (*version).clone()), to)),
                Err(_) if before == after => {}
                Err(why) => found.open.push(format!("the images of {k8s_flavor} {minor} {why}")),
            }
        }
        found
    }

    /// The minors of which images were listed, of any registry, and are not any more.
    pub(super) fn minors_that_left(&self) -> BTreeSet<K8sMinor> {
        let minors = |side: &ImagesSide<'_>| -> BTreeSet<K8sMinor> {
            side.listed.0.keys().chain(side.others.0.keys()).copied().collect()
        };
        minors(&self.before).difference(&minors(&self.after)).copied().collect()
    }

    /// Whether the version was that of a listed image, and will be of none.
    pub(super) fn no_longer_fits(&self, token: &VersionToken<'_>, beside: &[VersionToken<'_>]) -> bool {
        self.before.fits(token, beside) && !self.after.fits(token, beside)
    }

    /// Whether the version will be that of a listed image.
    pub(super) fn will_fit(&self, token: &VersionToken<'_>, beside: &[VersionToken<'_>]) -> bool {
        self.after.fits(token, beside)
    }

    /// The versions of listed images of a minor, or of all of them where there is none.
    pub(super) fn listed_versions(&self, minor: K8sMinor) -> BTreeSet<&K8sVersion> {
        fn version(facets: &Facets) -> &K8sVersion {
            &facets.k8s_version
        }
        let of_minor: BTreeSet<&K8sVersion> = self.after.listed.of(minor).map(version).collect();
        if of_minor.is_empty() { self.after.listed.all().map(version).collect() } else { of_minor }
    }

    /// What a version of a flavor should say; `None` where no image tells, and why it must stay where images contradict
    /// each other or their names say too little.
    pub(super) fn version(
        &self,
        k8s_flavor: &str,
        token: &VersionToken<'_>,
    ) -> Result<Option<String>, String> {
        let subject = format!("{k8s_flavor} {}", token.minor);
        let images = self.after.of(k8s_flavor, token.minor);
        let exact = images.iter().map(|facets| Exact::of(&facets.k8s_version, k8s_flavor == RKE2));
        let Some(versions) = exact.collect::<Option<BTreeSet<Exact>>>() else {
            return Err(format!("no annotation tells the patch of the images of {subject}"));
        };
        let Some(version) = versions.first() else { return Ok(None) };
        let contradicts =
            |facets: &&Facets| facets.k8s_flavor == k8s_flavor && !version.agrees_with(&facets.k8s_version);
        let own = versions.iter().skip(1).map(ToString::to_string);
        let others = self.after.others.of(token.minor).filter(contradicts);
        let others = others.map(|facets| facets.k8s_version.to_string());
        let others: Vec<String> = own.chain(others).collect();
        if !others.is_empty() {
            return Err(format!("the images of {subject} are at {version} and {}", others.join(", ")));
        }
        match token.rewritten(version) {
            None if version.patch != token.patch => {
                Err(format!("the images of {subject} are at {version}, of unknown revision"))
            }
            to => Ok(to),
        }
    }
}

/// The one version of images of a flavor; else why there is none, as a sentence fragment.
fn whole(k8s_flavor: &str, versions: &BTreeSet<&K8sVersion>) -> Result<K8sVersion, String> {
    let mut all = versions.iter();
    let (Some(version), None) = (all.next(), all.next()) else {
        return Err(format!("are at {}", named(versions)));
    };
    let is_rke2 = k8s_flavor == RKE2;
    match Exact::of(version, is_rke2) {
        None => Err(format!("are at {version}, and no annotation tells the patch")),
        Some(Exact { revision: None, .. }) if is_rke2 => {
            Err(format!("are at {version}, and no annotation tells the revision"))
        }
        Some(exact) => Ok(exact.version()),
    }
}
