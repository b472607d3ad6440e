//! Files to one tree.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Report, Severity, SourceFile};
use crate::yaml::{self, Key, Kind, Node};

/// The largest file that is read as configuration.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// The most files that one directory may hold.
pub const MAX_FILES: usize = 1_000;

/// Reads a file, or all `*.yml` and `*.yaml` files of a directory in the order of their names.
pub(crate) fn read(path: &Path) -> Result<Vec<SourceFile>, Report> {
    let name = path.display().to_string();
    let failed = |error: std::io::Error| {
        Report::single(Diagnostic::of_file(&name, format!("cannot be read: {error}")))
    };
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![read_file(path)?]);
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        let is_yaml = path.extension().is_some_and(|end| end == "yml" || end == "yaml");
        if is_yaml && !is_hidden && path.is_file() {
            paths.push(path);
        }
    }
    if paths.len() > MAX_FILES {
        let message = format!("the directory holds more than {MAX_FILES} files");
        return Err(Report::single(Diagnostic::of_file(&name, message)));
    }
    if paths.is_empty() {
        let message = "the directory holds no file that ends in .yml or .yaml";
        return Err(Report::single(Diagnostic::of_file(&name, message)));
    }
    paths.sort();
    let mut files = Vec::with_capacity(paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        match read_file(&path) {
            Ok(file) => files.push(file),
            Err(report) => wrong.extend(report.diagnostics),
        }
    }
    if wrong.is_empty() { Ok(files) } else { Err(Report { diagnostics: wrong }) }
}

fn read_file(path: &Path) -> Result<SourceFile, Report> {
    let name = path.display().to_string();
    let fail = |message: String| Report::single(Diagnostic::of_file(&name, message));
    let failed = |error: std::io::Error| fail(format!("cannot be read: {error}"));
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(fail(format!("the file is longer than {MAX_FILE_BYTES} bytes")));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(from_text(&name, &text)),
        Err(error) => {
            let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            Err(fail(format!("the file is not UTF-8 (line {})", line + 1)))
        }
    }
}

/// Makes a file of a text; relative paths in it begin where `name` lies.
pub(crate) fn from_text(name: &str, text: &str) -> SourceFile {
    let directory = Path::new(name).parent().map(PathBuf::from).unwrap_or_default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    SourceFile { name: name.to_owned(), directory, text: text.into() }
}

/// Parses all files and joins their sections: lists are concatenated, anything else may be given
/// once.
pub(crate) fn merge(files: &[SourceFile], diagnostics: &mut Vec<Diagnostic>) -> Option<Node> {
    let mut merged: Option<Node> = None;
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for index in 0..files.len() {
        let file = u32::try_from(index).unwrap_or(u32::MAX);
        let before = diagnostics.len();
        let root = yaml::parse(files, file, diagnostics);
        if diagnostics.len() > before {
            continue;
        }
        let Some(Node { span, kind }) = root.filter(|root| !root.is_null()) else { continue };
        let Kind::Map(entries) = kind else {
            let message = "a configuration is a mapping of sections, such as `route:`".to_owned();
            diagnostics.push(Diagnostic::new(Severity::Error, files, span, message));
            continue;
        };
        let root = merged.get_or_insert(Node { span, kind: Kind::Map(Vec::new()) });
        let Kind::Map(all) = &mut root.kind else { continue };
        for (key, node) in entries {
            match places.get(&key.text) {
                None => {
                    places.insert(key.text.clone(), all.len());
                    all.push((key, node));
                }
                Some(position) => join(files, &mut all[*position], key, node, diagnostics),
            }
        }
    }
    if merged.is_none() && diagnostics.is_empty() {
        let name = files.first().map(|file| file.name.as_str()).unwrap_or_default();
        let message = match files {
            [_] => "the file is empty; a configuration needs at least `route` and `receivers`",
            _ => "all files of the directory are empty",
        };
        diagnostics.push(Diagnostic::of_file(name, message));
    }
    merged
}

fn join(
    files: &[SourceFile],
    (known_key, known): &mut (Key, Node),
    key: Key,
    node: Node,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if node.is_null() {
        return;
    }
    if known.is_null() {
        *known = node;
        *known_key = key;
        return;
    }
    match (&mut known.kind, node.kind) {
        (Kind::List(items), Kind::List(more)) => items.extend(more),
        _ => {
            let first = known_key.span;
            let name = files.get(first.file as usize).map_or("", |file| file.name.as_str());
            let message = format!(
                "`{}` is already given at {name}:{}:{}; only lists are joined",
                key.text, first.line, first.column
            );
            diagnostics.push(Diagnostic::new(Severity::Error, files, key.span, message));
        }
    }
}
