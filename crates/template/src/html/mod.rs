//! HTML: every value is escaped for the place in the page where it stands, as Go's `html/template`
//! does.
//!
//! The places are found before anything is rendered: text is followed from tag to attribute to
//! script, and every action gets the escapers that its place needs. A template that is called at
//! different places is prepared once for each.

mod address;
mod attributes;
mod context;
mod escapers;
mod functions;
mod json;
mod needs;
mod page;
mod prepare;
mod script;
mod style;
mod text;

pub(crate) use escapers::Escaper;
pub(crate) use prepare::prepare;
