//! The values that keys hold: what they accept, how they print, and what they must not show.

mod basic;
mod bytes;
mod duration;
mod host_port;
mod secret;
mod stored;
mod template;
mod url;

pub use basic::Any;
pub use bytes::Bytes;
pub use duration::{BadDuration, parse_duration, print_duration};
pub use host_port::HostPort;
pub use secret::{MAX_SECRET_FILE_BYTES, Secret, SecretSource};
pub use stored::{MAX_SECRET_NAME_BYTES, NotStored, SecretStore, StoredSecret, is_secret_name};
pub use template::Template;
pub(crate) use url::check as check_url;
pub use url::{SecretUrl, Url};

pub(crate) use duration::signed;
pub(crate) use secret::MASK;
pub(crate) use stored::reference;
