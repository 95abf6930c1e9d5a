//! What the lists of `values_from` say of the images that files list.

use super::Seen;
use crate::check::{Finding, KnownValue};
use crate::cli::Context;
use crate::cli::args::Reach;
use crate::cli::failure::Failure;
use crate::cli::producers::{AskedFile, ReleasesFrom};
use crate::config::Config;
use crate::plan::{NoList, PlanError, WantedLists, lists_of_now};

/// What lists say, and which of them do not tell it.
#[derive(Default)]
pub(super) struct ReadLists {
    pub(super) known: Vec<KnownValue>,
    pub(super) unread: Vec<String>,
}

/// Reads the lists of the images that are listed. Where releases were observed elsewhere, nothing is asked.
pub(super) fn read(
    context: &Context,
    config: Option<&Config>,
    asked: &[AskedFile<'_>],
    seen: &[Result<Seen, Box<Finding>>],
    reach: &Reach,
) -> Result<ReadLists, Failure> {
    let Some(first) = asked.first() else { return Ok(ReadLists::default()) };
    let seen = seen.iter().filter_map(|seen| seen.as_ref().ok());
    let listed = seen.filter_map(|seen| Some((&seen.survey, seen.known.release.as_ref()?, &seen.naming)));
    let listed: Vec<_> = listed.collect();
    let mut wanted = Vec::new();
    for rule in &first.local.target.values_from {
        let lists = lists_of_now(&listed, rule).map_err(|error: PlanError| Failure::from(error))?;
        wanted.extend(lists.into_iter().map(|(version, url)| (rule, version, url)));
    }
    if wanted.is_empty() || matches!(first.source, ReleasesFrom::File(..)) {
        return Ok(ReadLists::default());
    }
    let mut urls = WantedLists::new();
    for (rule, _, url) in &wanted {
        urls.entry(url.clone()).or_default().push((*rule).clone());
    }
    let lists = context.online(config, reach, async |session| Ok(session.lists().read_all(urls).await))?;
    let mut read = ReadLists::default();
    for (rule, version, url) in wanted {
        let value = match lists.get(&url) {
            Some(Ok(list)) => list.value(rule).map(str::to_owned).map_err(|why| why.to_string()),
            Some(Err(NoList::Unusable(why) | NoList::Unread(why))) => Err(why.clone()),
            Some(Err(NoList::NotAsked)) | None => continue,
        };
        match value {
            Ok(value) => read.known.push(KnownValue { rule: rule.clone(), version, value }),
            Err(why) => {
                read.unread.push(format!("`{}`: {url}, the list of Kubernetes {version}: {why}", rule.to))
            }
        }
    }
    Ok(read)
}
