//! Bodies of requests.

use std::fmt::Write as _;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use tocsin_wire::v1::{FieldError, ProblemCode};

use super::objects;
use super::problem::{Answer, Refusal};
use crate::fallback::unread_body;

/// Reads `T` from a JSON body.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Answer<Self> {
        let RawJson(bytes) = RawJson::from_request(request, state).await?;
        parse(&bytes).map(Self)
    }
}

/// Takes a body as it is.
pub(super) struct Raw(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Answer<Self> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            let code = match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => ProblemCode::BodyTooLarge,
                _ => ProblemCode::InvalidBody,
            };
            Refusal::new(code, unread_body(rejection.status(), &rejection.body_text()))
        })?;
        Ok(Self(bytes))
    }
}

/// Takes a body that calls itself JSON, unread.
pub(super) struct RawJson(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for RawJson {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Answer<Self> {
        check_media_type(request.headers())?;
        Raw::from_request(request, state).await.map(|Raw(bytes)| Self(bytes))
    }
}

fn check_media_type(headers: &HeaderMap) -> Answer<()> {
    let given = headers.get(header::CONTENT_TYPE).map_or(b"".as_slice(), |value| value.as_bytes());
    let given = String::from_utf8_lossy(given);
    let media_type = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media_type == "application/json" {
        return Ok(());
    }
    let detail = format!("the body must have `Content-Type: application/json`, not `{given}`");
    Err(Refusal::new(ProblemCode::UnsupportedMediaType, detail))
}

/// Reads JSON.
///
/// # Errors
/// What is wrong, with its place.
pub(super) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Answer<T> {
    locate(bytes, "").map_err(|error| Refusal::about(ProblemCode::InvalidBody, error))
}

/// Reads JSON that stands at `place` of a body.
///
/// # Errors
/// What is wrong, with its place.
pub(super) fn locate<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    place: &str,
) -> Result<T, FieldError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let mut track = serde_path_to_error::Track::new();
    let reader = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let value = objects::read(reader).map_err(|error| {
        let place = format!("{place}{}", pointer(&track.path()));
        FieldError::at(place, unquoted(&error.to_string()))
    })?;
    json.end().map_err(|error| FieldError::at(place, error.to_string()))?;
    Ok(value)
}

/// Returns what the reader of JSON complains about without the text that stood in a wrong place: it
/// may be a password.
fn unquoted(message: &str) -> String {
    const BEFORE: &str = ": string \"";
    const AFTER: &str = "\", expected ";
    let parts = message.find(BEFORE).zip(message.rfind(AFTER));
    match parts.filter(|(begin, end)| begin + BEFORE.len() <= *end) {
        Some((begin, end)) => {
            let (before, after) = (&message[..begin], &message[end + AFTER.len()..]);
            format!("{before}: a text, expected {after}")
        }
        None => message.to_owned(),
    }
}

/// Returns a place as a JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                let _ = write!(pointer, "/{index}");
            }
            Segment::Map { key } => {
                let _ = write!(pointer, "/{}", key.replace('~', "~0").replace('/', "~1"));
            }
            // What lies beyond has no name, so this is as near as it gets.
            Segment::Enum { .. } | Segment::Unknown => break,
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use tocsin_wire::v1::SilenceDraft;

    use super::*;

    fn complaint(json: &str) -> FieldError {
        let refusal = parse::<SilenceDraft>(json.as_bytes()).unwrap_err();
        assert_eq!(refusal.problem().code, ProblemCode::InvalidBody);
        refusal.problem().errors[0].clone()
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let error = complaint(r#"{"matchers": ["a=1", 7], "created_by": "ada"}"#);
        assert_eq!(error.pointer.as_deref(), Some("/matchers/1"));
        assert!(error.message.starts_with("a matcher is a text"), "{}", error.message);
        let error =
            complaint(r#"{"matchers": [], "created_by": "ada", "annotations": {"a/b": 1}}"#);
        assert_eq!(error.pointer.as_deref(), Some("/annotations/a~1b"));
        let error = complaint(r#"{"matchers": [], "created_by": "ada", "end_at": "x"}"#);
        assert!(error.message.starts_with("unknown field `end_at`, expected"), "{error:?}");
        let error = complaint(r#"[["a=1"], "ada", "why", null, null, null]"#);
        assert!(error.message.starts_with("invalid type: sequence, expected an object"));
        let error = complaint(r#""hunter2, \", expected ""#);
        assert!(error.message.starts_with("invalid type: a text, expected an object"), "{error:?}");
        let error = complaint(r#"{"matchers": "hunter2"}"#);
        assert!(error.message.starts_with("invalid type: a text, expected"), "{error:?}");
        assert!(complaint("{} x").message.contains("missing field"));
        assert!(complaint(r#"{"matchers": [], "created_by": ""} x"#).message.contains("trailing"));
        assert!(complaint("").message.contains("EOF"));
    }
}
