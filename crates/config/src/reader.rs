//! Nodes to values: everything that is wrong is collected, nothing stops at the first complaint.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tocsin_core::matcher::ParseMode;

use crate::diagnostic::{Diagnostic, Severity, SourceFile, Span};
use crate::section::{Out, Shape, key_of};
use crate::values::{MASK, SecretStore, StoredSecret, is_secret_name, reference};
use crate::yaml::{Key, Kind, Node};

/// The most complaints that are collected.
pub(crate) const MAX_COMPLAINTS: usize = 1_000;

/// The longest word that is compared with known ones.
const MAX_WORD_BYTES: usize = 100;

/// Sections in whose place people may write a secret by mistake.
const SENSITIVE: [&str; 6] =
    ["HttpConfig", "BasicAuth", "Authorization", "OAuth2", "HttpHeader", "Sigv4"];

/// Something that a key can hold.
pub(crate) trait Value: Sized {
    /// Reads it; on failure complains and returns `None`.
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;

    /// Returns it for writing, secrets masked.
    fn encode(&self) -> Out;

    /// Says what is accepted.
    fn shape() -> Shape;
}

/// Where a value was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) key: Span,
    pub(crate) value: Span,
    /// Whether a single value stands there, which may stand for a whole section.
    pub(crate) is_scalar: bool,
}

/// A value with a template expression.
#[derive(Clone, Debug)]
pub(crate) struct NotedTemplate {
    /// `.receivers[0].slack_configs[0].title`.
    pub(crate) path: String,
    pub(crate) span: Span,
    pub(crate) text: String,
}

/// Collects complaints and remembers the place of every value by its path.
pub(crate) struct Reader<'f> {
    pub(crate) files: &'f [SourceFile],
    pub(crate) mode: ParseMode,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// `.receivers[0].webhook_configs[1].url` → its place.
    pub(crate) places: BTreeMap<String, Place>,
    /// Values with template expressions.
    pub(crate) templates: Vec<NotedTemplate>,
    /// Where secrets stand.
    pub(crate) hidden: Vec<Span>,
    /// The names of stored secrets that are referred to.
    pub(crate) secrets: BTreeSet<String>,
    /// Who keeps them.
    pub(crate) store: Option<Arc<dyn SecretStore>>,
    path: String,
}

/// The keys of a mapping that is being read.
pub(crate) struct Fields<'n> {
    name: &'static str,
    span: Span,
    entries: &'n [(Key, Node)],
}

impl Fields<'_> {
    /// Returns whether the key is there and holds something.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some_and(|(_, node)| !node.is_null())
    }

    fn get(&self, key: &str) -> Option<&(Key, Node)> {
        self.entries.iter().find(|(found, _)| found.text == key)
    }
}

impl<'f> Reader<'f> {
    pub(crate) fn new(files: &'f [SourceFile], mode: ParseMode) -> Self {
        Self {
            files,
            mode,
            diagnostics: Vec::new(),
            places: BTreeMap::new(),
            templates: Vec::new(),
            hidden: Vec::new(),
            secrets: BTreeSet::new(),
            store: None,
            path: String::new(),
        }
    }

    /// Begins a mapping with known keys.
    pub(crate) fn open<'n>(&mut self, node: &'n Node, name: &'static str) -> Option<Fields<'n>> {
        match &node.kind {
            Kind::Map(entries) => Some(Fields { name, span: node.span, entries }),
            // An item that was left empty holds all defaults, as in Alertmanager.
            _ if node.is_null() => Some(Fields { name, span: node.span, entries: &[] }),
            _ => {
                // A forgotten colon makes a key and its secret one text.
                let is_word = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                let is_harmless = matches!(&node.kind, Kind::Scalar { text, .. } if is_word(text));
                if SENSITIVE.contains(&name) || !is_harmless {
                    self.hide(node);
                }
                self.wrong_type(node, "a mapping");
                None
            }
        }
    }

    /// Reads one key; `None` when it is absent, empty or wrong.
    pub(crate) fn field<T: Value>(&mut self, fields: &mut Fields<'_>, key: &str) -> Option<T> {
        let (name, node) = fields.entries.iter().find(|(found, _)| found.text == key)?;
        if node.is_null() {
            return None;
        }
        let length = self.enter(&format!(".{key}"), name.span, node);
        let value = T::decode(node, self);
        self.path.truncate(length);
        value
    }

    /// Complains about keys that are not in `known`.
    pub(crate) fn close(&mut self, fields: &Fields<'_>, known: &[&'static str]) {
        for (key, value) in fields.entries {
            if known.iter().any(|name| key_of(name) == key.text) {
                continue;
            }
            // It may be a secret whose key was mistyped, or hold one.
            let is_scalar = matches!(value.kind, Kind::Scalar { .. });
            if !is_scalar || known.iter().any(|name| names_secret(name)) || names_secret(&key.text)
            {
                self.hide(value);
            }
            let hint = nearest(&key.text, known.iter().map(|name| key_of(name)));
            let section = section_title(fields.name);
            let message = match key.text.split_once(char::is_whitespace) {
                None => format!("unknown key `{}` in {section}{hint}", key.text),
                Some((word, _)) => {
                    // A forgotten colon makes a key and its secret one text.
                    self.hidden.push(key.span);
                    format!("`{word} …` in {section} is no key; is a colon missing?")
                }
            };
            self.error_span(key.span, message);
        }
    }

    /// Runs `read` with the path lengthened by `part`.
    pub(crate) fn inside<T>(
        &mut self,
        part: &str,
        node: &Node,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let length = self.enter(part, node.span, node);
        let value = read(self);
        self.path.truncate(length);
        value
    }

    fn enter(&mut self, part: &str, key: Span, node: &Node) -> usize {
        let length = self.path.len();
        self.path.push_str(part);
        let is_scalar = matches!(node.kind, Kind::Scalar { .. });
        self.places.insert(self.path.clone(), Place { key, value: node.span, is_scalar });
        length
    }

    /// Remembers that the value being read holds a template expression.
    pub(crate) fn note_template(&mut self, node: &Node) {
        let Kind::Scalar { text, .. } = &node.kind else { return };
        let (path, span) = (self.path.clone(), node.span);
        self.templates.push(NotedTemplate { path, span, text: text.clone() });
    }

    /// Returns the path `text` means in the file that holds `node`.
    pub(crate) fn resolve(&self, node: &Node, text: &str) -> PathBuf {
        let path = Path::new(text);
        match self.files.get(node.span.file as usize) {
            Some(file) if path.is_relative() && !file.directory.as_os_str().is_empty() => {
                file.directory.join(path)
            }
            _ => path.to_owned(),
        }
    }

    /// Returns the text of a scalar; `what` names what is expected.
    pub(crate) fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        if let Kind::Scalar { text, .. } = &node.kind {
            return Some(text);
        }
        self.wrong_type(node, what);
        None
    }

    /// Like [`Reader::text`] for a secret.
    pub(crate) fn secret_text(&mut self, node: &Node, what: &str) -> Option<String> {
        self.hide(node);
        let text = self.text(node, what)?;
        if text == MASK {
            let message =
                "this is the mask of a secret, not the secret; nothing can be sent with it";
            self.warn_span(node.span, message);
        }
        Some(text.to_owned())
    }

    /// Returns where a secret is stored when `text` only names it; complains when it cannot be
    /// named so.
    pub(crate) fn stored_secret(
        &mut self,
        node: &Node,
        text: &str,
    ) -> Option<Option<StoredSecret>> {
        let Some(name) = reference(text) else { return Some(None) };
        if !is_secret_name(name) {
            let why = "no secret can have this name: use letters, digits, `.`, `-` and `_`";
            self.error(node, why.to_owned());
            return None;
        }
        self.secrets.insert(name.to_owned());
        Some(Some(StoredSecret::new(name, self.store.clone())))
    }

    /// Keeps everything in `node` out of all complaints, excerpts included.
    pub(crate) fn hide(&mut self, node: &Node) {
        match &node.kind {
            Kind::Scalar { .. } => self.hidden.push(node.span),
            Kind::List(items) => items.iter().for_each(|item| self.hide(item)),
            Kind::Map(entries) => entries.iter().for_each(|(_, value)| self.hide(value)),
        }
    }

    fn is_hidden(&self, node: &Node) -> bool {
        self.hidden.contains(&node.span)
    }

    /// Reads a scalar with `parse`, whose error completes "`text` is not {what}: …".
    pub(crate) fn parsed<T>(
        &mut self,
        node: &Node,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(node, what)?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.error(node, format!("`{text}` is not {what}: {why}"));
                None
            }
        }
    }

    /// Like [`Reader::parsed`] for a text that may hold a secret and must not be repeated.
    pub(crate) fn parsed_secret<T>(
        &mut self,
        node: &Node,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.secret_text(node, what)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.error(node, format!("this is not {what}: {why}"));
                None
            }
        }
    }

    /// Reads one of a few words.
    pub(crate) fn word<T: Copy>(&mut self, node: &Node, words: &[(&str, T)]) -> Option<T> {
        let list: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let expected = format!("one of {}", list.join(", "));
        let text = self.text(node, &expected)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let hint = nearest(text, words.iter().map(|(word, _)| *word));
        self.error(node, format!("`{text}` is not {expected}{hint}"));
        None
    }

    /// Complains that `node` is not of the expected type.
    pub(crate) fn wrong_type(&mut self, node: &Node, expected: &str) {
        if !matches!(node.kind, Kind::Scalar { .. }) {
            // Nobody knows what its parts were meant for.
            self.hide(node);
        }
        let key = self.path.rsplit('.').next().unwrap_or_default().to_owned();
        let place = if key.is_empty() { String::new() } else { format!("`{key}`: ") };
        let message = match &node.kind {
            Kind::Scalar { text, .. }
                if !node.is_null() && text.len() <= 40 && !self.is_hidden(node) =>
            {
                format!("{place}expected {expected}, found `{}`", text.escape_debug())
            }
            _ => format!("{place}expected {expected}, found {}", node.describe()),
        };
        self.error(node, message);
    }

    /// Complains about a value.
    pub(crate) fn error(&mut self, node: &Node, message: impl Into<String>) {
        self.error_span(node.span, message);
    }

    /// Complains about a place.
    pub(crate) fn error_span(&mut self, span: Span, message: impl Into<String>) {
        if self.diagnostics.len() >= MAX_COMPLAINTS {
            return;
        }
        let diagnostic = Diagnostic::new(Severity::Error, self.files, span, message.into());
        self.diagnostics.push(diagnostic);
    }

    /// Warns about a place.
    pub(crate) fn warn_span(&mut self, span: Span, message: impl Into<String>) {
        // Room is left for errors, so that a file full of warnings is not taken for a good one.
        if self.diagnostics.len() >= MAX_COMPLAINTS / 2 {
            return;
        }
        let diagnostic = Diagnostic::new(Severity::Warning, self.files, span, message.into());
        self.diagnostics.push(diagnostic);
    }

    /// Complains about a key of the section being read; about the section when it is absent.
    pub(crate) fn error_at(&mut self, fields: &Fields<'_>, key: &str, message: impl Into<String>) {
        let span = fields.get(key).map_or(fields.span, |(key, _)| key.span);
        self.error_span(span, message);
    }

    /// Warns about a key of the section being read; about the section when it is absent.
    pub(crate) fn warn_at(&mut self, fields: &Fields<'_>, key: &str, message: impl Into<String>) {
        let span = fields.get(key).map_or(fields.span, |(key, _)| key.span);
        self.warn_span(span, message);
    }

    /// Complains about the section being read.
    pub(crate) fn error_here(&mut self, fields: &Fields<'_>, message: impl Into<String>) {
        self.error_span(fields.span, message);
    }

    /// Complains when more than one of `keys` is given.
    pub(crate) fn exclusive(&mut self, fields: &Fields<'_>, keys: &[&str]) {
        let given: Vec<&&str> = keys.iter().filter(|key| fields.has(key)).collect();
        if let [first, second, ..] = given[..] {
            self.error_at(
                fields,
                second,
                format!("only one of `{first}` and `{second}` can be set"),
            );
        }
    }

    /// Complains when none of `keys`, or more than one, is given.
    pub(crate) fn exactly_one(&mut self, fields: &Fields<'_>, keys: &[&str]) {
        if keys.iter().any(|key| fields.has(key)) {
            self.exclusive(fields, keys);
        } else {
            let list: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
            let section = section_title(fields.name);
            self.error_here(fields, format!("{section} needs {}", list.join(" or ")));
        }
    }

    /// Complains about each of `keys` that is not given or empty.
    pub(crate) fn require(&mut self, fields: &Fields<'_>, keys: &[&str]) {
        for key in keys {
            let is_empty = |(_, node): &(Key, Node)| {
                node.is_null() || matches!(&node.kind, Kind::Scalar { text, .. } if text.is_empty())
            };
            if fields.get(key).is_none_or(is_empty) {
                let section = section_title(fields.name);
                self.error_at(fields, key, format!("{section} needs `{key}`"));
            }
        }
    }

    /// Returns the place of the value at `path`, or of the nearest one around it. A section is
    /// pointed at by its key.
    pub(crate) fn place(&self, path: &str) -> Span {
        let mut path = path;
        loop {
            if let Some(place) = self.places.get(path) {
                return if place.is_scalar { place.value } else { place.key };
            }
            match path.rfind(['.', '[']) {
                Some(cut) => path = &path[..cut],
                None => return Span { line: 1, column: 1, ..Span::default() },
            }
        }
    }
}

/// Returns whether a key sounds as if it held a secret.
pub(crate) fn names_secret(key: &str) -> bool {
    const WORDS: [&str; 8] =
        ["password", "secret", "token", "key", "credential", "url", "auth", "header"];
    let lower = key.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

/// Returns how a section is called in a complaint: `RouteConfig` is "route".
pub(crate) fn section_title(name: &str) -> String {
    if name == "Document" {
        return "the file".to_owned();
    }
    let name = name.strip_suffix("Config").or(name.strip_suffix("Document")).unwrap_or(name);
    let mut title = String::new();
    for (index, c) in name.char_indices() {
        if c.is_ascii_uppercase() && index > 0 {
            title.push(' ');
        }
        title.push(c.to_ascii_lowercase());
    }
    title
}

/// Returns "; did you mean `x`?" for the candidate nearest to `text`, the empty string when none
/// is near.
pub(crate) fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    if text.len() > MAX_WORD_BYTES {
        return String::new();
    }
    let lower = text.to_lowercase();
    let far = (text.chars().count() / 3).clamp(1, 4);
    candidates
        .map(|candidate| {
            (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate)
        })
        .filter(|(distance, _)| *distance <= far)
        .min()
        .map(|(_, candidate)| format!("; did you mean `{candidate}`?"))
        .unwrap_or_default()
}
