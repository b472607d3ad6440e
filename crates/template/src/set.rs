//! A set of templates: the built-in ones, those of files, and inline texts that use them.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;

use crate::builtin;
use crate::cache::Cache;
use crate::error::{ParseError, RenderError};
use crate::program::{Program, Shelf};
use crate::run;
use crate::syntax;
use crate::value::Value;

/// Everything inline texts can refer to, parsed. Later files replace templates of the same name.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    shelf: Arc<Shelf>,
    cache: Arc<Cache>,
}

/// Bounds of one rendering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that may come out.
    pub output_bytes: usize,
    /// The most nodes that may be worked off.
    pub steps: usize,
    /// How deep templates may call each other.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { output_bytes: 1 << 20, steps: 1_000_000, depth: 100 }
    }
}

/// How values are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Escaping {
    /// As they are: Go's `text/template`.
    None,
    /// For the place in the page where they stand: Go's `html/template`.
    Html,
}

/// What a rendering knows besides the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// The present time.
    pub now: Timestamp,
    /// The bounds.
    pub limits: Limits,
}

impl Templates {
    /// Returns the set without any file: the built-in templates of every receiver.
    pub fn builtin() -> Self {
        static BUILTIN: LazyLock<Templates> = LazyLock::new(|| {
            let mut set = Templates::default();
            for (name, text) in builtin::FILES {
                let added = set.add_file(name, text);
                assert!(added.is_ok(), "the built-in templates can be read: {added:?}");
            }
            set
        });
        BUILTIN.clone()
    }

    /// Adds the templates that a file defines, and the file itself under the last part of its name.
    ///
    /// # Errors
    /// When the file cannot be read as a template; the set is unchanged.
    pub fn add_file(&mut self, name: &str, text: &str) -> Result<(), ParseError> {
        let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let parsed = syntax::parse(name, base, text)?;
        let shelf = Arc::make_mut(&mut self.shelf);
        for template in parsed.defined.into_iter().chain([parsed.root]) {
            // An empty definition does not replace one that says something.
            if !template.is_empty() || !shelf.contains_key(&template.name) {
                shelf.insert(template.name.clone(), Arc::new(template));
            }
        }
        // What was read before may now mean something else.
        self.cache = Arc::default();
        Ok(())
    }

    /// Checks an inline text: its syntax, its functions, and that every template it calls exists.
    ///
    /// # Errors
    /// The first mistake, with its place inside `text` or inside the file of a template that it calls.
    pub fn check(&self, name: &str, text: &str) -> Result<(), ParseError> {
        self.check_as(name, text, Escaping::None)
    }

    /// Checks an inline text that is rendered with some escaping; for HTML, also that every value
    /// stands at a place of the page for which it can be escaped.
    ///
    /// # Errors
    /// The first mistake, with its place inside `text` or inside the file of a template that it calls.
    pub fn check_as(&self, name: &str, text: &str, escaping: Escaping) -> Result<(), ParseError> {
        // What HTML makes of the calls is already checked when it is prepared.
        Program::read(name, text, Escaping::None, &self.shelf)?.check_calls()?;
        if escaping == Escaping::Html {
            Program::read(name, text, escaping, &self.shelf)?;
        }
        Ok(())
    }

    /// Renders an inline text.
    ///
    /// # Errors
    /// When the text cannot be read, a function fails, or a bound is met.
    pub fn render(
        &self,
        name: &str,
        text: &str,
        escaping: Escaping,
        data: &Value,
        conditions: Conditions,
    ) -> Result<String, RenderError> {
        let program = self
            .cache
            .get(name, text, escaping, || Program::read(name, text, escaping, &self.shelf))?;
        run::render(&program, data, conditions)
    }
}
