//! The functions that every Go template knows, whatever its program adds.

mod compare;
mod escape;
mod parts;

pub(crate) use escape::{html, query};

use crate::format;
use crate::function::Call;
use crate::functions;
use crate::syntax::tree::Callee;
use crate::value::Value;

/// What the language itself brings.
const OWN: &[(&str, Callee)] = &[
    ("and", Callee::And),
    ("call", Callee::Plain(call)),
    ("eq", Callee::Plain(compare::eq)),
    ("ge", Callee::Plain(compare::ge)),
    ("gt", Callee::Plain(compare::gt)),
    ("html", Callee::Plain(escape::html_function)),
    ("index", Callee::Plain(parts::index)),
    ("js", Callee::Plain(escape::js_function)),
    ("le", Callee::Plain(compare::le)),
    ("len", Callee::Plain(parts::len)),
    ("lt", Callee::Plain(compare::lt)),
    ("ne", Callee::Plain(compare::ne)),
    ("not", Callee::Plain(not)),
    ("or", Callee::Or),
    ("print", Callee::Plain(print)),
    ("printf", Callee::Plain(printf)),
    ("println", Callee::Plain(println)),
    ("slice", Callee::Plain(parts::slice)),
    ("urlquery", Callee::Plain(escape::query_function)),
];

/// Returns what a name stands for.
pub(crate) fn callee(name: &str) -> Option<Callee> {
    let own = || OWN.iter().find(|(known, _)| *known == name).map(|(_, callee)| *callee);
    functions::lookup(name).map(Callee::Plain).or_else(own)
}

/// What Alertmanager adds, for help with a name that is none.
const ADDED: &[&str] = &[
    "append",
    "base64decode",
    "base64encode",
    "date",
    "dict",
    "humanizeDuration",
    "join",
    "list",
    "match",
    "mustToDate",
    "now",
    "reReplaceAll",
    "routeLabels",
    "safeHtml",
    "safeUrl",
    "since",
    "stringSlice",
    "title",
    "toDate",
    "toJson",
    "toLower",
    "toUpper",
    "trimSpace",
    "tz",
    "urlUnescape",
];

/// Returns the names of all functions.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let added = ADDED.iter().copied().filter(|name| functions::lookup(name).is_some());
    OWN.iter().map(|(name, _)| *name).chain(added)
}

/// Returns the name that was probably meant.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_lowercase();
    known
        .map(|candidate| {
            (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate)
        })
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(name.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Checks how many arguments there are.
fn expect(call: &Call<'_>, count: usize) -> Result<(), String> {
    match call.arguments.len() {
        given if given == count => Ok(()),
        given => Err(format!(
            "it takes {count} {}, not {given}",
            if count == 1 { "argument" } else { "arguments" }
        )),
    }
}

fn not(call: &Call<'_>) -> Result<Value, String> {
    expect(call, 1)?;
    Ok(Value::Bool(!call.arguments[0].is_true()))
}

fn call(_: &Call<'_>) -> Result<Value, String> {
    Err("there are no values here that could be called; name the function itself".to_owned())
}

fn print(call: &Call<'_>) -> Result<Value, String> {
    format::print(call.arguments).map(Value::from)
}

fn println(call: &Call<'_>) -> Result<Value, String> {
    format::println(call.arguments).map(Value::from)
}

fn printf(call: &Call<'_>) -> Result<Value, String> {
    let Some((first, arguments)) = call.arguments.split_first() else {
        return Err("it takes a format and its arguments".to_owned());
    };
    let first = first.plain();
    let Some(text) = first.as_text() else {
        return Err(format!("the format is a text, not a value of type {}", first.type_name()));
    };
    format::printf(text, arguments).map(Value::from)
}
