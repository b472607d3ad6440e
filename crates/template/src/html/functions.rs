//! The functions `html` and `urlquery`, which people write although values are escaped anyway.

use super::Escaper;
use super::context::{Context, Quote, State};
use crate::language;
use crate::syntax::tree::{Command, Operand, OperandKind, Pipe, Place};

/// Takes `html` and `urlquery` at the end of a pipeline for the escapers that do the same, so that
/// nothing is escaped twice.
pub(super) fn merge(
    context: Context,
    pipe: &Pipe,
    mut escapers: Vec<Escaper>,
) -> Result<(Pipe, Vec<Escaper>), (Place, String)> {
    let mut pipe = pipe.clone();
    let count = pipe.commands.len();
    for (index, command) in pipe.commands.iter().enumerate() {
        let Some(name) = escaping_function(command) else { continue };
        let in_space =
            name == "html" && context.state == State::Attribute && context.quote == Quote::Space;
        if index + 1 < count || in_space {
            let why = if in_space {
                "does not protect a value without quotes"
            } else {
                "can only stand last"
            };
            let message = format!("`{name}` {why}; leave it out: values are escaped anyway");
            return Err((command.place, message));
        }
    }
    let Some(last) = pipe.commands.last() else { return Ok((pipe, escapers)) };
    let (same, function): (fn(Escaper) -> bool, _) = match escaping_function(last) {
        Some("html") => (
            |escaper| matches!(escaper, Escaper::Quoted | Escaper::Markup | Escaper::Content),
            Escaper::HtmlFunction,
        ),
        Some(_) => (
            |escaper| matches!(escaper, Escaper::AddressPart | Escaper::Address),
            Escaper::QueryFunction,
        ),
        None => return Ok((pipe, escapers)),
    };
    if !escapers.iter().any(|escaper| same(*escaper)) {
        return Ok((pipe, escapers));
    }
    for escaper in &mut escapers {
        if same(*escaper) {
            *escaper = function;
        }
    }
    if let Some(last) = pipe.commands.pop() {
        // `html x y` is `print x y | html`.
        if pipe.commands.is_empty() {
            let kind = match language::callee("print") {
                Some(print) => OperandKind::Function("print".into(), print),
                None => last.operand.kind.clone(),
            };
            pipe.commands.push(Command { operand: Operand { kind, ..last.operand }, ..last });
        }
    }
    Ok((pipe, escapers))
}

/// Returns the name of the function when it is one that escapes.
fn escaping_function(command: &Command) -> Option<&str> {
    match &command.operand.kind {
        OperandKind::Function(name, _) if matches!(&**name, "html" | "urlquery") => Some(name),
        _ => None,
    }
}
