//! Servers that behave like the real ones: they keep state and speak HTTP on the loopback interface. For tests, for
//! the demo and for benchmarks.

pub(crate) mod oci;
