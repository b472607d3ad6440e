//! Programs of others, as Debian packages them.

use std::path::PathBuf;

/// Returns where the program is. Says that the test is skipped when it is missing, and panics on
/// a machine of CI, where nothing may be skipped.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|part| part.join(name)).find(|it| it.is_file());
    if found.is_none() {
        skip(&format!("`{name}` is not installed"));
    }
    found
}

/// Says that a test is skipped.
///
/// # Panics
/// On a machine of CI, where nothing may be skipped.
pub(crate) fn skip(why: &str) {
    let is_ci = std::env::var("CI").is_ok_and(|value| matches!(value.as_str(), "true" | "1"));
    assert!(!is_ci, "{why}, and CI=true asks for all tests");
    eprintln!("skipped: {why}");
}
