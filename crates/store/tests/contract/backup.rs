//! Copies of the database: taken in use, checked, put back.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tocsin_core::rows::WriteSet;
use tocsin_store::{
    DATABASE_FILE, SqliteOptions, SqliteStore, Store, StoreError, back_up, check_backup, restore,
};

use crate::state::{TENANT, firing};

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, SqliteOptions::default()).unwrap()
}

/// Returns the directory of a store with that many alerts, one a turn.
async fn store_with(alerts: u64) -> (TempDir, SqliteStore) {
    let directory = TempDir::new().unwrap();
    let store = open(directory.path());
    for number in 1..=alerts {
        store.commit(TENANT, one(number)).await.unwrap();
    }
    (directory, store)
}

fn one(number: u64) -> WriteSet {
    firing(number, &format!("Alert{number}"))
}

#[tokio::test]
async fn a_copy_taken_while_turns_are_written_is_whole_and_can_be_put_back() {
    let (directory, store) = store_with(20).await;
    let store = Arc::new(store);
    let writer = Arc::clone(&store);
    let writing = tokio::spawn(async move {
        for number in 21..=200 {
            writer.commit(TENANT, one(number)).await.unwrap();
        }
    });
    let target = directory.path().join("copy.db");
    let (from, to) = (directory.path().to_owned(), target.clone());
    let summary = tokio::task::spawn_blocking(move || back_up(&from, &to, false)).await.unwrap();
    let summary = summary.unwrap();
    writing.await.unwrap();
    assert!((20..=200).contains(&summary.open_alerts), "{summary:?}");
    assert_eq!(check_backup(&target).unwrap(), summary);

    let fresh = TempDir::new().unwrap();
    let restored = restore(&target, fresh.path(), false, "old").unwrap();
    assert_eq!((restored.summary.open_alerts, restored.kept_as), (summary.open_alerts, None));
    let loaded = open(fresh.path()).load(TENANT).await.unwrap();
    let mut all = store.load(TENANT).await.unwrap();
    all.alerts.truncate(loaded.alerts.len());
    assert_eq!(format!("{:?}", loaded.alerts), format!("{:?}", all.alerts));
    assert_eq!(loaded.alerts.len(), summary.open_alerts);
}

#[tokio::test]
async fn nothing_is_overwritten_unasked_and_what_is_replaced_is_kept() {
    let (directory, store) = store_with(3).await;
    let target = directory.path().join("copy.db");
    back_up(directory.path(), &target, false).unwrap();
    let refused = back_up(directory.path(), &target, false).unwrap_err();
    assert!(refused.to_string().contains("exists already"), "{refused}");
    back_up(directory.path(), &target, true).unwrap();

    let in_use = restore(&target, directory.path(), true, "old").unwrap_err();
    assert!(in_use.to_string().contains("has this data directory open"), "{in_use}");
    store.close().await.unwrap();
    let there = restore(&target, directory.path(), false, "old").unwrap_err();
    assert!(there.to_string().contains("there is a database already"), "{there}");

    let store = open(directory.path());
    store.commit(TENANT, one(4)).await.unwrap();
    drop(store);
    let restored = restore(&target, directory.path(), true, "old").unwrap();
    assert_eq!(restored.summary.open_alerts, 3);
    assert_eq!(open(directory.path()).load(TENANT).await.unwrap().alerts.len(), 3);
    // The replaced one is whole, its log included.
    let kept = restored.kept_as.unwrap();
    let again = TempDir::new().unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let from = format!("{}{suffix}", kept.display());
        if Path::new(&from).exists() {
            let to = again.path().join(format!("{DATABASE_FILE}{suffix}"));
            std::fs::copy(from, to).unwrap();
        }
    }
    assert_eq!(open(again.path()).load(TENANT).await.unwrap().alerts.len(), 4);
}

#[tokio::test]
async fn a_damaged_or_foreign_file_is_refused_before_anything_is_touched() {
    let (directory, store) = store_with(50).await;
    let target = directory.path().join("copy.db");
    back_up(directory.path(), &target, false).unwrap();
    drop(store);
    let good = std::fs::read(&target).unwrap();
    let fresh = TempDir::new().unwrap();

    let mut torn = good.clone();
    torn.truncate(good.len() / 2);
    let mut flipped = good.clone();
    let middle = 4096 * 3;
    flipped[middle..middle + 2048].fill(0xa5);
    for (name, bytes) in
        [("torn", torn), ("flipped", flipped), ("text", b"hello".to_vec()), ("empty", Vec::new())]
    {
        let file = fresh.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let error = restore(&file, &fresh.path().join("data"), false, "old").unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{name}: {error}");
        assert!(!fresh.path().join("data").exists(), "{name} touched the directory");
    }
    let missing = back_up(&fresh.path().join("nowhere"), &target, true).unwrap_err();
    assert!(missing.to_string().contains("there is no database"), "{missing}");
}
