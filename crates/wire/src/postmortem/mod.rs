//! A postmortem as a document to take along: Markdown, HTML for screens and paper, and the storage
//! format of Confluence.
//!
//! What people wrote is Markdown there, without tags of its own and without addresses other than
//! of the web; everything else is text, never structure.

mod document;
mod html;
mod markdown;
mod xhtml;

pub use html::{confluence, html};
pub use markdown::markdown;

#[cfg(test)]
mod tests;
