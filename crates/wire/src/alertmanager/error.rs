//! The two shapes of complaints: a bare string from handlers, a code with a message from the
//! layer that checks requests against the schema.

use serde_json::json;

/// The body cannot be read.
const PARSE_ERROR: u16 = 400;
/// The request's media type is not JSON.
const UNSUPPORTED_MEDIA_TYPE: u16 = 415;
/// A value does not have its format.
const INVALID_FORMAT: u16 = 601;
/// Something required is missing.
const REQUIRED: u16 = 602;
/// A list is too short.
const TOO_FEW_ITEMS: u16 = 612;
/// Codes from here on are no HTTP status; they are all sent as 422.
const FIRST_VALIDATION_CODE: u16 = 600;

/// A refusal as Alertmanager's clients expect it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// `{"code":…,"message":…}`; codes from 600 on are sent with status 422.
    #[error("{message}")]
    Schema {
        /// The code, which is the HTTP status below 600.
        code: u16,
        /// For people.
        message: String,
    },
    /// A bare JSON string.
    #[error("{message}")]
    Handler {
        /// The HTTP status.
        status: u16,
        /// For people.
        message: String,
    },
    /// A status without a body.
    #[error("status {status}")]
    Empty {
        /// The HTTP status.
        status: u16,
    },
}

impl ApiError {
    /// Returns the complaint about a body that cannot be read.
    pub fn unreadable(parameter: &str, why: &str) -> Self {
        let message = format!("parsing {parameter} body from \"\" failed, because {why}");
        Self::Schema { code: PARSE_ERROR, message }
    }

    /// Returns the complaint about something that must be there; `place` is like
    /// `0.labels in body`.
    pub fn required(place: &str) -> Self {
        Self::Schema { code: REQUIRED, message: format!("{place} is required") }
    }

    /// Returns the complaint about a value that lacks its format.
    pub fn format(place: &str, format: &str, value: &str) -> Self {
        let value = tocsin_core::quote::go(value);
        let message = format!("{place} must be of type {format}: {value}");
        Self::Schema { code: INVALID_FORMAT, message }
    }

    /// Returns the complaint about an empty list that must not be empty.
    pub fn too_few(place: &str) -> Self {
        let message = format!("{place} should have at least 1 items");
        Self::Schema { code: TOO_FEW_ITEMS, message }
    }

    /// Returns the complaint about a media type that is not JSON.
    pub fn media_type(given: &str) -> Self {
        let given = tocsin_core::quote::go(given);
        let message =
            format!("unsupported media type {given}, only [application/json] are allowed");
        Self::Schema { code: UNSUPPORTED_MEDIA_TYPE, message }
    }

    /// Returns a handler's complaint with status 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::Handler { status: 400, message: message.into() }
    }

    /// Returns the HTTP status to send.
    pub fn status(&self) -> u16 {
        match self {
            Self::Schema { code, .. } if *code >= FIRST_VALIDATION_CODE => 422,
            Self::Schema { code: status, .. }
            | Self::Handler { status, .. }
            | Self::Empty { status } => *status,
        }
    }

    /// Returns the JSON to send, empty when there is none.
    pub fn body(&self) -> String {
        match self {
            Self::Schema { code, message } => {
                json!({ "code": code, "message": message }).to_string()
            }
            Self::Handler { message, .. } => json!(message).to_string(),
            Self::Empty { .. } => String::new(),
        }
    }
}

/// Returns what Go would say of a pattern that does not compile: its words where the reason has
/// the same name there, ours otherwise.
pub fn regex_complaint(pattern: &str, ours: &str) -> String {
    const SAME: [(&str, &str); 9] = [
        ("unclosed group", "missing closing )"),
        ("unopened group", "unexpected )"),
        ("unclosed character class", "missing closing ]"),
        ("repetition operator missing expression", "missing argument to repetition operator"),
        ("trailing backslash", "trailing backslash at end of expression"),
        ("invalid repetition count range", "invalid repeat count"),
        ("repeats a repetition", "invalid nested repetition operator"),
        ("look-around", "invalid or unsupported Perl syntax"),
        ("invalid character class range", "invalid character class range"),
    ];
    let ours = ours.trim_start_matches("error: ");
    match SAME.iter().find(|(name, _)| ours.contains(name)) {
        Some((_, words)) => format!("error parsing regexp: {words}: `{pattern}`"),
        None => format!("error parsing regexp: {ours}: `{pattern}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_have_the_recorded_shapes() {
        let missing = ApiError::required("0.labels in body");
        assert_eq!(missing.status(), 422);
        assert_eq!(missing.body(), r#"{"code":602,"message":"0.labels in body is required"}"#);
        let string = ApiError::bad_request("at least one label pair required");
        assert_eq!(string.status(), 400);
        assert_eq!(string.body(), r#""at least one label pair required""#);
        let media = ApiError::media_type("text/plain");
        assert_eq!(media.status(), 415);
        assert_eq!(
            media.body(),
            r#"{"code":415,"message":"unsupported media type \"text/plain\", only [application/json] are allowed"}"#
        );
    }

    #[test]
    fn patterns_are_refused_in_gos_words() {
        assert_eq!(
            regex_complaint("^(?:()$", "error: unclosed group"),
            "error parsing regexp: missing closing ): `^(?:()$`"
        );
    }
}
