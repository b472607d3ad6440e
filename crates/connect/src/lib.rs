//! One small module per outside service.
mod failure;
mod message;
mod redact;
mod http { pub(crate) mod tls; }
mod email { mod layout; mod smtp; }
