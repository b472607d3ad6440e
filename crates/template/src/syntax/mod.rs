//! From text to tree: tokens, constants, and the grammar of actions.

mod constant;
mod control;
mod lexer;
mod parser;
mod pipeline;
mod token;
pub(crate) mod tree;

pub(crate) use parser::parse;

/// The longest text that is read as a template, in bytes; a longer one is refused.
pub(crate) const MAX_TEMPLATE_BYTES: usize = 1 << 20;

/// How deep blocks and parentheses may stand in each other; deeper is refused, so that neither
/// reading nor rendering can exhaust the stack.
pub(crate) const MAX_NESTING: usize = 64;
