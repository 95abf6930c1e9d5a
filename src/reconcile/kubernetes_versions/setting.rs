//! Which Kubernetes versions follow the images.

use super::{MapLines, VersionRule};

/// Which Kubernetes versions elsewhere in the files of a target follow the images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KubernetesVersions {
    /// Those of a `k8s_version_map` in the file that holds the version, where the old versions say whose they are; with the
    /// lines of it that come and go.
    Auto(MapLines),
    /// None; it is only said where they differ.
    Off,
    /// Those that rules name, in every file.
    Rules(Vec<VersionRule>),
}

/// Text that is no such setting, or texts that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKubernetesVersions {
    /// Neither a word nor a rule.
    #[error(transparent)]
    Rule(#[from] super::InvalidRule),
    /// A word stands beside something else.
    #[error("`{0}` excludes every other value")]
    NotAlone(String),
}

impl Default for KubernetesVersions {
    fn default() -> Self {
        Self::Auto(MapLines::default())
    }
}

impl KubernetesVersions {
    /// The setting that texts come to: `auto`, `add` and `remove` (which are `auto` with lines that come and go), `off`, or
    /// rules.
    ///
    /// # Errors
    /// The first text that is none, or a word that does not stand alone.
    pub fn from_texts(texts: &[String]) -> Result<Self, InvalidKubernetesVersions> {
        let has = |word: &str| texts.iter().any(|text| text == word);
        if !texts.is_empty() && texts.iter().all(|text| matches!(text.as_str(), "add" | "remove")) {
            return Ok(Self::Auto(MapLines { add: has("add"), remove: has("remove") }));
        }
        let word = texts.iter().find(|text| matches!(text.as_str(), "auto" | "off" | "add" | "remove"));
        match (texts, word) {
            ([one], Some(_)) if one == "off" => Ok(Self::Off),
            ([_], Some(_)) | ([], _) => Ok(Self::default()),
            (_, Some(word)) => Err(InvalidKubernetesVersions::NotAlone(word.clone())),
            (rules, None) => {
                let rules = rules.iter().map(|rule| rule.parse());
                Ok(Self::Rules(rules.collect::<Result<_, _>>()?))
            }
        }
    }

    /// The texts of [`KubernetesVersions::from_texts`]; none for the default.
    pub fn texts(&self) -> Vec<String> {
        match self {
            Self::Auto(MapLines { add, remove }) => {
                let words = [("add", *add), ("remove", *remove)];
                words.into_iter().filter(|(_, is_set)| *is_set).map(|(word, _)| word.to_owned()).collect()
            }
            Self::Off => vec!["off".to_owned()],
            Self::Rules(rules) => rules.iter().map(ToString::to_string).collect(),
        }
    }

    /// The rules; none where the setting is a word.
    pub fn rules(&self) -> &[VersionRule] {
        match self {
            Self::Auto(_) | Self::Off => &[],
            Self::Rules(rules) => rules,
        }
    }
}
