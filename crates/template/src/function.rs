//! Functions that templates call.

use jiff::Timestamp;

use crate::value::Value;

/// A function by name. The error is a sentence without a place; the place is added by who calls.
pub type Function = fn(&Call<'_>) -> Result<Value, String>;

/// One call: what a function gets.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The arguments in order; what is piped in comes last.
    pub arguments: &'a [Value],
    /// The present time.
    pub now: Timestamp,
}
