//! Matchers in queries and bodies.

use tocsin_core::matcher::{Matcher, Matchers, ParseMode, parse_matcher};
use tocsin_wire::v1::{FieldError, ProblemCode, WrittenMatcher, compile_matchers};

use super::problem::{Answer, Refusal};

/// The most matchers of one silence, maintenance window or filter.
const MAX_MATCHERS: usize = 100;

/// Reads the values of the parameter `filter`; all of them must hold.
///
/// # Errors
/// The first that cannot be read, with the place in it.
pub(super) fn from_filter(texts: &[String], mode: ParseMode) -> Answer<Vec<Matcher>> {
    let read = |text: &String| match parse_matcher(text, mode) {
        Ok(parsed) => Ok(parsed.value),
        Err(error) => {
            let error = FieldError::of("filter", error.message).with_offset(error.offset);
            Err(Refusal::about(ProblemCode::InvalidMatcher, error))
        }
    };
    texts.iter().map(read).collect()
}

/// Reads the matchers at `/matchers` of a body.
///
/// # Errors
/// There are none or too many, or each that cannot be read.
pub(super) fn from_body(written: &[WrittenMatcher], mode: ParseMode) -> Answer<Matchers> {
    if written.is_empty() {
        return Err(Refusal::field("/matchers", "at least one matcher is needed"));
    }
    if written.len() > MAX_MATCHERS {
        let message = format!("there are more than {MAX_MATCHERS} matchers");
        return Err(Refusal::field("/matchers", message));
    }
    compile_matchers(written, mode).map_err(|errors| {
        let errors = errors.into_iter().map(|error| FieldError {
            offset: error.offset,
            ..FieldError::at(format!("/matchers/{}", error.index), error.message)
        });
        Refusal::fields(errors.collect())
    })
}
