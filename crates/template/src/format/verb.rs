//! Writes one value under one verb.

use super::spec::Spec;
use super::{Failure, MAX_VALUE_DEPTH, Sink, float, number, quote, time};
use crate::value::{Object, Value};

/// Writes a value, or what Go writes when the verb does not fit it.
pub(super) fn write(
    sink: &mut Sink,
    value: &Value,
    spec: &Spec,
    depth: usize,
) -> Result<(), Failure> {
    if depth > MAX_VALUE_DEPTH {
        return Err(format!("lists and maps lie deeper than {MAX_VALUE_DEPTH} in each other"));
    }
    match spec.verb {
        'T' => return write_text(sink, value.type_name(), &spec.with_verb('s')).map(|_| ()),
        'p' => return Err("`%p` prints an address, and values have none here".to_owned()),
        _ => {}
    }
    match value {
        Value::Nil if spec.verb == 'v' => {
            spec.pad(sink, if spec.source && depth > 0 { "interface {}(nil)" } else { "<nil>" })
        }
        Value::Nil => sink.push(&format!("%!{}(<nil>)", spec.verb)),
        Value::Bool(truth) if matches!(spec.verb, 't' | 'v') => {
            spec.pad(sink, if *truth { "true" } else { "false" })
        }
        Value::Int(number) => match number::integer(*number, spec) {
            Some(text) => sink_number(sink, spec, &text),
            None => wrong(sink, value, spec, depth),
        },
        Value::Float(number) => match float::float(*number, spec) {
            Some(text) => sink_number(sink, spec, &text),
            None => wrong(sink, value, spec, depth),
        },
        Value::Text(text) | Value::Trusted(_, text) => {
            if write_text(sink, text, spec)? {
                Ok(())
            } else {
                wrong(sink, value, spec, depth)
            }
        }
        Value::Time(instant) => {
            let text = if spec.source { time::source(instant) } else { time::instant(instant) };
            if write_text(sink, &text, &Spec { source: false, ..*spec })? {
                Ok(())
            } else {
                wrong(sink, value, spec, depth)
            }
        }
        Value::Duration(span) => {
            if !spec.source && write_text(sink, &time::duration(*span), spec)? {
                return Ok(());
            }
            write(sink, &Value::Int(time::nanoseconds(*span)), spec, depth)
        }
        Value::List(values) => write_list(sink, value.type_name(), values, spec, depth),
        Value::Map(entries) => write_map(
            sink,
            value.type_name(),
            entries.iter().map(|(key, value)| (key.as_str(), value)),
            spec,
            depth,
        ),
        Value::Object(object) => write_object(sink, object.as_ref(), value, spec, depth),
        Value::Bool(_) => wrong(sink, value, spec, depth),
    }
}

/// Numbers have done their own filling with zeros; characters have not.
fn sink_number(sink: &mut Sink, spec: &Spec, text: &str) -> Result<(), Failure> {
    let is_character = matches!(spec.verb, 'c' | 'q');
    Spec { zero: spec.zero && is_character, ..*spec }.pad(sink, text)
}

/// Returns false when the verb is none for text.
fn write_text(sink: &mut Sink, text: &str, spec: &Spec) -> Result<bool, Failure> {
    let cut = |text: &str| match spec.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    };
    let written = match spec.verb {
        'v' if spec.source => quote::quote(&cut(text), spec.sharp, false),
        'v' | 's' => cut(text),
        'q' => quote::quote(&cut(text), spec.sharp, spec.plus),
        'x' | 'X' => quote::hexadecimal(text.as_bytes(), spec),
        _ => return Ok(false),
    };
    spec.pad(sink, &written)?;
    Ok(true)
}

/// `%!d(string=x)`.
fn wrong(sink: &mut Sink, value: &Value, spec: &Spec, depth: usize) -> Result<(), Failure> {
    sink.push(&format!("%!{}({}=", spec.verb, value.type_name()))?;
    write(sink, value, &spec.with_verb('v'), depth + 1)?;
    sink.push(")")
}

fn write_list(
    sink: &mut Sink,
    name: &str,
    values: &[Value],
    spec: &Spec,
    depth: usize,
) -> Result<(), Failure> {
    let (open, between, close) = if spec.source { ("{", ", ", "}") } else { ("[", " ", "]") };
    if spec.source {
        sink.push(name)?;
    }
    sink.push(open)?;
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            sink.push(between)?;
        }
        write(sink, value, spec, depth + 1)?;
    }
    sink.push(close)
}

fn write_map<'v>(
    sink: &mut Sink,
    name: &str,
    entries: impl Iterator<Item = (&'v str, &'v Value)>,
    spec: &Spec,
    depth: usize,
) -> Result<(), Failure> {
    let (open, between, close) = if spec.source { ("{", ", ", "}") } else { ("[", " ", "]") };
    sink.push(if spec.source { name } else { "map" })?;
    sink.push(open)?;
    for (index, (key, value)) in entries.enumerate() {
        if index > 0 {
            sink.push(between)?;
        }
        write(sink, &Value::from(key), spec, depth + 1)?;
        sink.push(":")?;
        write(sink, value, spec, depth + 1)?;
    }
    sink.push(close)
}

fn write_object(
    sink: &mut Sink,
    object: &dyn Object,
    value: &Value,
    spec: &Spec,
    depth: usize,
) -> Result<(), Failure> {
    if let Some(text) = object.display().filter(|_| !spec.source)
        && write_text(sink, &text, spec)?
    {
        return Ok(());
    }
    match value.plain() {
        Value::List(values) => write_list(sink, object.type_name(), &values, spec, depth),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.as_str(), value));
            write_map(sink, object.type_name(), entries, spec, depth)
        }
        Value::Object(_) => write_structure(sink, object, spec, depth),
        plain => write(sink, &plain, spec, depth + 1),
    }
}

fn write_structure(
    sink: &mut Sink,
    object: &dyn Object,
    spec: &Spec,
    depth: usize,
) -> Result<(), Failure> {
    if spec.source {
        sink.push(object.type_name())?;
    }
    sink.push("{")?;
    for (index, name) in object.fields().iter().enumerate() {
        if index > 0 {
            sink.push(if spec.source { ", " } else { " " })?;
        }
        if spec.source || spec.named {
            sink.push(name)?;
            sink.push(":")?;
        }
        write(sink, &object.field(name).unwrap_or(Value::Nil), spec, depth + 1)?;
    }
    sink.push("}")
}
