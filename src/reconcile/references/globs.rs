//! Which files of a project may name image keys.

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Globs over paths of files from the top of the project, as in `deploy/**/*.yaml`: only `**` goes below a folder.
#[derive(Debug, Clone, Default)]
pub struct Globs {
    written: Vec<String>,
    compiled: GlobSet,
}

/// Text that is not a glob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a glob ({why})")]
pub struct InvalidGlob {
    text: String,
    why: String,
}

impl Globs {
    /// Compiles globs.
    ///
    /// # Errors
    /// The first that is none.
    pub fn new(written: Vec<String>) -> Result<Self, InvalidGlob> {
        let mut compiled = GlobSetBuilder::new();
        for text in &written {
            let failed =
                |error: globset::Error| InvalidGlob { text: text.clone(), why: error.kind().to_string() };
            let path = text.strip_prefix("./").unwrap_or(text);
            compiled.add(GlobBuilder::new(path).literal_separator(true).build().map_err(failed)?);
        }
        let failed = |error: globset::Error| InvalidGlob {
            text: error.glob().unwrap_or_default().to_owned(),
            why: error.kind().to_string(),
        };
        Ok(Self { compiled: compiled.build().map_err(failed)?, written })
    }

    /// The globs as they were written.
    pub fn written(&self) -> &[String] {
        &self.written
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// The folders below which all files are that can match; the empty path for the top.
    pub fn folders(&self) -> BTreeSet<String> {
        let literal = |part: &&str| !part.contains(['*', '?', '[', '{', '\\']);
        let folder = |glob: &String| {
            let path = glob.strip_prefix("./").unwrap_or(glob);
            let above = path.rsplit_once('/').map_or("", |(above, _)| above);
            above.split('/').take_while(literal).collect::<Vec<_>>().join("/")
        };
        self.written.iter().map(folder).collect()
    }

    /// Whether one of them matches a path; its parts are separated by slashes.
    pub fn match_path(&self, path: &str) -> bool {
        self.compiled.is_match(path)
    }
}

impl PartialEq for Globs {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Globs {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_go_below_a_folder_only_where_they_say_so() {
        let globs = Globs::new(vec!["./deploy/*.yaml".into(), "env/**/*.{yml,yaml}".into()]).unwrap();
        for (path, matches) in [
            ("deploy/a.yaml", true),
            ("deploy/b/a.yaml", false),
            ("env/a.yml", true),
            ("env/b/c/a.yaml", true),
            ("a.yaml", false),
        ] {
            assert_eq!(globs.match_path(path), matches, "{path}");
        }
        assert_eq!(globs.folders(), ["deploy", "env"].map(str::to_owned).into());
        assert_eq!(Globs::new(vec!["**/*.yaml".into()]).unwrap().folders(), [String::new()].into());
        assert!(Globs::new(vec!["{".into()]).is_err());
    }
}
