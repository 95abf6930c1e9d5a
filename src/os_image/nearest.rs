//! The image that somebody may have meant.

use crate::release::Facets;

/// Written less alike than this, two keys have nothing to do with each other.
const ALIKE: f64 = 0.8;

/// The image of the same line, else the one whose key is written most alike.
pub fn nearest<'a>(
    key: &str,
    images: impl Iterator<Item = (&'a str, Option<&'a Facets>)> + Clone,
) -> Option<&'a str> {
    let line = Facets::from_name(key).map(|facets| facets.line());
    let is_of_line = |facets: &Option<&Facets>| line.is_some() && facets.map(Facets::line) == line;
    let of_line = images.clone().find(|(_, facets)| is_of_line(facets)).map(|(key, _)| key);
    let likeness = |other: &str| strsim::jaro_winkler(key, other);
    let alike = || {
        let best = images.map(|(key, _)| key).max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        best.filter(|best| likeness(best) >= ALIKE)
    };
    of_line.or_else(alike)
}
