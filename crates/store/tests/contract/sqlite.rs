//! The contract on SQLite, and what only a file can get wrong.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;
use tocsin_core::alert::Description;
use tocsin_core::ids::{GroupNumber, TenantId};
use tocsin_core::labels::Labels;
use tocsin_core::rows::WriteSet;
use tocsin_store::{DATABASE_FILE, EventQuery, SqliteOptions, SqliteStore, Store, StoreError};

use crate::Fixture;
use crate::history::every_event;
use crate::model::{self, Model};
use crate::state::{TENANT, alert, event};

struct Sqlite {
    store: SqliteStore,
    directory: TempDir,
}

impl Fixture for Sqlite {
    type Store = SqliteStore;

    async fn make() -> Self {
        let directory = TempDir::new().unwrap();
        Self { store: open(directory.path()).unwrap(), directory }
    }

    fn store(&self) -> &SqliteStore {
        &self.store
    }

    async fn reopen(self) -> Self {
        let Self { store, directory } = self;
        drop(store);
        Self { store: open(directory.path()).unwrap(), directory }
    }
}

crate::whole_contract!(Sqlite);

fn open(directory: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(directory, SqliteOptions::default())
}

fn refusal(directory: &Path) -> StoreError {
    match open(directory) {
        Ok(_) => panic!("{} was opened", directory.display()),
        Err(error) => error,
    }
}

fn database(directory: &Path) -> PathBuf {
    directory.join(DATABASE_FILE)
}

/// An alert with an annotation of that size.
fn large(number: u64, bytes: usize) -> WriteSet {
    let (identity, row) = alert(number, "Large");
    let annotations = Labels::from([("text", "x".repeat(bytes).as_str())]);
    let description = Description { annotations, ..Description::default() };
    WriteSet {
        identities: vec![identity],
        descriptions: vec![(row.number, description.into())],
        alerts: vec![row],
        ..WriteSet::default()
    }
}

/// A row in every table.
async fn fill(store: &SqliteStore) {
    use proptest::strategy::{Strategy, ValueTree};
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut model = Model::default();
    for turn in
        proptest::collection::vec(model::turn(), 30).new_tree(&mut runner).unwrap().current()
    {
        store.commit(TENANT, model.apply(turn)).await.unwrap();
    }
    let events = vec![event(1, 10, every_event(1).remove(0))];
    store.commit(TENANT, WriteSet { events, ..WriteSet::default() }).await.unwrap();
}

#[tokio::test]
async fn a_missing_directory_is_made() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("a/b");
    open(&directory).unwrap().probe().await.unwrap();
    assert!(database(&directory).is_file());
}

#[tokio::test]
async fn a_second_opening_is_refused_and_says_who_has_it() {
    let fixture = Sqlite::make().await;
    let error = refusal(fixture.directory.path());
    let expected = format!("process {} has this data directory open", std::process::id());
    assert!(matches!(error, StoreError::Unwritable { .. }), "{error:?}");
    assert!(error.to_string().contains(&expected), "{error}");
    assert!(error.to_string().contains("tocsin.lock"), "{error}");
    fixture.store.close().await.unwrap();
    open(fixture.directory.path()).unwrap();
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    // Not even root writes here, so the test holds in a container, too.
    for place in ["/proc/tocsin", "/proc/self"] {
        let error = refusal(Path::new(place));
        assert!(
            matches!(&error, StoreError::Unwritable { path, .. } if path.starts_with(place)),
            "{error:?}"
        );
    }
    let parent = TempDir::new().unwrap();
    let file = parent.path().join("file");
    std::fs::write(&file, "taken").unwrap();
    assert!(matches!(refusal(&file), StoreError::Unwritable { .. }));
}

#[tokio::test]
async fn a_full_disk_refuses_turns_until_there_is_room() {
    let fixture = Sqlite::make().await;
    let store = &fixture.store;
    store.commit(TENANT, large(1, 100)).await.unwrap();
    store.limit_size(Some(0)).await.unwrap();
    for _ in 0..3 {
        let error = store.commit(TENANT, large(2, 1_000_000)).await.unwrap_err();
        assert!(
            matches!(&error, StoreError::Unwritable { path, .. } if path.ends_with(DATABASE_FILE)),
            "{error:?}"
        );
        assert!(matches!(store.probe().await, Err(StoreError::Unwritable { .. })));
        // Nothing of it was written, and reading goes on.
        assert_eq!(store.load(TENANT).await.unwrap().alerts.len(), 1);
    }
    store.limit_size(None).await.unwrap();
    store.probe().await.unwrap();
    store.commit(TENANT, large(2, 1_000_000)).await.unwrap();
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.load(TENANT).await.unwrap().alerts.len(), 2);
}

#[tokio::test]
async fn a_database_of_a_later_release_is_left_alone() {
    let fixture = Sqlite::make().await;
    fixture.store.close().await.unwrap();
    let path = database(fixture.directory.path());
    let outside = Connection::open(&path).unwrap();
    let known: i64 = outside.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    outside.pragma_update(None, "user_version", 999).unwrap();
    let error = refusal(fixture.directory.path());
    assert!(matches!(error, StoreError::TooNew { found: 999, known, .. } if known > 0), "{error}");
    // The refusal gave the directory back.
    Connection::open(&path).unwrap().pragma_update(None, "user_version", known).unwrap();
    open(fixture.directory.path()).unwrap();
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let directory = TempDir::new().unwrap();
    std::fs::write(database(directory.path()), "not a database at all".repeat(500)).unwrap();
    let error = refusal(directory.path());
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_names_its_table() {
    for (table, damage) in [
        ("alert_identity", "UPDATE alert_identity SET labels = '{\"a\":'"),
        ("alert_identity", "DELETE FROM alert_identity"),
        ("alert_description", "UPDATE alert_description SET annotations = '[]'"),
        ("alert_state", "UPDATE alert_state SET is_timeout = 7"),
        ("alert_state", "UPDATE alert_state SET starts_at = 9223372036854775807"),
        ("alert_group", "UPDATE alert_group SET alerts = x'00'"),
        (
            "alert_group",
            "UPDATE alert_group SET held_back = '[[{\"by\":\"mute_interval\",\"name\":\"x\"},[999]]]'",
        ),
        ("notification_log", "UPDATE notification_log SET firing = x'0102'"),
        ("notification_log", "UPDATE notification_log SET position = -1 - position"),
        ("outbox", "UPDATE outbox SET entry = 'null'"),
        ("silence", "UPDATE silence SET silence = '{}'"),
        ("maintenance_window", "UPDATE maintenance_window SET maintenance_window = ''"),
    ] {
        let fixture = Sqlite::make().await;
        fill(&fixture.store).await;
        fixture.store.load(TENANT).await.unwrap();
        let outside = Connection::open(database(fixture.directory.path())).unwrap();
        assert!(outside.execute(damage, []).unwrap() > 0, "{damage}");
        let error = fixture.store.load(TENANT).await.unwrap_err();
        assert!(
            matches!(&error, StoreError::Corrupt { table: named, .. } if *named == table),
            "{damage}: {error:?}"
        );
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_read_names_its_table() {
    for damage in ["payload = '{'", "payload = 'x'", "payload = '{}'", "kind = 'unheard_of'"] {
        let fixture = Sqlite::make().await;
        fill(&fixture.store).await;
        let outside = Connection::open(database(fixture.directory.path())).unwrap();
        outside.execute(&format!("UPDATE event SET {damage}"), []).unwrap();
        let query = EventQuery { limit: 1, ..EventQuery::default() };
        let error = fixture.store.events(TENANT, query).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { table: "event", .. }), "{damage}: {error:?}");
    }
}

#[tokio::test]
async fn the_files_of_a_running_store_hold_every_answered_turn() {
    let fixture = Sqlite::make().await;
    for number in 1..=20 {
        fixture.store.commit(TENANT, large(number, 5_000)).await.unwrap();
    }
    // What a killed process leaves behind.
    let copy = TempDir::new().unwrap();
    for suffix in ["", "-wal"] {
        let name = format!("{DATABASE_FILE}{suffix}");
        std::fs::copy(fixture.directory.path().join(&name), copy.path().join(&name)).unwrap();
    }
    let after = open(copy.path()).unwrap();
    assert_eq!(after.load(TENANT).await.unwrap().alerts.len(), 20);
}

#[tokio::test]
async fn the_log_starts_over_while_turns_keep_coming() {
    /// How often the log has started over, as its header counts.
    fn rounds(directory: &Path) -> u32 {
        let log = std::fs::read(directory.join(format!("{DATABASE_FILE}-wal"))).unwrap();
        u32::from_be_bytes(log[12..16].try_into().unwrap())
    }
    let fixture = Sqlite::make().await;
    fixture.store.commit(TENANT, large(1, 1)).await.unwrap();
    let before = rounds(fixture.directory.path());
    for number in 2..400 {
        fixture.store.commit(TENANT, large(number, 1_000_000)).await.unwrap();
        if number % 10 == 0 && rounds(fixture.directory.path()) > before {
            return;
        }
    }
    panic!("400 MB were written and the log never started over");
}

#[tokio::test]
async fn an_orderly_end_leaves_one_file() {
    let fixture = Sqlite::make().await;
    fill(&fixture.store).await;
    fixture.store.load(TENANT).await.unwrap();
    fixture.store.close().await.unwrap();
    let log = fixture.directory.path().join(format!("{DATABASE_FILE}-wal"));
    assert!(std::fs::metadata(log).map_or(0, |meta| meta.len()) == 0);
}

#[tokio::test]
async fn a_group_of_many_alerts_comes_back() {
    let fixture = Sqlite::make().await;
    let row = tocsin_core::rows::GroupRow {
        number: GroupNumber(1),
        route: "{}".into(),
        labels: Labels::default(),
        opened_at: jiff::Timestamp::UNIX_EPOCH,
        flush_at: jiff::Timestamp::UNIX_EPOCH,
        early_flush_at: None,
        has_flushed: true,
        alerts: (0..50_000)
            .map(|number| (tocsin_core::labels::Fingerprint(number), None))
            .collect(),
    };
    let writes = WriteSet { groups: vec![row.clone()], ..WriteSet::default() };
    fixture.store.commit(TenantId(9), writes).await.unwrap();
    assert_eq!(fixture.store.load(TenantId(9)).await.unwrap().groups, [row]);
}
