#![doc = include_str!("../ARCHITECTURE.md")]

pub mod budget;
pub mod release;
pub mod values;
pub mod template;
pub mod sylva;
pub mod signature;
pub mod reconcile;
pub mod os_image;
pub mod image_store;
pub mod check;
pub mod schedule;
pub mod markdown;
pub mod plan;
pub mod merge_request;

pub mod registry;
pub mod blob;
pub mod image_folder;
pub mod catalogue;
pub mod forge;
pub mod store;
pub mod cluster;
pub mod ending;
mod forge_api;

pub mod http;
pub mod oci;
pub mod github;
pub mod gitlab;
#[cfg(feature = "kube")]
pub mod kube;
pub mod disk;

pub mod observe;
pub mod apply;
pub mod pull;
pub mod run;
pub mod serve;

pub mod config;
pub mod onboarding;
pub mod web;
pub mod wiring;
pub mod report;
pub mod cli;
