//! Who asks, and whether they may: every request passes here before its handler.

mod caller;
mod guard;
mod identify;
mod known;
mod origin;
mod secret;
mod table;

pub use caller::Caller;
pub(crate) use guard::guard;
pub(crate) use identify::{cookie, cookie_named, token};
pub use known::Known;
pub(crate) use origin::{authority, client_address, host_of};
pub(crate) use secret::random_digits;
pub use secret::{FreshSecret, SESSION_COOKIE, TOKEN_PREFIX};
pub use table::{Need, ROUTES, permissions_markdown};
