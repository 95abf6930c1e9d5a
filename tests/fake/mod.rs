//! Servers that behave like the real ones: they keep state and speak HTTP on the loopback interface. For tests, for
//! the demo and for benchmarks.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "each of them uses a part")]

pub mod cosign;
pub mod docker_registry;
pub mod git;
pub mod github;
pub mod gitlab;
pub mod kube;
pub mod oci;
pub mod server;
pub mod spoiling_proxy;
pub mod wire;
