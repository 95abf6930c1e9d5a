//! Servers that behave like the real ones: they keep state and speak HTTP on the loopback interface. For tests, for
//! the demo and for benchmarks.

pub(crate) mod oci;
//! Servers that behave: they keep state and speak HTTP on the loopback interface, for the tests and the demo.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "tests and demo each use a part")]

pub mod gitlab;
