//! The data that cases are rendered with.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, Zoned};
use tocsin_template::{Call, Object, Trust, Value};

/// The present of all cases.
pub(crate) fn now() -> Timestamp {
    "2026-03-04T05:06:07Z".parse().expect("a time")
}

/// A map of texts, as labels are: what is missing is empty.
#[derive(Debug)]
struct Labels(Arc<BTreeMap<String, Value>>);

impl Object for Labels {
    fn type_name(&self) -> &'static str {
        "test.Labels"
    }

    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    fn method(&self, name: &str, call: &Call<'_>) -> Option<Result<Value, String>> {
        match name {
            "Names" => {
                Some(Ok(Value::List(self.0.keys().map(|key| Value::from(key.as_str())).collect())))
            }
            "Joined" => Some(match call.arguments {
                [Value::Text(by)] => {
                    let values: Vec<String> = self
                        .0
                        .values()
                        .map(|value| value.as_text().map_or(String::new(), ToString::to_string))
                        .collect();
                    Ok(Value::from(values.join(by)))
                }
                _ => Err("it takes a text".to_owned()),
            }),
            _ => None,
        }
    }

    fn inner(&self) -> Option<Value> {
        Some(Value::Map(self.0.clone()))
    }

    fn zero(&self) -> Value {
        Value::from("")
    }
}

/// A structure with two fields.
#[derive(Debug)]
struct Pair(&'static str, i64);

impl Object for Pair {
    fn type_name(&self) -> &'static str {
        "test.Pair"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Name" => Some(Value::from(self.0)),
            "Value" => Some(Value::Int(self.1)),
            _ => None,
        }
    }

    fn fields(&self) -> &'static [&'static str] {
        &["Name", "Value"]
    }
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Arc<BTreeMap<String, Value>> {
    Arc::new(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn labels<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Object(Arc::new(Labels(map(entries))))
}

fn firing() -> Value {
    Value::Map(map([
        ("Status", Value::from("firing")),
        (
            "Labels",
            labels([("alertname", Value::from("HighLoad")), ("instance", Value::from("db1:9100"))]),
        ),
        ("Annotations", labels([("summary", Value::from("load <is> \"high\" & it's bad"))])),
        ("GeneratorURL", Value::from("http://prom/graph?g0.expr=up&x=1")),
    ]))
}

fn resolved() -> Value {
    Value::Map(map([
        ("Status", Value::from("resolved")),
        (
            "Labels",
            labels([("alertname", Value::from("HighLoad")), ("instance", Value::from("db2:9100"))]),
        ),
        ("Annotations", labels([])),
        ("GeneratorURL", Value::from("javascript:alert(1)")),
    ]))
}

/// Something of every kind.
pub(crate) fn data() -> Value {
    let time: Zoned = "2026-01-02T03:04:05.120Z[UTC]".parse().expect("a time");
    let list = |values: &[Value]| Value::List(Arc::from(values));
    Value::Map(map([
        ("text", Value::from("hello")),
        ("empty", Value::from("")),
        ("mean", Value::from("<b title='x' class=\"y\">O'Reilly & Söhne</b>")),
        ("number", Value::Int(42)),
        ("zero", Value::Int(0)),
        ("float", Value::Float(2.5)),
        ("yes", Value::Bool(true)),
        ("no", Value::Bool(false)),
        ("nothing", Value::Nil),
        ("time", Value::Time(Box::new(time))),
        ("span", Value::Duration(SignedDuration::from_millis(3_723_500))),
        ("markup", Value::Trusted(Trust::Html, "<i>it's</i>".into())),
        (
            "trusted",
            Value::Trusted(Trust::Html, "<i class=x>it's & &amp; \"q\"</i><!-- c -->".into()),
        ),
        ("tag", Value::Trusted(Trust::Html, "javascript:<b>".into())),
        ("url", Value::Trusted(Trust::Url, "javascript:alert(1)".into())),
        ("list", list(&[Value::from("a"), Value::from("b"), Value::from("c")])),
        ("numbers", list(&[Value::Int(1), Value::Int(2), Value::Int(3)])),
        ("none", list(&[])),
        ("map", Value::Map(map([("b", Value::Int(2)), ("a", Value::Int(1))]))),
        ("deep", Value::Map(map([("in", Value::Map(map([("side", Value::from("found"))])))]))),
        (
            "labels",
            Value::Object(Arc::new(Labels(map([
                ("alertname", Value::from("HighLoad")),
                ("severity", Value::from("critical")),
            ])))),
        ),
        ("pair", Value::Object(Arc::new(Pair("left", 7)))),
        ("Status", Value::from("firing")),
        ("CommonLabels", labels([("alertname", Value::from("HighLoad"))])),
        ("Alerts", list(&[firing(), resolved()])),
    ]))
}
