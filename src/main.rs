//! dibump
fn main() {}
