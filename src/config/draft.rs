//! A first configuration: what is known of a checkout as `dibump.yaml`, with the reasons as comments.
//!
//! It is written in the form as it is read, and what has its default is left out.

use serde::Serialize;

use super::meant::ForgeKind;
use super::raw::{RawForge, RawKubernetesVersions, RawProducer, RawTarget};
use super::show::file;
use crate::plan::Target;
use crate::release::{Prefix, one_line};

/// What a first configuration says.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The producers, each with a name of its own.
    pub producers: Vec<DraftProducer>,
    /// Which forge it is.
    pub kind: ForgeKind,
    /// Its address, where it is not the public one.
    pub url: Option<String>,
    /// The path of the project.
    pub project: String,
    /// What is kept in step in it.
    pub targets: Vec<DraftTarget>,
}

/// A producer of a first configuration.
#[derive(Debug, Clone)]
pub struct DraftProducer {
    /// Its name.
    pub name: String,
    /// Where it publishes.
    pub registry: Prefix,
    /// Whether its registry speaks HTTP without TLS.
    pub plain_http: bool,
    /// Comment lines that say why it is there.
    pub why: Vec<String>,
}

/// A target of a first configuration.
#[derive(Debug, Clone)]
pub struct DraftTarget {
    /// The name of its producer.
    pub producer: String,
    /// Its files, and what else follows.
    pub target: Target,
    /// Comment lines that say why it is there.
    pub why: Vec<String>,
}

const HEAD: &str = "\
# What dibump keeps in step in this repository, as `dibump init` found it.
# `dibump config example` shows every setting, `dibump plan` what a merge request would change.
version: 1
";

impl Draft {
    /// The text of `dibump.yaml`.
    pub fn text(&self) -> String {
        let producers = self.producers.iter().map(|producer| item(&producer.why, &self.producer(producer)));
        let targets = self.targets.iter().map(|target| item(&target.why, &self.target(target)));
        let mut text = format!("{HEAD}\nproducers:\n{}", producers.collect::<Vec<_>>().join("\n"));
        if let forge @ [_, ..] = written(&self.forge()).as_slice() {
            text += &format!("\nforge:\n{}", indented(forge, "  ", "  "));
        }
        text + &format!("\ntargets:\n{}", targets.collect::<Vec<_>>().join("\n"))
    }

    /// The last segment of the prefix is its name anyhow.
    fn producer(&self, producer: &DraftProducer) -> RawProducer {
        let name = Some(producer.name.clone()).filter(|name| name != producer.registry.producer());
        RawProducer {
            registry: producer.registry.to_string(),
            name,
            plain_http: producer.plain_http,
            ..RawProducer::default()
        }
    }

    fn forge(&self) -> RawForge {
        RawForge { kind: self.kind, url: self.url.clone(), ..RawForge::default() }
    }

    fn target(&self, DraftTarget { producer, target, .. }: &DraftTarget) -> RawTarget {
        RawTarget {
            project: self.project.clone(),
            producer: Some(producer.clone()).filter(|_| self.producers.len() > 1),
            files: target.files.iter().map(|spec| file(spec, target.registry_key.as_ref()).short()).collect(),
            references: target.references.written().to_vec(),
            kubernetes_versions: RawKubernetesVersions::of(&target.kubernetes_versions),
            ..RawTarget::default()
        }
    }
}

/// An item of a list below its comment. A path may hold a line end, and a comment may not.
fn item(why: &[String], value: &(impl Serialize + Default)) -> String {
    let comment: String = why.iter().map(|line| format!("  # {}\n", one_line(line))).collect();
    comment + &indented(&written(value), "  - ", "    ")
}

fn indented(lines: &[String], first: &str, others: &str) -> String {
    let line = |(i, line): (usize, &String)| format!("{}{line}\n", if i == 0 { first } else { others });
    lines.iter().enumerate().map(line).collect()
}

/// The lines of a mapping, without the keys whose values are the default's.
fn written<T: Serialize + Default>(value: &T) -> Vec<String> {
    // Texts, lists and mappings with text keys can always be written as YAML.
    let text = serde_yaml::to_string(value).unwrap_or_default();
    let default = serde_yaml::to_string(&T::default()).unwrap_or_default();
    let is_default = |block: &Vec<&str>| blocks(&default).contains(block);
    blocks(&text).into_iter().filter(|block| !is_default(block)).flatten().map(str::to_owned).collect()
}

/// The keys of a mapping, each with the lines of its value.
fn blocks(text: &str) -> Vec<Vec<&str>> {
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    for line in text.lines() {
        match blocks.last_mut() {
            Some(block) if line.starts_with([' ', '-']) => block.push(line),
            _ => blocks.push(vec![line]),
        }
    }
    blocks
}
