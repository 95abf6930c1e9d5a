//! Look-up of 600 repositories, beside curl.

/// All rows.
pub fn all() {}
