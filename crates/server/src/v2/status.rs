//! `/api/v2/status`.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use tocsin_wire::alertmanager::{Cluster, Status, VersionInfo};

use super::reply;
use crate::App;

/// Shows what the server is, since when it runs, and its configuration.
pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    let current = app.reloader.current();
    let address = app.options.cluster_listen_address.as_str();
    let name = peer_name(&app);
    let cluster =
        if address.is_empty() { Cluster::disabled() } else { Cluster::of_one(&name, address) };
    let version = VersionInfo {
        branch: "tocsin",
        build_date: "",
        build_user: "",
        go_version: "",
        revision: concat!("tocsin-", env!("CARGO_PKG_VERSION")),
        version: &app.options.reported_version,
    };
    let status = Status::new(cluster, current.original_yaml(), app.started_at, version);
    match serde_json::to_vec(&status) {
        Ok(body) => reply::json(body),
        Err(error) => reply::error(&tocsin_wire::alertmanager::ApiError::Handler {
            status: 500,
            message: error.to_string(),
        }),
    }
}

/// Returns what the server calls itself as a member of a cluster of one: 26 digits that look like
/// the ULID that Alertmanager draws, the same for as long as the process runs.
fn peer_name(app: &App) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let hash = |salt: u64| {
        let mut hasher = DefaultHasher::new();
        let options = &app.options;
        let seed = (salt, app.started_at, &options.external_url, &options.cluster_listen_address);
        seed.hash(&mut hasher);
        hasher.finish()
    };
    let mut rest = (u128::from(hash(0)) << 64) | u128::from(hash(1));
    let mut name = [b'0'; 26];
    for digit in name.iter_mut().rev() {
        *digit = DIGITS[usize::from(rest.to_le_bytes()[0] & 31)];
        rest >>= 5;
    }
    name.iter().copied().map(char::from).collect()
}
