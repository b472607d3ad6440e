//! Is anything open that should not be: the key file, passwords on the wire, a server without
//! accounts?

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use reqwest::Url;

use super::report::Findings;
use crate::serve::{KEY_FILE, KEY_VARIABLE};

const SUBJECT: &str = "access";

/// The bits that let the group or everybody in.
const OTHERS: u32 = 0o077;

/// The bits that let everybody on the machine in.
const EVERYBODY: u32 = 0o007;

/// Looks at the key file and at the directory that holds it.
pub(super) fn examine_files(directory: &Path, findings: &mut Findings) {
    if std::env::var(KEY_VARIABLE).is_ok_and(|text| !text.is_empty()) {
        return findings.ok(SUBJECT, format!("secrets are sealed with the key of {KEY_VARIABLE}"));
    }
    let path = directory.join(KEY_FILE);
    let Some(mode) = mode(&path) else { return };
    let shown = path.display();
    if mode & OTHERS != 0 {
        findings.failed(
            SUBJECT,
            format!(
                "{shown} CAN BE READ BY OTHERS (mode {mode:03o}), and it opens every stored secret; \
                 `chmod 600 {shown}`, and then `tocsin secret rotate-key`"
            ),
        );
    } else {
        findings.ok(SUBJECT, format!("{shown} is for its owner alone"));
    }
    let shown = directory.display();
    if self::mode(directory).is_some_and(|mode| mode & EVERYBODY != 0) {
        let text = format!(
            "{shown} can be read by everybody on this machine, alerts and hashes of passwords \
             included; `chmod 700 {shown}`"
        );
        findings.warning(SUBJECT, text);
    }
}

/// Looks whether passwords cross a network in the clear, and whether anybody can sign in there.
pub(super) fn examine_address(url: &str, accounts: u64, findings: &mut Findings) {
    let Ok(parsed) = Url::parse(url) else { return };
    if is_here(&parsed) {
        return;
    }
    if accounts == 0 {
        let text = format!(
            "{url} is reached over a network and NOBODY HAS AN ACCOUNT: the first who opens the \
             link that `tocsin serve` printed is the administrator; open it, or print another with \
             `--admin-link`"
        );
        findings.warning(SUBJECT, text);
    } else if parsed.scheme() == "http" {
        findings.warning(
            SUBJECT,
            format!(
                "PASSWORDS AND TOKENS CROSS THE NETWORK IN THE CLEAR at {url}; serve TLS \
                 (--web.config.file), or put a proxy that does in front"
            ),
        );
    } else {
        findings.ok(SUBJECT, format!("{url} speaks TLS, and somebody can sign in"));
    }
}

fn mode(path: &Path) -> Option<u32> {
    Some(std::fs::metadata(path).ok()?.permissions().mode() & 0o777)
}

fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::super::report::Verdict;
    use super::*;

    fn found(examine: impl FnOnce(&mut Findings)) -> Vec<(Verdict, String)> {
        let mut findings = Findings::default();
        examine(&mut findings);
        findings.findings.iter().map(|it| (it.verdict, it.text.clone())).collect()
    }

    fn at(url: &str, accounts: u64) -> Vec<Verdict> {
        let all = found(|findings| examine_address(url, accounts, findings));
        all.into_iter().map(|(verdict, _)| verdict).collect()
    }

    #[test]
    fn passwords_in_the_clear_and_a_server_without_accounts_are_told_loudly() {
        assert_eq!(at("http://alerts.example.org:9093", 1), [Verdict::Warning]);
        assert_eq!(at("http://10.0.0.5:9093", 0), [Verdict::Warning]);
        assert_eq!(at("https://alerts.example.org", 1), [Verdict::Ok]);
        for here in ["http://localhost:9093", "http://127.0.0.1:9093", "http://[::1]:9093"] {
            assert_eq!(at(here, 0), [], "{here}");
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_told_loudly() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(KEY_FILE);
        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        std::fs::write(&path, "x").unwrap();
        let look = || found(|findings| examine_files(directory.path(), findings));
        set(directory.path(), 0o700);
        set(&path, 0o644);
        let all = look();
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(all[0].0 == Verdict::Failed && all[0].1.contains("BY OTHERS"), "{all:?}");
        set(&path, 0o600);
        assert_eq!(look()[0].0, Verdict::Ok);
        set(directory.path(), 0o755);
        assert_eq!(look()[1].0, Verdict::Warning);
    }
}
