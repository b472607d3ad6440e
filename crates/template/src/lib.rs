//! Go templates: what users of Alertmanager write in `*.tmpl` files and in `{{ }}` texts.
//!
//! The language is Go's `text/template` and `html/template`; the functions and the data are
//! Alertmanager's. A set of templates is parsed once and rendered many times; rendering is a pure
//! function of the template, the data and the time, and is bounded in steps and output.

mod builtin;
mod cache;
mod data;
pub mod defaults;
mod error;
mod format;
mod function;
mod functions;
mod html;
mod language;
mod program;
mod run;
mod set;
mod syntax;
mod value;

pub use data::data;
pub use error::{ParseError, RenderError};
pub use function::{Call, Function};
pub use set::{Conditions, Escaping, Limits, Templates};
pub use value::{Object, Trust, Value};
