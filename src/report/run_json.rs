//! A run for programs. The shape is `config/run.schema.json`; a change of it changes the number in `schema`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::plan_json::{self, PlanReport};
use crate::run::JobReport;

/// The shape's name and version.
pub const SCHEMA: &str = "dibump.run/1";

/// A run.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "dibump run")]
pub struct RunReport<'a> {
    /// `dibump.run/1`.
    pub schema: &'static str,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// Which part of the targets it was about, where it was one of several runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<ShardReport>,
    /// How many target branches ended in each outcome.
    pub outcomes: BTreeMap<&'static str, usize>,
    /// Each target branch.
    pub branches: Vec<&'a BranchReport>,
}

/// One of several runs that share a fleet.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ShardReport {
    /// Its number, from 1.
    pub index: u32,
    /// How many shards there are.
    pub of: u32,
    /// How many targets are its own.
    pub targets: usize,
    /// How many targets there are.
    pub of_targets: usize,
}

/// One target branch.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BranchReport {
    /// The project.
    pub project: String,
    /// The target branch.
    pub branch: String,
    /// The producer.
    pub producer: String,
    /// How it ended: the name of the outcome.
    pub outcome: &'static str,
    /// Why, where the outcome has a reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What else a person should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The merge request, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge_request: Option<MergeRequestReport>,
    /// The plan, where it came to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanReport>,
}

/// A merge request.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MergeRequestReport {
    /// Its number in the project.
    pub number: u64,
    /// Its page.
    pub url: String,
}

/// The JSON form of a run, from its target branches.
pub fn report(branches: Vec<&BranchReport>, dry_run: bool, shard: Option<ShardReport>) -> RunReport<'_> {
    let mut outcomes = BTreeMap::new();
    for branch in &branches {
        *outcomes.entry(branch.outcome).or_default() += 1;
    }
    RunReport { schema: SCHEMA, dry_run, shard, outcomes, branches }
}

/// One target branch.
pub fn branch(report: &JobReport) -> BranchReport {
    BranchReport {
        project: report.project.clone(),
        branch: report.branch.to_string(),
        producer: report.producer.clone(),
        outcome: report.outcome.name(),
        reason: report.outcome.reason().map(str::to_owned),
        note: report.note.clone(),
        merge_request: report
            .merge_request
            .as_ref()
            .map(|(number, url)| MergeRequestReport { number: *number, url: url.clone() }),
        plan: report.plan.as_ref().map(plan_json::report),
    }
}
