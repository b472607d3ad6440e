//! The JSON schema of the configuration, for editors.

use serde_json::{Map, Value as Json, json};

use crate::document::Document;
use crate::section::{FieldInfo, Flag, Out, Section as _, SectionInfo, Shape, Text};

/// Returns the JSON Schema (draft 2020-12) of the configuration.
pub fn json_schema() -> Json {
    let mut definitions = Map::new();
    define(Document::info, &mut definitions);
    let mut root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tocsin",
    });
    if let (Json::Object(root), Some(Json::Object(document))) =
        (&mut root, definitions.remove(Document::info().name))
    {
        root.extend(document);
        root.insert("$defs".to_owned(), Json::Object(definitions));
    }
    root
}

/// Adds a section and all that it holds; one that is there already is left alone.
fn define(info: fn() -> SectionInfo, definitions: &mut Map<String, Json>) {
    let SectionInfo { name, doc, fields } = info();
    if definitions.contains_key(name) {
        return;
    }
    // Put in before its keys are looked at, because routes hold routes.
    definitions.insert(name.to_owned(), Json::Null);
    let properties: Map<String, Json> =
        fields.iter().map(|field| (field.name.to_owned(), property(field, definitions))).collect();
    let section = json!({
        // A key that was left empty holds all defaults.
        "type": ["object", "null"],
        "description": doc,
        "properties": properties,
        "additionalProperties": false,
    });
    definitions.insert(name.to_owned(), section);
}

fn property(field: &FieldInfo, definitions: &mut Map<String, Json>) -> Json {
    let mut schema = shape(&field.shape, definitions);
    if let Json::Object(map) = &mut schema {
        map.insert("description".to_owned(), Json::from(field.doc.as_str()));
        if field.flag == Flag::Deprecated {
            map.insert("deprecated".to_owned(), Json::Bool(true));
        }
        let default = default(&field.default);
        if !default.is_null() && !matches!(field.shape, Shape::Section(_)) {
            map.insert("default".to_owned(), default);
        }
    }
    schema
}

fn shape(shape: &Shape, definitions: &mut Map<String, Json>) -> Json {
    let mut nested = |inner: &Shape| self::shape(inner, definitions);
    match shape {
        Shape::Text(kind) => text(*kind),
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Integer => json!({"type": "integer"}),
        Shape::Number => json!({"type": "number"}),
        Shape::Words(words) => json!({"enum": words}),
        Shape::List(item) => json!({"type": "array", "items": nested(item)}),
        Shape::Map(value) => json!({"type": "object", "additionalProperties": nested(value)}),
        Shape::OneOf(all) => json!({"anyOf": all.iter().map(nested).collect::<Vec<_>>()}),
        Shape::Any => json!({}),
        Shape::Section(info) => {
            define(*info, definitions);
            json!({"$ref": format!("#/$defs/{}", info().name)})
        }
    }
}

fn text(kind: Text) -> Json {
    // Numbers without quotes are texts, too, wherever a text is asked for.
    let string = json!({"type": ["string", "number", "boolean"]});
    match kind {
        Text::Duration => json!({
            "type": ["string", "integer"],
            "pattern": r"^(0|(\d+(\.\d+)?(y|w|d|h|m|s|ms|us|µs|ns))+)$",
        }),
        Text::Url => json!({"type": "string", "format": "uri"}),
        Text::SecretUrl | Text::HostPort | Text::Path | Text::Matcher => json!({"type": "string"}),
        Text::Named("size") => json!({"type": ["string", "integer"]}),
        Text::Named("days of the month" | "months" | "years") => {
            json!({"type": ["string", "integer"]})
        }
        Text::Plain | Text::Template | Text::Secret | Text::Named(_) => string,
    }
}

fn default(out: &Out) -> Json {
    match out {
        Out::Null | Out::Secret | Out::Map(_) => Json::Null,
        Out::Text(text) => Json::from(text.as_str()),
        Out::Word(word) => serde_json::from_str(word).unwrap_or_else(|_| Json::from(word.as_str())),
        Out::List(items) if items.is_empty() => Json::Null,
        Out::List(items) => Json::Array(items.iter().map(default).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere_and_every_key_is_explained() {
        let schema = json_schema();
        let definitions = schema["$defs"].as_object().unwrap();
        let text = schema.to_string();
        for reference in text.split("\"#/$defs/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(definitions.contains_key(name), "{name}");
        }
        for (name, definition) in definitions {
            assert_eq!(definition["additionalProperties"], false, "{name}");
            for (key, property) in definition["properties"].as_object().unwrap() {
                assert!(property["description"].as_str().unwrap().ends_with('.'), "{name}.{key}");
            }
        }
        assert_eq!(schema["properties"]["route"]["$ref"], "#/$defs/RouteConfig");
        let route = &definitions["RouteConfig"]["properties"];
        assert_eq!(route["routes"]["items"]["$ref"], "#/$defs/RouteConfig");
        assert_eq!(route["match"]["deprecated"], true);
        let global = &definitions["GlobalConfig"]["properties"];
        assert_eq!(global["resolve_timeout"]["default"], "5m");
    }
}
