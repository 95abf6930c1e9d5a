//! Functions of numbers.

use serde_json::Number;

use super::Answer;
use super::arguments::Arguments;
use crate::template::given::Given;
use crate::template::shared::Shared;

/// A number without its fraction; a text that is no number is 0 (spf13/cast).
pub(super) fn int<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    Ok(Given::new(arguments.given[0].value().map(whole).unwrap_or_default()))
}

/// The sum of whole numbers, each as `int` gives it.
pub(super) fn add<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let numbers = arguments.given.iter().filter_map(Given::value).map(whole);
    Ok(Given::new(numbers.fold(0, i64::wrapping_add)))
}

fn whole(value: &Shared<'_>) -> i64 {
    let whole = |number: &Number| number.as_i64().or_else(|| number.as_f64().map(truncated));
    let number = value.number().and_then(whole);
    let number = number.or_else(|| value.text().and_then(|text| text.parse().ok()));
    number.or_else(|| value.bool().map(i64::from)).unwrap_or_default()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float beyond the range is as wrong as what Go makes of it"
)]
fn truncated(float: f64) -> i64 {
    float as i64
}
