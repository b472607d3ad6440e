//! A disk without room, and a data directory that cannot be written.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::process::QUIET;
use crate::support::api::{firing, silence_of};
use crate::support::program;
use crate::support::tocsin::{Setup, Tocsin};

/// Runs the server such that a file that may not grow is an error to it, not its end.
const HEED_FILE_SIZE: &str = r#"trap '' XFSZ; exec "$0" "$@""#;

/// The size of the file system that is filled: room for a young database and little more.
const SMALL_DISK: &str = "size=2m";

/// More alerts than there is room for.
const MAX_ALERTS: u32 = 10_000;

/// Posts alerts until one is refused; returns the names of those that were accepted and of the
/// first that was not.
async fn fill(tocsin: &Tocsin) -> (BTreeSet<String>, String) {
    let mut accepted = BTreeSet::new();
    for number in 0..MAX_ALERTS {
        let name = format!("Filler{number}");
        // Different in every alert, so that nothing about it can be packed away.
        let text = format!("{number} of many ").repeat(100);
        let alert = firing(&[("alertname", &name), ("text", &text)]);
        let answer = tocsin.post("/api/v2/alerts", &json!([alert])).await;
        match answer.status {
            200 => accepted.insert(name),
            503 => {
                assert!(answer.body.contains("could not be written"), "{answer:?}");
                return (accepted, name);
            }
            _ => panic!("{answer:?}"),
        };
    }
    panic!("the disk took {MAX_ALERTS} alerts");
}

/// Checks a server that has no room, then gives it room and checks that it goes on by itself.
async fn no_room_and_room_again(tocsin: &mut Tocsin, give_room: impl AsyncFnOnce()) {
    let (accepted, refused) = fill(tocsin).await;
    let ready = tocsin.get("/-/ready").await;
    assert_eq!(ready.status, 503, "{ready:?}");
    assert!(ready.body.contains(tocsin.data().to_str().unwrap()), "names the place: {ready:?}");
    assert_eq!(tocsin.get("/-/healthy").await.status, 200);
    assert_eq!(tocsin.post("/api/v2/silences", &silence_of("A")).await.status, 503);
    assert_eq!(tocsin.alert_values("alertname").await, accepted);

    give_room().await;
    tocsin.ready().await;
    tocsin.logged("writing works again").await;
    assert_eq!(tocsin.alert_values("alertname").await, accepted);
    tocsin.tell(&[firing(&[("alertname", "After")])]).await;
    tocsin.crash().await;
    let listed = tocsin.alert_values("alertname").await;
    assert!(!listed.contains(&refused), "{refused} was refused");
    let mut expected = accepted;
    expected.insert("After".to_owned());
    assert_eq!(listed, expected);
    assert_eq!(tocsin.get("/api/v2/silences").await.body.trim(), "[]");
}

/// Bounds the size of files that the process may write.
fn bound_files(tocsin: &Tocsin, bytes: &str) {
    let status = Command::new("prlimit")
        .args([format!("--pid={}", tocsin.pid()), format!("--fsize={bytes}")])
        .status()
        .unwrap();
    assert!(status.success(), "prlimit: {status}");
}

#[tokio::test]
async fn without_room_nothing_is_accepted_and_with_room_it_goes_on() {
    if program::find("prlimit").is_none() {
        return;
    }
    let mut tocsin = Setup::default().shell(HEED_FILE_SIZE).start(QUIET).await;
    let largest = std::fs::read_dir(tocsin.data())
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len())
        .max()
        .unwrap();
    // Only the soft bound, so that anybody may lift it again.
    bound_files(&tocsin, &format!("{}:", largest.max(512 << 10)));
    let pid = tocsin.pid();
    no_room_and_room_again(&mut tocsin, async || {
        let lifted = Command::new("prlimit")
            .args([format!("--pid={pid}"), "--fsize=unlimited:".to_owned()])
            .status()
            .unwrap();
        assert!(lifted.success());
    })
    .await;
}

/// A mounted directory, unmounted when dropped.
struct Mount(PathBuf);

impl Mount {
    /// Mounts; `None` when that is not allowed here.
    fn new(arguments: &[&str], at: &Path) -> Option<Self> {
        let output = Command::new("mount").args(arguments).arg(at).output();
        match output {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            other => {
                eprintln!("skipped: mounting is not possible here: {other:?}");
                None
            }
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: the server may still be on its way out.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_disk_that_others_filled_is_no_different() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["-t", "tmpfs", "-o", SMALL_DISK, "tmpfs"];
    let Some(_mount) = Mount::new(&arguments, directory.path()) else { return };
    let data = directory.path().join("data");
    let mut tocsin = Setup::default().data(&data).start(QUIET).await;
    let filler = directory.path().join("filler");
    // Ends with an error once the disk is full.
    let mut file = std::fs::File::create(&filler).unwrap();
    let full = std::io::copy(&mut std::io::repeat(b'x'), &mut file).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull, "{full}");
    drop(file);
    no_room_and_room_again(&mut tocsin, async || std::fs::remove_file(&filler).unwrap()).await;
}

#[tokio::test]
async fn it_does_not_start_on_a_full_disk() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["-t", "tmpfs", "-o", "size=64k", "tmpfs"];
    let Some(_mount) = Mount::new(&arguments, directory.path()) else { return };
    let (code, text) = Setup::default().data(directory.path()).refuse(QUIET).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains(directory.path().to_str().unwrap()) && text.contains("full"), "{text}");
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_made_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("data");
    std::fs::write(&file, "a file where the directory should be").unwrap();
    for place in [file.as_path(), Path::new("/proc/tocsin")] {
        let (code, text) = Setup::default().data(place).refuse(QUIET).await;
        assert_eq!(code, 1, "{text}");
        assert!(text.contains(place.to_str().unwrap()), "{text}");
        assert!(!text.contains("panicked"), "{text}");
    }
}

#[tokio::test]
async fn a_data_directory_that_became_read_only_is_told() {
    let mut tocsin = Tocsin::start(QUIET).await;
    assert_eq!(tocsin.stop().await.code(), Some(0));
    let data = tocsin.data().to_str().unwrap();
    let Some(mount) = Mount::new(&["--bind", data], tocsin.data()) else { return };
    let options = ["-o", "remount,bind,ro"];
    assert!(Command::new("mount").args(options).arg(data).status().unwrap().success());
    let (code, text) = Setup::default().data(data).refuse(QUIET).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains(data) && text.to_lowercase().contains("read-only"), "{text}");
    drop(mount);
}
