//! The accept loop.

use std::sync::Arc;

use tokio::net::TcpListener;

use crate::App;

/// Serves until `shutdown` completes, then lets running requests end.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, crate::router(app)).with_graceful_shutdown(shutdown).await
}
