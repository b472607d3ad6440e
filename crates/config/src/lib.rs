//! The settings file: a strict superset of `alertmanager.yml`.
//!
//! [`load`] reads a file or a directory and returns either everything the rest of the program
//! needs ([`Loaded`]) or everything that is wrong ([`Report`]), each with its place.

mod diagnostic;
mod document;
mod global;
mod http;
mod integration;
mod interval;
mod native;
mod observability;
mod reader;
mod receivers;
mod route;
mod section;
mod values;
mod yaml;

pub use diagnostic::{Diagnostic, Report, Severity};
pub use http::{
    Authorization, BasicAuth, HttpConfig, HttpHeader, OAuth2, TlsConfig, TlsVersion,
};
pub use integration::{IntegrationConfig, ReceiverConfig, Settings};
pub use receivers::*;
pub use values::*;
