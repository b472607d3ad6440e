//! `POST /api/v2/silences`: decoding and checking.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use tocsin_core::ids::SilenceId;
use tocsin_core::matcher::{MatchOp, Matcher, Matchers, ParseMode};
use tocsin_core::quote;
use tocsin_core::silence::{SilenceRejection, SilenceRequest};

use super::error::{ApiError, regex_complaint};
use super::slow::{self, Fields};
use super::time;

/// A silence as it was posted; not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedSilence {
    id: String,
    matchers: Vec<PostedMatcher>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    created_by: String,
    comment: String,
    annotations: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct PostedMatcher {
    name: String,
    value: String,
    op: MatchOp,
}

/// Decodes a body.
///
/// # Errors
/// The body is no JSON, has the wrong shape, or lacks what the schema demands.
pub fn decode_silence(body: &[u8]) -> Result<PostedSilence, ApiError> {
    let value = match slow::read(body, "silence")? {
        Value::Null => Value::Object(serde_json::Map::new()),
        value => value,
    };
    let unreadable = |why: String| ApiError::unreadable("silence", &why);
    let fields = Fields::of(&value, "models.PostableSilence").map_err(unreadable)?;
    let written = Written::read(fields).map_err(unreadable)?;

    // The order of the checks decides which of several omissions is reported.
    let comment = written.comment.ok_or_else(|| ApiError::required("comment in body"))?;
    let created_by = written.created_by.ok_or_else(|| ApiError::required("createdBy in body"))?;
    let ends_at = written.ends_at.ok_or_else(|| ApiError::required("endsAt in body"))?;
    let items = written.matchers.ok_or_else(|| ApiError::required("matchers in body"))?;
    if items.is_empty() {
        return Err(ApiError::too_few("matchers in body"));
    }
    let matchers = items.into_iter().enumerate().map(|(i, item)| item.check(i));
    let matchers = matchers.collect::<Result<_, _>>()?;
    let starts_at = written.starts_at.ok_or_else(|| ApiError::required("startsAt in body"))?;
    let annotations = written.annotations.unwrap_or_default();
    Ok(PostedSilence {
        id: written.id.to_owned(),
        matchers,
        starts_at: starts_at.unwrap_or_else(time::go_zero),
        ends_at: ends_at.unwrap_or_else(time::go_zero),
        created_by: created_by.to_owned(),
        comment: comment.to_owned(),
        annotations: annotations.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
    })
}

/// All fields with their types checked and nothing else.
struct Written<'a> {
    id: &'a str,
    comment: Option<&'a str>,
    created_by: Option<&'a str>,
    ends_at: Option<Option<Timestamp>>,
    starts_at: Option<Option<Timestamp>>,
    matchers: Option<Vec<WrittenMatcher<'a>>>,
    annotations: Option<Vec<(&'a str, &'a str)>>,
}

struct WrittenMatcher<'a> {
    is_equal: Option<bool>,
    is_regex: Option<bool>,
    name: Option<&'a str>,
    value: Option<&'a str>,
}

impl<'a> Written<'a> {
    fn read(fields: Fields<'a>) -> Result<Self, String> {
        let silence = fields.named("Silence");
        let matchers = match silence.get("matchers") {
            None => None,
            Some(Value::Array(items)) => {
                Some(items.iter().map(WrittenMatcher::read).collect::<Result<_, _>>()?)
            }
            Some(other) => {
                return Err(silence.wrong_type(other, "matchers", "models.Matchers"));
            }
        };
        Ok(Self {
            id: fields.string("id")?.unwrap_or_default(),
            annotations: silence.strings("annotations")?,
            comment: silence.string("comment")?,
            created_by: silence.string("createdBy")?,
            ends_at: silence.instant("endsAt")?,
            matchers,
            starts_at: silence.instant("startsAt")?,
        })
    }
}

impl<'a> WrittenMatcher<'a> {
    fn read(item: &'a Value) -> Result<Self, String> {
        if item.is_null() {
            return Ok(Self { is_equal: None, is_regex: None, name: None, value: None });
        }
        let fields = Fields::of(item, "models.Matcher")?.named("Matcher.matchers");
        Ok(Self {
            is_equal: fields.boolean("isEqual")?,
            is_regex: fields.boolean("isRegex")?,
            name: fields.string("name")?,
            value: fields.string("value")?,
        })
    }

    fn check(self, index: usize) -> Result<PostedMatcher, ApiError> {
        let missing = |field| ApiError::required(&format!("matchers.{index}.{field} in body"));
        let is_regex = self.is_regex.ok_or_else(|| missing("isRegex"))?;
        let name = self.name.ok_or_else(|| missing("name"))?.to_owned();
        let value = self.value.ok_or_else(|| missing("value"))?.to_owned();
        let op = MatchOp::from_flags(self.is_equal.unwrap_or(true), is_regex);
        Ok(PostedMatcher { name, value, op })
    }
}

impl PostedSilence {
    /// Checks what can be checked without knowing other silences and returns what to ask of the
    /// engine.
    ///
    /// # Errors
    /// What Alertmanager would answer.
    pub fn into_request(self, now: Timestamp, mode: ParseMode) -> Result<SilenceRequest, ApiError> {
        if self.starts_at >= self.ends_at {
            return Err(rejection(&SilenceRejection::EndsBeforeStart));
        }
        if self.ends_at < now {
            return Err(rejection(&SilenceRejection::EndsInPast));
        }
        let matchers = self.matchers.into_iter().enumerate().map(|(i, m)| m.compile(i, mode));
        let matchers = Matchers::new(matchers.collect::<Result<_, _>>()?);
        if matchers.iter().all(|matcher| matcher.matches_value("")) {
            return Err(rejection(&SilenceRejection::MatchesEverything));
        }
        let id = match self.id.as_str() {
            "" => None,
            // What is no UUID cannot be the id of any silence.
            text => Some(parse_id(text).ok_or_else(|| rejection(&SilenceRejection::NotFound))?),
        };
        Ok(SilenceRequest {
            id,
            matchers,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            created_by: self.created_by,
            comment: self.comment,
            annotations: self.annotations,
        })
    }
}

impl PostedMatcher {
    fn compile(self, index: usize, mode: ParseMode) -> Result<Matcher, ApiError> {
        let refuse = |why: String| {
            let text = format!("invalid silence: invalid label matcher {index} in set 0: {why}");
            ApiError::bad_request(text)
        };
        let is_valid = match mode {
            ParseMode::Classic => quote::is_classic_name(&self.name),
            ParseMode::Fallback | ParseMode::Utf8Strict => !self.name.is_empty(),
        };
        if !is_valid {
            return Err(refuse(format!("invalid label name {}", quote::go(&self.name))));
        }
        Matcher::new(self.name, self.op, self.value).map_err(|bad| {
            let pattern = quote::go(&bad.pattern);
            let why = regex_complaint(&bad.pattern, &bad.message);
            refuse(format!("invalid regular expression {pattern}: {why}"))
        })
    }
}

/// Returns the answer that a silence's rejection deserves.
pub fn rejection(rejection: &SilenceRejection) -> ApiError {
    match rejection {
        SilenceRejection::NotFound => {
            ApiError::Handler { status: 404, message: rejection.to_string() }
        }
        SilenceRejection::EndsBeforeStart | SilenceRejection::EndsInPast => {
            ApiError::bad_request(format!("Failed to create silence: {rejection}"))
        }
        SilenceRejection::MatchesEverything => {
            ApiError::bad_request(format!("invalid silence: matcher set 0: {rejection}"))
        }
        SilenceRejection::TooMany { .. } | SilenceRejection::TooLarge { .. } => {
            ApiError::bad_request(rejection.to_string())
        }
    }
}

/// Reads the id in a path.
///
/// # Errors
/// The text is no UUID.
pub fn parse_silence_id(text: &str) -> Result<SilenceId, ApiError> {
    parse_id(text).ok_or_else(|| ApiError::format("silenceID in path", "uuid", text))
}

/// Reads the two forms of a UUID that the schema allows; braces and `urn:` are not among them.
fn parse_id(text: &str) -> Option<SilenceId> {
    matches!(text.len(), 32 | 36).then(|| SilenceId::parse_str(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T15:10:24.979Z".parse().unwrap()
    }

    fn body(matchers: &str, extra: &str) -> String {
        format!(
            r#"{{"matchers":{matchers},"startsAt":"2026-11-20T15:00:00Z","endsAt":"2027-01-01T00:00:00Z","createdBy":"ops","comment":"maint"{extra}}}"#
        )
    }

    fn request(body: &str, mode: ParseMode) -> Result<SilenceRequest, ApiError> {
        decode_silence(body.as_bytes())?.into_request(now(), mode)
    }

    fn refused(body: &str) -> (u16, String) {
        let error = request(body, ParseMode::Fallback).unwrap_err();
        (error.status(), error.body())
    }

    const PLAIN: &str = r#"[{"name":"alertname","value":"PgDown","isRegex":false}]"#;

    #[test]
    fn a_silence_is_read_and_is_equal_by_default() {
        let body = body(
            r#"[{"name":"b","value":"x.*","isRegex":true,"isEqual":false},{"name":"a","value":"1","isRegex":false}]"#,
            r#","annotations":{"ticket":"7"}"#,
        );
        let request = request(&body, ParseMode::Fallback).unwrap();
        assert_eq!(request.matchers.to_string(), r#"{a="1",b!~"x.*"}"#);
        assert_eq!(request.id, None);
        assert_eq!((request.created_by.as_str(), request.comment.as_str()), ("ops", "maint"));
        assert_eq!(request.annotations["ticket"], "7");
    }

    #[test]
    fn an_id_that_is_no_uuid_is_not_found() {
        let known = "e4caac33-3bc6-4ef1-8766-cd4b2ee4ca64";
        let request =
            request(&body(PLAIN, &format!(r#","id":"{known}""#)), ParseMode::Fallback).unwrap();
        assert_eq!(request.id.unwrap().to_string(), known);
        let not_found = (404, r#""silence not found""#.to_owned());
        assert_eq!(refused(&body(PLAIN, r#","id":"xyz""#)), not_found);
    }

    #[test]
    fn the_schema_is_checked_as_recorded() {
        let message = |code: u16, text: &str| {
            (422, serde_json::json!({ "code": code, "message": text }).to_string())
        };
        assert_eq!(refused("{}"), message(602, "comment in body is required"));
        assert_eq!(refused("null"), message(602, "comment in body is required"));
        assert_eq!(refused(""), message(602, "silence in body is required"));
        assert_eq!(
            refused(&body("[]", "")),
            message(612, "matchers in body should have at least 1 items")
        );
        assert_eq!(
            refused(&body(r#"[{"name":"a","value":"1"}]"#, "")),
            message(602, "matchers.0.isRegex in body is required")
        );
        assert_eq!(
            refused(&body(r#"[{"value":"1","isRegex":false}]"#, "")),
            message(602, "matchers.0.name in body is required")
        );
        let no_start = body(PLAIN, "").replace(r#""startsAt":"2026-11-20T15:00:00Z","#, "");
        assert_eq!(refused(&no_start), message(602, "startsAt in body is required"));
    }

    #[test]
    fn silences_that_make_no_sense_are_refused_as_recorded() {
        let string = |text: &str| (400, serde_json::json!(text).to_string());
        assert_eq!(
            refused(&body(r#"[{"name":"a","value":"","isRegex":false}]"#, "")),
            string(
                "invalid silence: matcher set 0: at least one matcher must not match the empty string"
            )
        );
        assert_eq!(
            refused(&body(r#"[{"name":"a","value":"(","isRegex":true}]"#, "")),
            string(
                "invalid silence: invalid label matcher 0 in set 0: invalid regular expression \"(\": error parsing regexp: missing closing ): `(`"
            )
        );
        let swapped = body(PLAIN, "").replace("2027-01-01", "2026-01-01");
        assert_eq!(
            refused(&swapped),
            string("Failed to create silence: start time must be before end time")
        );
        let past = swapped.replace("2026-11-20T15:00", "2025-11-20T15:00");
        assert_eq!(
            refused(&past),
            string("Failed to create silence: end time can't be in the past")
        );
        let zero = body(PLAIN, "")
            .replace("2026-11-20T15:00:00Z", "0001-01-01T00:00:00.000Z")
            .replace("2027-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z");
        assert_eq!(
            refused(&zero),
            string("Failed to create silence: start time must be before end time")
        );
    }

    #[test]
    fn names_beyond_the_classic_ones_depend_on_the_mode() {
        let body = body(r#"[{"name":"a-b","value":"1","isRegex":false}]"#, "");
        assert!(request(&body, ParseMode::Utf8Strict).is_ok());
        let error = request(&body, ParseMode::Classic).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid silence: invalid label matcher 0 in set 0: invalid label name \"a-b\""
        );
    }

    #[test]
    fn ids_in_paths_are_uuids() {
        assert!(parse_silence_id("e4caac33-3bc6-4ef1-8766-cd4b2ee4ca64").is_ok());
        assert!(parse_silence_id("E4CAAC333BC64EF18766CD4B2EE4CA64").is_ok());
        let error = parse_silence_id("xyz").unwrap_err();
        assert_eq!(error.status(), 422);
        assert_eq!(
            error.body(),
            r#"{"code":601,"message":"silenceID in path must be of type uuid: \"xyz\""}"#
        );
    }
}
