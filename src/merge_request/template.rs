//! What users write instead of the bot's own title, commit message and text: templates in the manner of Jinja.
//!
//! Values that come from outside are inert before they get here or here; a template's own text is the user's, and stays.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior, Value};

use super::TitleLimit;
use crate::markdown;

/// The variables of a template, `text` in the body only.
pub const VARIABLES: [&str; 10] = [
    "producer",
    "project",
    "target_branch",
    "from",
    "to",
    "update_type",
    "renamed",
    "added",
    "removed",
    "text",
];

/// What there is to say about an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateFacts {
    /// The producer.
    pub producer: String,
    /// The project.
    pub project: String,
    /// The target branch.
    pub target_branch: String,
    /// The release that the file names.
    pub from: String,
    /// The release that is proposed.
    pub to: String,
    /// `major`, `minor`, `patch`, or `align` where the release stays.
    pub update_type: String,
    /// How many keys are renamed, added and removed.
    pub keys: [usize; 3],
    /// The bot's own title.
    pub title: String,
    /// The bot's own text.
    pub text: String,
}

/// What a merge request says of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The title.
    pub title: String,
    /// The bot's part of the description.
    pub text: String,
    /// The commit's title and body, without trailers.
    pub commit_message: String,
}

/// The user's templates; what is left out is as the bot writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Templates {
    /// The title, one line.
    pub title: Option<String>,
    /// The commit's title and body; the title unless given.
    pub commit_message: Option<String>,
    /// The text.
    pub body: Option<String>,
    /// What stands before the bot's own title, as in `chore(deps)`.
    pub semantic: Option<String>,
    /// Trailers of the commit, `Key: value`, above the bot's own.
    pub trailers: Vec<String>,
}

/// A template that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// It cannot be read.
    #[error("line {line} of the template: {message}")]
    Syntax {
        /// Its line in the template.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// It names something that there is not.
    #[error("unknown variable `{0}` (known here: {known})", known = VARIABLES.join(", "))]
    Variable(String),
}

impl Templates {
    /// Whether a template can be read, and names only what there is. `with_text` allows the variable `text`.
    pub fn check(template: &str, with_text: bool) -> Result<(), InvalidTemplate> {
        let environment = environment();
        let syntax = |error: minijinja::Error| InvalidTemplate::Syntax {
            line: error.line().unwrap_or(1),
            message: error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
        };
        let template = environment.template_from_str(template).map_err(syntax)?;
        let mut names: Vec<String> = template.undeclared_variables(false).into_iter().collect();
        names.sort();
        let is_known = |name: &str| VARIABLES.contains(&name) && (with_text || name != "text");
        names.retain(|name| !is_known(name));
        match names.into_iter().next() {
            Some(name) => Err(InvalidTemplate::Variable(name)),
            None => template.render(sample().values()).map(drop).map_err(syntax),
        }
    }

    /// What the merge request says. A template that fails, which a check would have found, gives way to the bot's words.
    pub fn write(&self, facts: &UpdateFacts, limit: TitleLimit) -> Words {
        let values = facts.values();
        let render = |template: &Option<String>| {
            let source = template.as_deref()?;
            environment().render_str(source, &values).ok().filter(|text| !text.trim().is_empty())
        };
        let own = match &self.semantic {
            Some(prefix) => format!("{prefix}: {}", lower_first(&facts.title)),
            None => facts.title.clone(),
        };
        let line = one_line(&render(&self.title).unwrap_or(own));
        let title = limit.cut(&line).to_owned();
        Words {
            commit_message: render(&self.commit_message).unwrap_or_else(|| title.clone()),
            text: render(&self.body).unwrap_or_else(|| facts.text.clone()),
            title,
        }
    }
}

impl UpdateFacts {
    fn values(&self) -> Value {
        let [renamed, added, removed] = self.keys;
        let text = |text: &str| Value::from(markdown::title(text));
        let values: BTreeMap<&str, Value> = [
            ("producer", text(&self.producer)),
            ("project", text(&self.project)),
            ("target_branch", text(&self.target_branch)),
            ("from", text(&self.from)),
            ("to", text(&self.to)),
            ("update_type", text(&self.update_type)),
            ("renamed", Value::from(renamed)),
            ("added", Value::from(added)),
            ("removed", Value::from(removed)),
            ("text", Value::from(self.text.as_str())),
        ]
        .into();
        Value::from(values)
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
}

/// Some update, to try a template with.
fn sample() -> UpdateFacts {
    UpdateFacts {
        producer: "producer".to_owned(),
        project: "group/project".to_owned(),
        target_branch: "main".to_owned(),
        from: "0.4.11".to_owned(),
        to: "0.4.12".to_owned(),
        update_type: "patch".to_owned(),
        keys: [1, 1, 1],
        title: "Update".to_owned(),
        text: "text".to_owned(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: TitleLimit = TitleLimit(255);

    fn facts() -> UpdateFacts {
        UpdateFacts {
            producer: "images @all".into(),
            title: "Update images to 0.4.12".into(),
            text: "The bot's text.".into(),
            ..sample()
        }
    }

    #[test]
    fn without_templates_the_bot_speaks() {
        let words = Templates::default().write(&facts(), LIMIT);
        assert_eq!(words.title, "Update images to 0.4.12");
        assert_eq!(words.commit_message, words.title);
        assert_eq!(words.text, "The bot's text.");
        let semantic = Templates { semantic: Some("chore(deps)".into()), ..Templates::default() };
        assert_eq!(semantic.write(&facts(), LIMIT).title, "chore(deps): update images to 0.4.12");
    }

    #[test]
    fn templates_are_filled_in_and_what_comes_from_outside_is_inert() {
        let templates = Templates {
            title: Some("[{{ target_branch }}]\n{{ producer }} {{ from }} → {{ to }}".into()),
            commit_message: Some("Move to {{ to }}\n\n{{ renamed }} keys\n".into()),
            body: Some("Ask @images-team.\n\n{{ text }}".into()),
            ..Templates::default()
        };
        let words = templates.write(&facts(), LIMIT);
        assert_eq!(words.title, "[main] images @\u{200b}all 0.4.11 → 0.4.12");
        assert_eq!(words.commit_message, "Move to 0.4.12\n\n1 keys");
        assert_eq!(words.text, "Ask @images-team.\n\nThe bot's text.");
    }

    #[test]
    fn a_template_that_cannot_be_used_says_why() {
        for (template, with_text, expected) in [
            ("{{ to }}", false, None),
            ("{{ text }}", true, None),
            ("{% if update_type == 'align' %}{{ to }}{% endif %}", false, None),
            ("{{ text }}", false, Some("unknown variable `text`")),
            ("{{ version }}", false, Some("unknown variable `version`")),
            ("one\n{{ to", false, Some("line 2 of the template")),
            ("{{ to|nonsense }}", false, Some("line 1 of the template")),
        ] {
            let error = Templates::check(template, with_text).err().map(|error| error.to_string());
            match expected {
                None => assert_eq!(error, None, "{template}"),
                Some(start) => assert!(error.clone().unwrap().starts_with(start), "{template}: {error:?}"),
            }
        }
    }
}
