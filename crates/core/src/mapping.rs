//! From any body to alerts, by CEL expressions that a user writes.
//!
//! Expressions see `body` (what was posted), `headers` and `query` (texts by name, lower case), `now`
//! (a text in RFC 3339), and within `items` each element as `item`. What an expression does not find is as if it were not
//! written; what it gets wrong is told with its field.

use std::collections::BTreeMap;

use cel::common::ast::{EntryExpr, Expr, IdedEntryExpr, IdedExpr};
use cel::objects::{Key, Value};
use cel::{Context, ExecutionError, Program};
use jiff::Timestamp;

use crate::alert::IncomingAlert;
use crate::labels::{ALERTNAME, Labels};

/// The longest expression in bytes.
pub const MAX_EXPRESSION_BYTES: usize = 4_096;

/// How deep `map`, `filter`, `all` and `exists` may stand in one another: their work multiplies.
const MAX_NESTED_LOOPS: usize = 2;

/// The most alerts that one body becomes.
pub const MAX_ITEMS: usize = 1_000;

/// The most labels or annotations that one expression makes.
const MAX_PAIRS: usize = 200;

/// The most characters of one text.
const MAX_TEXT_CHARS: usize = 8_000;

/// The fields of a mapping, in the order in which they are complained about.
pub const FIELDS: [&str; 10] = [
    "items",
    "status",
    "name",
    "severity",
    "dedup_key",
    "labels",
    "annotations",
    "starts_at",
    "ends_at",
    "url",
];

/// A mapping, ready to be used.
#[derive(Debug, Default)]
pub struct Mapping {
    programs: BTreeMap<&'static str, Program>,
}

/// What expressions see.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// What was posted.
    pub body: serde_json::Value,
    /// The headers of the request.
    pub headers: BTreeMap<String, String>,
    /// The parameters of its address.
    pub query: BTreeMap<String, String>,
}

/// An alert with the key by which its source knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedAlert {
    /// The alert; its labels are completed by the integration.
    pub alert: IncomingAlert,
    /// The key.
    pub dedup_key: Option<String>,
    /// Whether it is over.
    pub is_resolved: bool,
}

/// What is wrong with one element of a body, or with all of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}`{field}`: {message}", item.map(|item| format!("item {item}: ")).unwrap_or_default())]
pub struct MappingError {
    /// Which element, counted from 0; `None` when the whole body is meant.
    pub item: Option<usize>,
    /// Which field of the mapping.
    pub field: &'static str,
    /// What is wrong.
    pub message: String,
}

/// What became of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapped {
    /// Alerts, in the order of the body.
    pub alerts: Vec<MappedAlert>,
    /// What is wrong with the others.
    pub errors: Vec<MappingError>,
}

/// Compiles one expression, to check it.
///
/// # Errors
/// What is wrong, in one line.
pub fn check_expression(text: &str) -> Result<(), String> {
    compile(text).map(|_| ())
}

fn compile(text: &str) -> Result<Program, String> {
    if text.len() > MAX_EXPRESSION_BYTES {
        return Err(format!("the expression is longer than {MAX_EXPRESSION_BYTES} bytes"));
    }
    let program = Program::compile(text).map_err(|error| {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default().trim_start_matches("ERROR: ");
        format!("this is no CEL expression: {}", line.trim_start_matches("<input>:"))
    })?;
    if nested_loops(&program.expression().expr) > MAX_NESTED_LOOPS {
        return Err(format!(
            "`map`, `filter`, `all` and `exists` may stand in one another at most \
             {MAX_NESTED_LOOPS} deep"
        ));
    }
    Ok(program)
}

/// Returns how deep loops stand in one another.
fn nested_loops(expression: &Expr) -> usize {
    let deepest = |parts: &[&IdedExpr]| {
        parts.iter().map(|part| nested_loops(&part.expr)).max().unwrap_or_default()
    };
    match expression {
        Expr::Comprehension(it) => {
            let body = 1 + deepest(&[&it.loop_cond, &it.loop_step, &it.result]);
            body.max(deepest(&[&it.iter_range, &it.accu_init]))
        }
        Expr::Call(it) => {
            let target = it.target.iter().map(|target| &**target);
            deepest(&target.chain(&it.args).collect::<Vec<_>>())
        }
        Expr::List(it) => deepest(&it.elements.iter().collect::<Vec<_>>()),
        Expr::Map(it) => entries_loops(&it.entries),
        Expr::Struct(it) => entries_loops(&it.entries),
        Expr::Select(it) => nested_loops(&it.operand.expr),
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => 0,
    }
}

fn entries_loops(entries: &[IdedEntryExpr]) -> usize {
    let each = entries.iter().map(|entry| match &entry.expr {
        EntryExpr::StructField(field) => nested_loops(&field.value.expr),
        EntryExpr::MapEntry(pair) => {
            nested_loops(&pair.key.expr).max(nested_loops(&pair.value.expr))
        }
    });
    each.max().unwrap_or_default()
}

impl Mapping {
    /// Compiles the expressions of the named fields.
    ///
    /// # Errors
    /// The first field that cannot be compiled.
    pub fn new<'t>(
        expressions: impl IntoIterator<Item = (&'static str, &'t str)>,
    ) -> Result<Self, MappingError> {
        let mut programs = BTreeMap::new();
        for (field, text) in expressions {
            let program =
                compile(text).map_err(|message| MappingError { item: None, field, message })?;
            programs.insert(field, program);
        }
        Ok(Self { programs })
    }

    /// Returns the alerts that a body tells at `now`. An element that is wrong spoils no other.
    pub fn apply(&self, input: &Input, now: Timestamp) -> Mapped {
        let mut mapped = Mapped::default();
        let whole = |message: String| MappingError { item: None, field: "items", message };
        let context = match context(input, now) {
            Ok(context) => context,
            Err(message) => {
                mapped.errors.push(whole(message));
                return mapped;
            }
        };
        let items = match self.value("items", &context) {
            Ok(None) => {
                match self.alert(&context, now) {
                    Ok(alert) => mapped.alerts.push(alert),
                    Err((field, message)) => {
                        mapped.errors.push(MappingError { item: None, field, message });
                    }
                }
                return mapped;
            }
            Ok(Some(Value::List(items))) => items,
            Ok(Some(_)) => {
                mapped.errors.push(whole("it must be a list".to_owned()));
                return mapped;
            }
            Err(message) => {
                mapped.errors.push(whole(message));
                return mapped;
            }
        };
        if items.len() > MAX_ITEMS {
            let message = format!("{} items; at most {MAX_ITEMS} are taken", items.len());
            mapped.errors.push(whole(message));
        }
        for (index, item) in items.iter().take(MAX_ITEMS).enumerate() {
            let mut inner = context.new_inner_scope();
            inner.add_variable_from_value("item", item.clone());
            match self.alert(&inner, now) {
                Ok(alert) => mapped.alerts.push(alert),
                Err((field, message)) => {
                    mapped.errors.push(MappingError { item: Some(index), field, message });
                }
            }
        }
        mapped
    }

    fn alert(
        &self,
        context: &Context<'_, '_>,
        now: Timestamp,
    ) -> Result<MappedAlert, (&'static str, String)> {
        let text = |field: &'static str| match self.value(field, context) {
            Ok(value) => Ok(value.as_ref().and_then(as_text)),
            Err(message) => Err((field, message)),
        };
        let pairs = |field: &'static str| match self.value(field, context) {
            Ok(value) => as_pairs(value).map_err(|message| (field, message)),
            Err(message) => Err((field, message)),
        };
        let instant = |field: &'static str| -> Result<Option<Timestamp>, (&'static str, String)> {
            let Some(text) = text(field)? else { return Ok(None) };
            read_instant(&text).map_err(|message| (field, message))
        };
        let is_resolved = match self.value("status", context).map_err(|why| ("status", why))? {
            None => false,
            Some(Value::Bool(fires)) => !fires,
            Some(value) => is_over(&as_text(&value).unwrap_or_default()),
        };
        let mut labels = pairs("labels")?;
        if let Some(name) = text("name")? {
            labels.insert(ALERTNAME.to_owned(), name);
        }
        if let Some(severity) = text("severity")? {
            labels.insert("severity".to_owned(), severity.to_lowercase());
        }
        if labels.is_empty() {
            let message = "neither a name nor labels were found; one is needed".to_owned();
            return Err(("name", message));
        }
        let labels: Labels = labels.into_iter().collect();
        if labels.is_empty() {
            return Err(("labels", "all labels are empty".to_owned()));
        }
        let annotations: Labels = pairs("annotations")?.into_iter().collect();
        let mut alert = IncomingAlert::new(labels, annotations);
        alert.generator_url = text("url")?.unwrap_or_default().into();
        alert.starts_at = instant("starts_at")?.map(|at| at.min(now));
        alert.ends_at = instant("ends_at")?;
        if is_resolved {
            alert.ends_at = Some(alert.ends_at.map_or(now, |at| at.min(now)));
        }
        let dedup_key = text("dedup_key")?.filter(|key| !key.is_empty());
        Ok(MappedAlert { alert, dedup_key, is_resolved })
    }

    /// Runs the expression of a field; `None` when there is none or it finds nothing.
    fn value(&self, field: &str, context: &Context<'_, '_>) -> Result<Option<Value>, String> {
        let Some(program) = self.programs.get(field) else { return Ok(None) };
        match program.execute(context) {
            Ok(Value::Null) => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(ExecutionError::NoSuchKey(_)) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn context(input: &Input, now: Timestamp) -> Result<Context<'static, 'static>, String> {
    let mut context = Context::default();
    let wrong = |error: &dyn std::fmt::Display| format!("the body cannot be handed on: {error}");
    context.add_variable("body", &input.body).map_err(|error| wrong(&error))?;
    context.add_variable("headers", &input.headers).map_err(|error| wrong(&error))?;
    context.add_variable("query", &input.query).map_err(|error| wrong(&error))?;
    context.add_variable("now", now.to_string()).map_err(|error| wrong(&error))?;
    Ok(context)
}

/// Returns whether a word says that something is over.
pub fn is_over(word: &str) -> bool {
    const OVER: [&str; 11] = [
        "resolved",
        "resolve",
        "ok",
        "recovered",
        "recovery",
        "closed",
        "close",
        "normal",
        "up",
        "inactive",
        "cleared",
    ];
    OVER.iter().any(|over| word.trim().eq_ignore_ascii_case(over))
}

fn as_text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        other => other.json().ok()?.to_string(),
    };
    Some(text.chars().take(MAX_TEXT_CHARS).collect())
}

fn as_pairs(value: Option<Value>) -> Result<BTreeMap<String, String>, String> {
    let map = match value {
        None => return Ok(BTreeMap::new()),
        Some(Value::Map(map)) => map,
        Some(_) => return Err("it must be a map".to_owned()),
    };
    if map.map.len() > MAX_PAIRS {
        return Err(format!("{} entries; at most {MAX_PAIRS} are taken", map.map.len()));
    }
    let name = |key: &Key| match key {
        Key::String(text) => text.to_string(),
        Key::Int(number) => number.to_string(),
        Key::Uint(number) => number.to_string(),
        Key::Bool(truth) => truth.to_string(),
    };
    #[expect(clippy::disallowed_methods, reason = "the pairs end in an ordered map")]
    let entries = map.map.iter();
    Ok(entries.filter_map(|(key, value)| Some((name(key), as_text(value)?))).collect())
}

/// Reads RFC 3339, or seconds or milliseconds since 1970; an empty text or zero says nothing.
fn read_instant(text: &str) -> Result<Option<Timestamp>, String> {
    const MILLISECONDS_FROM: i64 = 100_000_000_000;
    let text = text.trim();
    if text.is_empty() || text == "0" || text.starts_with("0001-01-01") {
        return Ok(None);
    }
    let read = match text.parse::<i64>() {
        Ok(number) if number.abs() >= MILLISECONDS_FROM => Timestamp::from_millisecond(number).ok(),
        Ok(number) => Timestamp::from_second(number).ok(),
        Err(_) => text.parse().ok(),
    };
    read.map(Some).ok_or_else(|| format!("`{text}` is no instant; RFC 3339 or seconds are read"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    fn input(body: serde_json::Value) -> Input {
        Input { body, ..Input::default() }
    }

    #[test]
    fn a_list_becomes_alerts_and_a_wrong_element_spoils_no_other() {
        let mapping = Mapping::new([
            ("items", "body.checks"),
            ("status", "item.state == 'bad'"),
            ("name", "item.check"),
            ("severity", "item.level"),
            ("dedup_key", "item.id"),
            ("labels", "{'host': item.host, 'port': item.port}"),
            ("annotations", "{'summary': item.check + ' on ' + item.host}"),
            ("starts_at", "item.since"),
        ])
        .unwrap();
        let body = json!({ "checks": [
            { "state": "bad", "check": "disk", "level": "CRITICAL", "id": 7, "host": "a", "port": 1,
              "since": 1_795_000_000 },
            { "state": "bad", "check": 5, "id": 8, "host": "b", "port": 2 },
            { "state": "good", "check": "disk", "id": 9, "host": "c", "port": 3 }
        ] });
        let mapped = mapping.apply(&input(body), now());
        assert_eq!(mapped.alerts.len(), 2, "{mapped:#?}");
        assert_eq!(mapped.errors.len(), 1);
        assert_eq!((mapped.errors[0].item, mapped.errors[0].field), (Some(1), "annotations"));
        let first = &mapped.alerts[0];
        assert_eq!(
            first.alert.labels.to_string(),
            r#"{alertname="disk", host="a", port="1", severity="critical"}"#
        );
        assert_eq!(first.dedup_key.as_deref(), Some("7"));
        assert_eq!(first.alert.starts_at.unwrap().as_second(), 1_795_000_000);
        assert!(mapped.alerts[1].is_resolved);
        assert_eq!(mapped.alerts[1].alert.ends_at, Some(now()));
    }

    #[test]
    fn what_is_not_there_is_as_if_it_were_not_asked_for() {
        let mapping = Mapping::new([("name", "body.title"), ("url", "body.link")]).unwrap();
        let mapped = mapping.apply(&input(json!({ "title": "hello" })), now());
        assert_eq!(mapped.alerts[0].alert.generator_url, "");
        let mapped = mapping.apply(&input(json!({})), now());
        assert_eq!(mapped.errors[0].field, "name");
        assert_eq!(
            mapped.errors[0].to_string(),
            "`name`: neither a name nor labels were found; one is needed"
        );
    }

    #[test]
    fn expressions_see_when_it_arrived() {
        let mapping = Mapping::new([("name", "body.title"), ("starts_at", "now")]).unwrap();
        let mapped = mapping.apply(&input(json!({ "title": "hello" })), now());
        assert_eq!(mapped.alerts[0].alert.starts_at, Some(now()), "{mapped:#?}");
    }

    #[test]
    fn loops_within_loops_are_bounded() {
        check_expression("body.a.map(x, x.b.exists(y, y == 1)).filter(z, z)").unwrap();
        let why = check_expression("body.map(a, body.map(b, body.map(c, 1)))").unwrap_err();
        assert!(why.contains("at most 2"), "{why}");
    }

    #[test]
    fn an_expression_that_is_none_is_told() {
        let error = Mapping::new([("name", "body.")]).unwrap_err();
        assert_eq!(error.field, "name");
        assert!(error.message.contains("no CEL expression"), "{error}");
        assert!(check_expression(&"x".repeat(5_000)).is_err());
    }

    #[test]
    fn instants_come_in_many_forms() {
        let read = |text: &str| read_instant(text).unwrap().map(|at| at.to_string());
        assert_eq!(read("1795000000").as_deref(), Some("2026-11-18T11:06:40Z"));
        assert_eq!(read("1795000000123").as_deref(), Some("2026-11-18T11:06:40.123Z"));
        assert_eq!(read("0001-01-01T00:00:00Z"), None);
        assert!(read_instant("soon").is_err());
    }
}
