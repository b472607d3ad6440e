//! Rust source taken apart by line into code, comments and text literals.
//!
//! A small reader, not a parser: enough to look for words where they mean something.

use std::iter::Peekable;
use std::str::Chars;

/// A source file, taken apart.
#[derive(Debug)]
pub(super) struct Source {
    /// Relative to the root.
    pub(super) path: String,
    /// In order; the first is line 1.
    pub(super) lines: Vec<Line>,
}

/// One line of a source file.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The code, with text literals emptied and comments left out.
    pub(super) code: String,
    /// The text of comments.
    pub(super) comment: String,
    /// The text literals that begin on this line, whole.
    pub(super) texts: Vec<String>,
    /// Whether it is only compiled for tests.
    pub(super) is_test: bool,
}

impl Source {
    /// Takes a file apart.
    pub(super) fn read(path: &str, text: &str) -> Self {
        let mut reader =
            Reader { characters: text.chars().peekable(), lines: vec![Line::default()] };
        reader.run();
        let mut lines = reader.lines;
        if is_test_file(path) {
            lines.iter_mut().for_each(|line| line.is_test = true);
        } else {
            mark_tests(&mut lines);
        }
        Self { path: path.to_owned(), lines }
    }

    /// Returns the lines of the program itself with their numbers.
    pub(super) fn program_lines(&self) -> impl Iterator<Item = (usize, &Line)> {
        self.numbered().filter(|(_, line)| !line.is_test)
    }

    /// Returns all lines with their numbers.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (usize, &Line)> {
        (1..).zip(&self.lines)
    }

    /// Returns the name of the crate the file belongs to: the directory below `crates`.
    pub(super) fn room(&self) -> &str {
        let path = self.path.strip_prefix("crates/").unwrap_or(&self.path);
        path.split('/').next().unwrap_or_default()
    }
}

fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs")
        || ["/tests/", "/benches/", "/examples/"].iter().any(|part| path.contains(part))
}

/// Marks every item under `#[cfg(test)]`, from the attribute to its closing brace.
fn mark_tests(lines: &mut [Line]) {
    let mut depth = 0_usize;
    let mut is_inside = false;
    for line in lines {
        if !is_inside && line.code.trim_start().starts_with("#[cfg(test)]") {
            is_inside = true;
            depth = 0;
        }
        if !is_inside {
            continue;
        }
        line.is_test = true;
        for character in line.code.chars() {
            match character {
                '{' => depth += 1,
                '}' => {
                    depth = depth.saturating_sub(1);
                    is_inside &= depth > 0;
                }
                ';' if depth == 0 => is_inside = false,
                _ => {}
            }
        }
    }
}

struct Reader<'a> {
    characters: Peekable<Chars<'a>>,
    lines: Vec<Line>,
}

impl Reader<'_> {
    fn run(&mut self) {
        let mut previous = ' ';
        while let Some(character) = self.next() {
            match character {
                '/' if self.characters.peek() == Some(&'/') => self.line_comment(),
                '/' if self.characters.peek() == Some(&'*') => self.block_comment(),
                '"' => self.text(),
                '\'' => self.quote(),
                'r' | 'b' | 'c' if !is_word(previous) => self.maybe_raw_text(character),
                _ => self.code(character),
            }
            previous = character;
        }
    }

    /// Takes a character and begins a new line after each line end.
    fn next(&mut self) -> Option<char> {
        let character = self.characters.next()?;
        if character == '\n' {
            self.lines.push(Line::default());
        }
        Some(character)
    }

    fn code(&mut self, character: char) {
        if character != '\n' {
            self.last().code.push(character);
        }
    }

    fn last(&mut self) -> &mut Line {
        if self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        let index = self.lines.len() - 1;
        &mut self.lines[index]
    }

    fn line_comment(&mut self) {
        while let Some(character) = self.characters.next_if(|&character| character != '\n') {
            self.last().comment.push(character);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 1_usize;
        let _ = self.next();
        while depth > 0 {
            let Some(character) = self.next() else { return };
            match (character, self.characters.peek()) {
                ('*', Some('/')) => {
                    depth -= 1;
                    let _ = self.next();
                }
                ('/', Some('*')) => {
                    depth += 1;
                    let _ = self.next();
                }
                ('\n', _) => {}
                _ => self.last().comment.push(character),
            }
        }
    }

    /// Reads a text literal after its opening quote.
    fn text(&mut self) {
        let begin = self.lines.len() - 1;
        let mut text = String::new();
        self.last().code.push_str("\"\"");
        while let Some(character) = self.next() {
            match character {
                '"' => break,
                '\\' => {
                    let _ = self.next();
                    text.push(' ');
                }
                _ => text.push(character),
            }
        }
        self.lines[begin].texts.push(text);
    }

    /// Reads what follows `'`: a character literal or a lifetime.
    fn quote(&mut self) {
        let mut ahead = self.characters.clone();
        let first = ahead.next();
        let is_character = first == Some('\\') || ahead.next() == Some('\'');
        self.last().code.push('\'');
        if !is_character {
            return;
        }
        while let Some(character) = self.next() {
            match character {
                '\'' => break,
                '\\' => {
                    let _ = self.next();
                }
                _ => {}
            }
        }
        self.last().code.push('\'');
    }

    /// Reads what follows an `r`, `b` or `c` that begins a word: `r"…"`, `br#"…"#`, `b"…"` or
    /// nothing special.
    fn maybe_raw_text(&mut self, first: char) {
        let mut ahead = self.characters.clone();
        let mut taken = 0_usize;
        let mut is_raw = first == 'r';
        if !is_raw && ahead.peek() == Some(&'r') {
            let _ = ahead.next();
            taken += 1;
            is_raw = true;
        }
        let mut hashes = 0_usize;
        while is_raw && ahead.next_if_eq(&'#').is_some() {
            hashes += 1;
        }
        self.code(first);
        if !is_raw || ahead.peek() != Some(&'"') {
            return;
        }
        for _ in 0..=(taken + hashes) {
            let _ = self.next();
        }
        self.raw_text(hashes);
    }

    fn raw_text(&mut self, hashes: usize) {
        let begin = self.lines.len() - 1;
        let mut text = String::new();
        self.last().code.push_str("\"\"");
        while let Some(character) = self.next() {
            let mut ahead = self.characters.clone();
            let is_end = character == '"' && (0..hashes).all(|_| ahead.next() == Some('#'));
            if is_end {
                for _ in 0..hashes {
                    let _ = self.next();
                }
                break;
            }
            text.push(character);
        }
        self.lines[begin].texts.push(text);
    }
}

/// Returns whether the character can be part of a name.
pub(super) fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Source {
        Source::read("crates/core/src/a.rs", text)
    }

    #[test]
    fn code_comments_and_texts_are_told_apart() {
        let source = read("let a = \"x // y\"; // say \"hi\"\nlet b = 1; /* c\nd */ let e = 2;");
        assert_eq!(source.lines[0].code, "let a = \"\"; ");
        assert_eq!(source.lines[0].comment, "/ say \"hi\"");
        assert_eq!(source.lines[0].texts, ["x // y"]);
        assert_eq!(source.lines[1].code, "let b = 1; ");
        assert_eq!(source.lines[2].code, " let e = 2;");
        assert_eq!(source.room(), "core");
    }

    #[test]
    fn quotes_lifetimes_and_raw_texts_do_not_confuse_it() {
        let source = read(
            "fn f<'a>(x: &'a str) { g('\"', '\\'', b'x', r#\"a\"b\"#, br\"c\", \"\\\"\") }\nlet z;",
        );
        assert_eq!(source.lines[0].texts, ["a\"b", "c", " "]);
        assert_eq!(source.lines[1].code, "let z;");
        let source = read("let r = bar; let r#type = 1;\n\"two\nlines\";\nend");
        assert_eq!(source.lines[0].code, "let r = bar; let r#type = 1;");
        assert_eq!(source.lines[1].texts, ["two\nlines"]);
        assert_eq!(source.lines[3].code, "end");
    }

    #[test]
    fn what_only_tests_compile_is_marked() {
        let source = read("fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { }\n}\nfn c() {}");
        let marks: Vec<bool> = source.lines.iter().map(|line| line.is_test).collect();
        assert_eq!(marks, [false, true, true, true, true, false]);
        let source = read("#[cfg(test)]\nmod tests;\nfn c() {}");
        assert_eq!(source.program_lines().map(|(number, _)| number).collect::<Vec<_>>(), [3]);
        assert!(Source::read("crates/a/tests/b.rs", "fn a() {}").lines[0].is_test);
    }
}
