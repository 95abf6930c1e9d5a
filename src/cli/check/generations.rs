//! Whether generations publish what is chosen of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{GenerationImage, LackedImage};
use crate::cli::Context;
use crate::cli::args::Reach;
use crate::cli::failure::Failure;
use crate::cli::producers::{AskedFile, ReleasesFrom};
use crate::cli::reached::Reached;
use crate::config::Config;
use crate::plan::{FileProducer, Survey};
use crate::release::{ImageKey, Tag};

/// What is known of the images that are chosen of generations.
#[derive(Default)]
pub(super) struct AskedGenerations {
    /// Those that are not there.
    pub(super) lacking: Vec<LackedImage>,
    /// What could not be told, a sentence each.
    pub(super) unread: Vec<String>,
}

/// Asks each generation for what is chosen of it. Where releases were observed elsewhere, nothing is asked.
pub(super) fn ask(
    (context, config, reach): (&Context, Option<&Config>, &Reach),
    asked: &AskedFile<'_>,
    survey: &Survey,
    chosen: &BTreeSet<GenerationImage>,
) -> Result<AskedGenerations, Failure> {
    let mut found = AskedGenerations::default();
    if chosen.is_empty() || matches!(asked.source, ReleasesFrom::File(..)) {
        return Ok(found);
    }
    let mut wanted: BTreeMap<&str, Vec<ImageKey>> = BTreeMap::new();
    for GenerationImage { generation, key } in chosen {
        wanted.entry(generation).or_default().extend(key.parse::<ImageKey>().ok());
    }
    for generation in asked.generations()? {
        let Some(keys) = wanted.remove(generation.name.as_str()) else { continue };
        let Some(tag) = tag(&generation, survey) else { continue };
        let repositories: Vec<_> = keys.iter().map(|key| generation.prefix.repository(key)).collect();
        let release = format!("{}:{tag}", generation.prefix);
        let answers = context.online(config, reach, async |session| {
            let settings = Reached { context, args: reach, config, session }.settings(&generation.prefix)?;
            Ok(session.registry(&settings).await?.exists(&repositories, &tag).await)
        })?;
        for (key, answer) in keys.iter().zip(answers) {
            let image = GenerationImage { generation: generation.name.clone(), key: key.to_string() };
            match answer {
                Ok(true) => {}
                Ok(false) => found.lacking.push(LackedImage { image, release: release.clone() }),
                Err(error) => found.unread.push(format!("{release}: {key}: {error}")),
            }
        }
    }
    Ok(found)
}

/// The release that a generation is at.
fn tag(generation: &FileProducer, survey: &Survey) -> Option<Tag> {
    let tag = |file: &crate::plan::Surveyed| file.document.scalar(&generation.version_key).ok()?;
    survey.files().filter_map(tag).last()?.value.parse().ok()
}
