//! What can be wrong with a template, and where.

use std::sync::Arc;

/// Why a template cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}:{column}: {message}")]
pub struct ParseError {
    /// The file, or what an inline text belongs to.
    pub name: Arc<str>,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Why a template could not be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The inline text cannot be read.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// Something failed while it was worked off.
    #[error("{name}:{line}:{column}: {message}")]
    Failed {
        /// The file, or what an inline text belongs to.
        name: Arc<str>,
        /// The line, counted from 1.
        line: u32,
        /// The column in characters, counted from 1.
        column: u32,
        /// What went wrong.
        message: String,
    },
}
