//! An inline text, ready to be rendered: its tree, and the templates in its sight.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::ParseError;
use crate::html;
use crate::language;
use crate::set::Escaping;
use crate::syntax;
use crate::syntax::tree::{Node, Place, Template};

/// Templates by name.
pub(crate) type Shelf = BTreeMap<Arc<str>, Arc<Template>>;

/// A text with the templates that it can call: its own before those of the set.
#[derive(Debug)]
pub(crate) struct Program {
    root: Template,
    own: Shelf,
    shared: Arc<Shelf>,
    /// The templates that are prepared for their places in a page.
    prepared: Vec<Template>,
}

impl Program {
    /// Reads a text beside the templates of a set.
    pub(crate) fn read(
        name: &str,
        text: &str,
        escaping: Escaping,
        shared: &Arc<Shelf>,
    ) -> Result<Self, ParseError> {
        let parsed = syntax::parse(name, "", text)?;
        let mut own = Shelf::new();
        for template in parsed.defined {
            // An empty definition does not hide one that says something.
            if !template.is_empty() || !shared.contains_key(&template.name) {
                own.insert(template.name.clone(), Arc::new(template));
            }
        }
        let mut program =
            Self { root: parsed.root, own, shared: shared.clone(), prepared: Vec::new() };
        if escaping == Escaping::Html {
            (program.root, program.prepared) = html::prepare(&program)?;
        }
        Ok(program)
    }

    pub(crate) fn root(&self) -> &Template {
        &self.root
    }

    /// Returns the template of a name.
    pub(crate) fn find(&self, name: &str) -> Option<&Template> {
        self.own.get(name).or_else(|| self.shared.get(name)).map(Arc::as_ref)
    }

    /// Returns a template that is prepared for its place.
    pub(crate) fn prepared(&self, index: usize) -> Option<&Template> {
        self.prepared.get(index)
    }

    /// Says that a template is missing, and which one was probably meant.
    pub(crate) fn missing(&self, name: &str) -> String {
        let known = self.own.keys().chain(self.shared.keys()).map(|known| &**known);
        let help = language::nearest(name, known)
            .map_or_else(String::new, |nearest| format!("; did you mean {nearest:?}?"));
        format!("there is no template {name:?}{help}")
    }

    /// Checks that every template exists that the text calls, itself or through others.
    pub(crate) fn check_calls(&self) -> Result<(), ParseError> {
        let mut seen: Vec<&str> = Vec::new();
        let mut waiting = vec![&self.root];
        waiting.extend(self.own.values().map(Arc::as_ref));
        while let Some(template) = waiting.pop() {
            for (place, name) in calls(&template.body) {
                let Some(called) = self.find(name) else {
                    return Err(ParseError {
                        name: template.file.clone(),
                        line: place.line,
                        column: place.column,
                        message: self.missing(name),
                    });
                };
                if !seen.contains(&name) {
                    seen.push(name);
                    waiting.push(called);
                }
            }
        }
        Ok(())
    }
}

/// Returns every call in a list of nodes, in order.
fn calls(nodes: &[Node]) -> Vec<(Place, &str)> {
    let mut found = Vec::new();
    for node in nodes {
        match node {
            Node::Call { place, name, .. } => found.push((*place, &**name)),
            Node::Branch(branch) => {
                found.extend(calls(&branch.body));
                found.extend(calls(&branch.otherwise));
            }
            _ => {}
        }
    }
    found
}
