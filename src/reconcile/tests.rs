//! Stories of reconciliation as tables, and properties that hold for all of them.

mod properties;
mod rules;
mod stories;
mod world;
