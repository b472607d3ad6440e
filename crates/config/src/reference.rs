//! The reference of the configuration, for people.

use std::fmt::Write as _;

use crate::document::{Document, ReceiverDocument};
use crate::environment::VARIABLES;
use crate::section::{FieldInfo, Flag, Out, Section as _, SectionInfo, Shape, Text};

const INTRODUCTION: &str = "\
# Configuration

One file, or a directory whose `*.yml` and `*.yaml` files are read in the order of their names: \
lists are joined, any other section may be given once. Every key of `alertmanager.yml` means \
what it means there; keys marked *Tocsin* are our own. A key that is not listed here is an error.

- Durations are written `500ms`, `30s`, `5m`, `1h30m`, `1d`, `1w` or `1y`.
- Matchers are written `name=\"value\"`, with `=`, `!=`, `=~` or `!~`; expressions are anchored at \
both ends, and a label that is absent has the empty value.
- Relative paths begin at the directory of the file that names them.
- A key that ends in `_file` names a file that holds the value; it is read when the value is used.
- Texts with `{{ … }}` are templates.
";

/// Returns the reference of all sections and keys as Markdown.
pub fn reference_markdown() -> String {
    let mut out = INTRODUCTION.to_owned();
    out.push_str("\n## Environment\n\nThese variables override the file.\n\n");
    out.push_str("| Variable | Overrides | Meaning |\n|---|---|---|\n");
    for (variable, key, meaning) in VARIABLES {
        let _ = writeln!(out, "| `{variable}` | `{key}` | {meaning} |");
    }
    let mut sections = Vec::new();
    collect(Document::info, &mut sections);
    for section in &sections {
        let _ = write!(out, "\n## {}\n\n{}\n", heading(section.name), section.doc);
        if section.fields.is_empty() {
            out.push_str("\nIt has no keys.\n");
            continue;
        }
        out.push_str("\n| Key | Type | Default | Meaning |\n|---|---|---|---|\n");
        for field in &section.fields {
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} |",
                field.name,
                type_of(&field.shape),
                default(field),
                meaning(field)
            );
        }
    }
    out
}

/// Gathers a section and all that it holds, each once, in the order in which they are met.
fn collect(info: fn() -> SectionInfo, sections: &mut Vec<SectionInfo>) {
    let section = info();
    if sections.iter().any(|known| known.name == section.name) {
        return;
    }
    let shapes: Vec<Shape> = section.fields.iter().map(|field| field.shape.clone()).collect();
    sections.push(section);
    for shape in &shapes {
        collect_shape(shape, sections);
    }
}

fn collect_shape(shape: &Shape, sections: &mut Vec<SectionInfo>) {
    match shape {
        Shape::Section(info) => collect(*info, sections),
        Shape::List(inner) | Shape::Map(inner) => collect_shape(inner, sections),
        Shape::OneOf(all) => all.iter().for_each(|one| collect_shape(one, sections)),
        _ => {}
    }
}

/// Returns the heading of a section: `InhibitRuleConfig` is "inhibit_rule". What is called
/// `…_config` in a file, too, keeps the suffix: `WebhookConfig` is "webhook_config".
fn heading(name: &str) -> String {
    if name == "Document" {
        return "The file".to_owned();
    }
    let keeps_suffix = ReceiverDocument::info()
        .fields
        .iter()
        .map(|field| field.name)
        .chain(["http_configs", "tls_configs"])
        .any(|key| {
            let kind = name.strip_suffix("Config").unwrap_or_default().to_lowercase();
            key.strip_suffix("_configs") == Some(&kind)
        });
    let name = name.strip_suffix("Document").unwrap_or(name);
    let name = name.strip_suffix("Config").filter(|_| !keeps_suffix).unwrap_or(name);
    let mut snake = String::new();
    for (index, c) in name.char_indices() {
        if c.is_ascii_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    // One word, not two.
    snake.replace("o_auth2", "oauth2")
}

fn type_of(shape: &Shape) -> String {
    match shape {
        Shape::Text(text) => text_type(*text).to_owned(),
        Shape::Bool => "boolean".to_owned(),
        Shape::Integer => "whole number".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Words(words) => {
            let word = |word: &&str| {
                if word.is_empty() { "``\"\"``".to_owned() } else { format!("`{word}`") }
            };
            words.iter().map(word).collect::<Vec<_>>().join(", ")
        }
        Shape::List(item) => format!("list of {}", type_of(item)),
        Shape::Map(value) => format!("mapping to {}", type_of(value)),
        Shape::OneOf(all) => all.iter().map(type_of).collect::<Vec<_>>().join(", or "),
        Shape::Section(info) => {
            let heading = heading(info().name);
            format!("[{heading}](#{heading})")
        }
        Shape::Any => "anything".to_owned(),
    }
}

fn text_type(text: Text) -> &'static str {
    match text {
        Text::Plain => "text",
        Text::Template => "template",
        Text::Secret => "secret",
        Text::Url => "address",
        Text::SecretUrl => "secret address",
        Text::HostPort => "`host:port`",
        Text::Duration => "duration",
        Text::Path => "path",
        Text::Matcher => "matchers",
        Text::Named(name) => name,
    }
}

fn default(field: &FieldInfo) -> String {
    match &field.default {
        Out::Text(text) | Out::Word(text) if !text.is_empty() => format!("`{text}`"),
        _ => String::new(),
    }
}

fn meaning(field: &FieldInfo) -> String {
    // A bar would end the cell.
    let doc = field.doc.replace('|', "\\|");
    match field.flag {
        Flag::Native => format!("*Tocsin.* {doc}"),
        Flag::Deprecated => format!("*Deprecated.* {doc}"),
        Flag::Classic | Flag::Newer => doc,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_is_described_and_every_link_leads_to_a_heading() {
        let text = reference_markdown();
        for link in text.split("](#").skip(1) {
            let target = link.split(')').next().unwrap();
            assert!(text.contains(&format!("\n## {target}\n")), "{target}");
        }
        for row in ["| `group_wait_by_severity` |", "| `slack_app_token` |", "| `SMTP_FROM` |"] {
            assert!(text.contains(row), "{row}");
        }
        assert!(text.contains("| `resolve_timeout` | duration | `5m` |"), "{text}");
    }
}
