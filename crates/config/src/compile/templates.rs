//! Templates: files are read, and every text of the configuration that holds one is checked, so that
//! a mistake is found here and not when somebody should be paged.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tocsin_template::{Escaping, ParseError, Templates};

use crate::diagnostic::{Diagnostic, Severity, SourceFile, Span};
use crate::document::Document;
use crate::reader::{NotedTemplate, Reader};

/// The most files that all patterns may name together.
const MAX_FILES: usize = 1_000;

/// The largest file in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Reads the files that `templates` names and checks every template of the configuration.
pub(super) fn compile(document: &Document, reader: &mut Reader<'_>) -> Arc<Templates> {
    let mut templates = Templates::builtin();
    for (index, pattern) in document.templates.iter().enumerate() {
        let span = reader.place(&format!(".templates[{index}]"));
        for path in files_of(pattern, span, reader) {
            add_file(&mut templates, &path, span, reader);
        }
    }
    let noted = std::mem::take(&mut reader.templates);
    for noted in noted {
        check(&templates, &noted, reader);
    }
    Arc::new(templates)
}

/// Returns the files that a pattern names, in order; none is no mistake.
fn files_of(pattern: &Path, span: Span, reader: &mut Reader<'_>) -> Vec<PathBuf> {
    let paths = match glob::glob(&pattern.to_string_lossy()) {
        Ok(paths) => paths,
        Err(error) => {
            reader.error_span(span, format!("this is not a pattern of files: {}", error.msg));
            return Vec::new();
        }
    };
    let mut files: Vec<PathBuf> = paths.filter_map(Result::ok).filter(|it| it.is_file()).collect();
    if files.len() > MAX_FILES {
        let found = files.len();
        reader.error_span(span, format!("{found} files match; at most {MAX_FILES} are read"));
        files.clear();
    }
    files
}

fn add_file(templates: &mut Templates, path: &Path, span: Span, reader: &mut Reader<'_>) {
    let name = path.display().to_string();
    let size = std::fs::metadata(path).map_or(0, |it| it.len());
    if size > MAX_FILE_BYTES {
        let message = format!("{name} has {size} bytes; at most {MAX_FILE_BYTES} are read");
        return reader.error_span(span, message);
    }
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return reader.error_span(span, format!("{name} cannot be read: {error}")),
    };
    if let Err(error) = templates.add_file(&name, &text) {
        let file = SourceFile { name, directory: PathBuf::new(), text: text.into() };
        let place = Span {
            file: 0,
            line: error.line,
            column: error.column,
            length: 1,
            last_line: error.line,
        };
        let files = [file];
        reader.diagnostics.push(Diagnostic::new(Severity::Error, &files, place, error.message));
    }
}

fn check(templates: &Templates, noted: &NotedTemplate, reader: &mut Reader<'_>) {
    let key = noted.path.rsplit('.').next().unwrap_or_default();
    let is_page = key == "html" && noted.path.contains(".email_configs[");
    let escaping = if is_page { Escaping::Html } else { Escaping::None };
    let Err(error) = templates.check_as(key, &noted.text, escaping) else { return };
    let span = place(&error, key, noted, reader.files).unwrap_or(noted.span);
    let message = if *error.name == *key {
        format!("`{key}`: {}", error.message)
    } else {
        // The mistake lies in a file that this text calls.
        format!("`{key}`: {error}")
    };
    reader.error_span(span, message);
}

/// Returns where in the file of the configuration a mistake in a text stands. A text may be
/// written in several styles; its line is looked for as it is.
fn place(
    error: &ParseError,
    key: &str,
    noted: &NotedTemplate,
    files: &[SourceFile],
) -> Option<Span> {
    if *error.name != *key {
        return None;
    }
    let line = noted.text.lines().nth(error.line.checked_sub(1)? as usize)?;
    let wanted = line.trim();
    let indent = line.chars().take_while(|c| c.is_whitespace()).count();
    let file = files.get(noted.span.file as usize)?;
    let first = noted.span.line as usize;
    let span_lines = noted.text.lines().count() + 2;
    let candidates = file.text.lines().enumerate().skip(first.checked_sub(1)?).take(span_lines);
    for (index, text) in candidates {
        let Some(at) = text.find(wanted) else { continue };
        let before = text[..at].chars().count();
        let within = (error.column as usize).checked_sub(1)?.saturating_sub(indent);
        let line = u32::try_from(index + 1).ok()?;
        let column = u32::try_from(before + within + 1).ok()?;
        return Some(Span { line, column, length: 1, last_line: line, ..noted.span });
    }
    None
}
