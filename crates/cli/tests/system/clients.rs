//! The clients that vendors publish for their own services, pointed here.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::support::tocsin::Tocsin;
use crate::support::{program, within};
use crate::web::{Authority, TLS, port};

const CONFIG: &str = "route: { receiver: nobody }\nreceivers: [{ name: nobody }]";

/// Returns the Python that has the clients, which `cargo xtask test` puts there.
pub(crate) fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python/bin/python");
    if python.is_file() {
        return Some(python);
    }
    program::skip("the vendors' clients are not installed; `cargo xtask test` does that");
    None
}

#[tokio::test]
async fn the_clients_of_pagerduty_and_opsgenie_notice_no_difference() {
    let Some(python) = python() else { return };
    let tocsin = Tocsin::start(CONFIG).await;
    let authority = Authority::new();
    let secure = authority.serve(TLS).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/vendors.py");
    let mut command = Command::new(python);
    command
        .args(["-W", "ignore"])
        .arg(script)
        .args([tocsin.url(""), format!("https://localhost:{}", port(&secure))]);
    command.env("SSL_CERT_FILE", authority.path().join("ca.crt")).stdin(Stdio::null());
    let output = within("the clients", command.kill_on_drop(true).output()).await.unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "well\n");
}
