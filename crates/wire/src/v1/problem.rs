//! What went wrong, as problem details (RFC 9457) with a stable code.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $status:literal, $text:literal, $title:literal;)*) => {
        /// Why a request was refused. Codes never change their meaning; new ones may be added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum ProblemCode {
            $($(#[doc = $doc])+ $name,)*
        }

        impl ProblemCode {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the code as it is written in answers.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Returns the HTTP status that goes with the code.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Returns the same few words for every problem with the code.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// Returns what the code means, for documentation.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)* }
            }
        }
    };
}

codes! {
    /// A query parameter does not exist.
    UnknownParameter = 400, "unknown_parameter", "Unknown parameter";
    /// A query or path parameter has a value that cannot be.
    InvalidParameter = 400, "invalid_parameter", "Invalid parameter";
    /// A cursor was not given out by this list.
    InvalidCursor = 400, "invalid_cursor", "Invalid cursor";
    /// A matcher cannot be read.
    InvalidMatcher = 400, "invalid_matcher", "Invalid matcher";
    /// The body is not JSON, or not of the documented shape.
    InvalidBody = 400, "invalid_body", "Invalid body";
    /// The body has the documented shape but makes no sense; `errors` names each place.
    Unprocessable = 422, "unprocessable", "Unprocessable content";
    /// It is not known who asks: the key, token, password or session is missing, wrong or over.
    Unauthorized = 401, "unauthorized", "Unauthorized";
    /// The password is right, and a code of the second factor is needed, too.
    SecondFactorRequired = 401, "second_factor_required", "Second factor required";
    /// Whoever asks may not do this.
    Forbidden = 403, "forbidden", "Forbidden";
    /// There is nothing with that path, id, name or number.
    NotFound = 404, "not_found", "Not found";
    /// The path exists, the method does not; `Allow` lists those that do.
    MethodNotAllowed = 405, "method_not_allowed", "Method not allowed";
    /// Something of that name exists already.
    AlreadyExists = 409, "already_exists", "Already exists";
    /// As things stand this cannot be done; the detail says what is in the way.
    Conflict = 409, "conflict", "Conflict";
    /// It does not go there from where it stands; `allowed` says where it does.
    TransitionDenied = 409, "transition_denied", "Transition denied";
    /// It has changed meanwhile; look at it again.
    Stale = 412, "stale", "Changed meanwhile";
    /// The configuration file provisions it, so it can only be changed there.
    Provisioned = 409, "provisioned", "Provisioned by the configuration";
    /// As many as there may be exist already.
    LimitReached = 409, "limit_reached", "Limit reached";
    /// The body is larger than one may be.
    BodyTooLarge = 413, "body_too_large", "Body too large";
    /// The body calls itself something other than JSON.
    UnsupportedMediaType = 415, "unsupported_media_type", "Unsupported media type";
    /// This client asks too often; `Retry-After` says when to come back.
    RateLimited = 429, "rate_limited", "Too many requests";
    /// The server met a defect of its own, which has been logged.
    Internal = 500, "internal", "Internal error";
    /// As many GET requests as there may be are worked on at the moment.
    TooManyGets = 503, "too_many_gets", "Overloaded";
    /// As many followers as there may be follow the stream already.
    TooManyFollowers = 503, "too_many_followers", "Too many followers";
    /// The engine has more work waiting than it may.
    Overloaded = 503, "overloaded", "Overloaded";
    /// The change could not be written to disk, so nothing of it happened.
    NotWritten = 503, "not_written", "Not written";
    /// The history cannot be read at the moment.
    HistoryUnavailable = 503, "history_unavailable", "History unavailable";
    /// The server is stopping.
    Stopping = 503, "stopping", "Stopping";
    /// The request took longer than one may.
    Timeout = 503, "timeout", "Took too long";
}

/// Problem details (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A URI for the kind of problem: `urn:tocsin:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:tocsin:problem:invalid_cursor")]
    pub kind: String,
    /// A few words, the same for every problem of the kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time, for people.
    pub detail: String,
    /// What went wrong, for programs.
    pub code: ProblemCode,
    /// The places that are at fault, as far as there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// What would be possible instead, as far as that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
}

/// One place that is at fault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// The place in the body (RFC 6901).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "/matchers/0")]
    pub pointer: Option<String>,
    /// The query or path parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// The byte within the value at which reading it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    /// What is wrong there.
    pub message: String,
}

impl FieldError {
    /// Returns a complaint about a place in the body.
    pub fn at(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), message: message.into(), ..Self::default() }
    }

    /// Returns a complaint about a parameter.
    pub fn of(parameter: impl Into<String>, message: impl Into<String>) -> Self {
        Self { parameter: Some(parameter.into()), message: message.into(), ..Self::default() }
    }

    /// Adds the byte at which reading the value failed.
    #[must_use]
    pub fn with_offset(mut self, offset: usize) -> Self {
        self.offset = Some(offset);
        self
    }
}

impl Problem {
    /// Returns a problem without places.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:tocsin:problem:{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            code,
            errors: Vec::new(),
            allowed: Vec::new(),
        }
    }

    /// Returns a problem with one place, whose complaint is also the detail.
    pub fn about(code: ProblemCode, error: FieldError) -> Self {
        let place = error.pointer.as_deref().or(error.parameter.as_deref()).unwrap_or_default();
        Self::new(code, format!("`{place}`: {}", error.message)).with_errors(vec![error])
    }

    /// Adds places.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_written_with_its_code_and_places() {
        let error = FieldError::of("filter", "bad matcher format: foo").with_offset(3);
        let problem = Problem::about(ProblemCode::InvalidMatcher, error);
        assert_eq!(
            serde_json::to_value(&problem).unwrap(),
            serde_json::json!({
                "type": "urn:tocsin:problem:invalid_matcher",
                "title": "Invalid matcher",
                "status": 400,
                "detail": "`filter`: bad matcher format: foo",
                "code": "invalid_matcher",
                "errors": [
                    { "parameter": "filter", "offset": 3, "message": "bad matcher format: foo" }
                ],
            })
        );
    }

    #[test]
    fn every_code_is_written_as_it_says() {
        for code in ProblemCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!((400..600).contains(&code.status()));
            assert!(code.meaning().ends_with('.'), "{code:?}");
        }
    }
}
