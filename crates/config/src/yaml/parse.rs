//! Text to tree, within bounds.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use super::{Key, Kind, Node};
use crate::diagnostic::{Diagnostic, Severity, SourceFile, Span};

/// How deep lists and mappings may nest.
pub(crate) const MAX_DEPTH: usize = 128;

/// How many values one file may hold, those that aliases repeat included. A long text counts as
/// one value for every [`BYTES_PER_NODE`].
pub(crate) const MAX_NODES: usize = 1_000_000;

/// How long a text may be before it counts as more than one value.
const BYTES_PER_NODE: usize = 64;

/// How many complaints one file gets before reading stops.
const MAX_COMPLAINTS: usize = 100;

/// Reads the only document of `files[file]`; `None` when it is empty or cannot be read at all.
/// What is wrong goes to `diagnostics`.
pub(crate) fn parse(
    files: &[SourceFile],
    file: u32,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Node> {
    let text = &files[file as usize].text;
    let mut tree = Tree { file, nodes: 0, anchors: BTreeMap::new(), complaints: Vec::new() };
    let mut parser = Parser::new_from_str(text);
    let root = match tree.document(&mut parser) {
        Ok(root) => root,
        Err(stop) => {
            tree.complaints.push((stop.span, stop.message));
            None
        }
    };
    diagnostics.extend(
        tree.complaints
            .into_iter()
            .map(|(span, message)| Diagnostic::new(Severity::Error, files, span, message)),
    );
    root
}

struct Tree {
    file: u32,
    nodes: usize,
    anchors: BTreeMap<usize, (Node, usize)>,
    complaints: Vec<(Span, String)>,
}

/// Why the rest of the file is not read.
struct Stop {
    span: Span,
    message: String,
}

type Source<'a> = Parser<'a, saphyr_parser::StrInput<'a>>;

impl Tree {
    fn document(&mut self, parser: &mut Source<'_>) -> Result<Option<Node>, Stop> {
        let mut root = None;
        loop {
            let (event, span) = self.next(parser)?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::Nothing
                | Event::StreamStart
                | Event::DocumentStart(_)
                | Event::DocumentEnd => {}
                event => {
                    let node = self.node(parser, event, span, 0)?.0;
                    // Alertmanager drops what follows the first document without a word.
                    if root.is_some() && !node.is_null() {
                        let message = "a file holds one document; what follows `---` is ignored";
                        return Err(Stop { span, message: message.to_owned() });
                    }
                    root.get_or_insert(node);
                }
            }
        }
    }

    fn next<'a>(&mut self, parser: &mut Source<'a>) -> Result<(Event<'a>, Span), Stop> {
        let end =
            || Stop { span: self.span_of_end(), message: "the file ends too early".to_owned() };
        let (event, span) =
            parser.next_event().ok_or_else(end)?.map_err(|error| self.stop(&error))?;
        let one_line = span.start.line() == span.end.line();
        let length = if one_line { span.end.index().saturating_sub(span.start.index()) } else { 1 };
        let last_line = u32::try_from(span.end.line()).unwrap_or(u32::MAX);
        let start = self.span(span.start.line(), span.start.col(), length);
        Ok((event, Span { last_line, ..start }))
    }

    fn span_of_end(&self) -> Span {
        self.span(0, 0, 0)
    }

    fn span(&self, line: usize, column: usize, length: usize) -> Span {
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let line = small(line);
        let (column, length) = (small(column + 1), small(length));
        Span { file: self.file, line, column, length, last_line: line }
    }

    fn stop(&self, error: &ScanError) -> Stop {
        let marker = error.marker();
        Stop {
            span: self.span(marker.line(), marker.col(), 1),
            message: format!("this is not YAML: {}", error.info()),
        }
    }

    /// Builds the node that begins with `event`, and counts the nodes in it.
    fn node(
        &mut self,
        parser: &mut Source<'_>,
        event: Event<'_>,
        span: Span,
        depth: usize,
    ) -> Result<(Node, usize), Stop> {
        if depth > MAX_DEPTH {
            return Err(Stop { span, message: format!("nested deeper than {MAX_DEPTH} levels") });
        }
        let before = self.nodes;
        let length = if let Event::Scalar(text, ..) = &event { text.len() } else { 0 };
        self.count(1 + length / BYTES_PER_NODE, span)?;
        let (kind, anchor) = match event {
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id) else {
                    return Err(Stop {
                        span,
                        message: "an alias cannot stand inside the value it repeats".to_owned(),
                    });
                };
                let (node, size) = (node.clone(), *size);
                self.count(size, span)?;
                return Ok((node, size + 1));
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = self.is_plain(style, tag.as_deref(), span);
                (Kind::Scalar { text: text.into_owned(), is_plain }, anchor)
            }
            Event::SequenceStart(anchor, _) => (self.list(parser, depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.map(parser, depth)?, anchor),
            _ => return Err(Stop { span, message: "this is not YAML".to_owned() }),
        };
        let node = Node { span, kind };
        let size = self.nodes - before;
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok((node, size))
    }

    fn count(&mut self, nodes: usize, span: Span) -> Result<(), Stop> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            let message =
                format!("more than {MAX_NODES} values, those that aliases repeat included");
            return Err(Stop { span, message });
        }
        Ok(())
    }

    /// Returns whether a scalar may be a number, boolean or null.
    fn is_plain(
        &mut self,
        style: ScalarStyle,
        tag: Option<&saphyr_parser::Tag>,
        span: Span,
    ) -> bool {
        const CORE: [&str; 5] = ["str", "int", "float", "bool", "null"];
        match tag {
            None => style == ScalarStyle::Plain,
            Some(tag) if tag.is_yaml_core_schema() && CORE.contains(&tag.suffix.as_str()) => {
                tag.suffix != "str"
            }
            Some(tag) if tag.handle == "!" && tag.suffix.is_empty() => false,
            Some(tag) => {
                let message = format!("the tag `{}{}` means nothing here", tag.handle, tag.suffix);
                self.complain(span, message);
                false
            }
        }
    }

    fn complain(&mut self, span: Span, message: String) {
        if self.complaints.len() < MAX_COMPLAINTS {
            self.complaints.push((span, message));
        }
    }

    fn list(&mut self, parser: &mut Source<'_>, depth: usize) -> Result<Kind, Stop> {
        let mut items = Vec::new();
        loop {
            match self.next(parser)? {
                (Event::SequenceEnd, _) => return Ok(Kind::List(items)),
                (event, span) => items.push(self.node(parser, event, span, depth + 1)?.0),
            }
        }
    }

    fn map(&mut self, parser: &mut Source<'_>, depth: usize) -> Result<Kind, Stop> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        let mut merged: Vec<Node> = Vec::new();
        loop {
            let (event, span) = self.next(parser)?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let key = self.node(parser, event, span, depth + 1)?.0;
            let (event, value_span) = self.next(parser)?;
            let value = self.node(parser, event, value_span, depth + 1)?.0;
            let Kind::Scalar { text, is_plain } = key.kind else {
                self.complain(span, "a key must be a single value".to_owned());
                continue;
            };
            if text == "<<" && is_plain {
                merged.push(value);
                continue;
            }
            if let Some(line) = seen.get(&text) {
                self.complain(span, format!("the key `{text}` was already given on line {line}"));
                continue;
            }
            seen.insert(text.clone(), span.line);
            entries.push((Key { text, span }, value));
        }
        for node in merged {
            self.merge(node, &mut entries, &mut seen)?;
        }
        Ok(Kind::Map(entries))
    }

    /// Adds what `<<` names; keys that stand in the mapping itself, or came earlier, win.
    fn merge(
        &mut self,
        node: Node,
        entries: &mut Vec<(Key, Node)>,
        seen: &mut BTreeMap<String, u32>,
    ) -> Result<(), Stop> {
        match node.kind {
            Kind::Map(more) => {
                for (key, value) in more {
                    if !seen.contains_key(&key.text) {
                        seen.insert(key.text.clone(), key.span.line);
                        entries.push((key, value));
                    }
                }
            }
            Kind::List(maps) if maps.iter().all(|node| matches!(node.kind, Kind::Map(_))) => {
                for map in maps {
                    self.merge(map, entries, seen)?;
                }
            }
            _ => self.complain(node.span, "`<<` needs a mapping or a list of mappings".to_owned()),
        }
        Ok(())
    }
}
