//! One process per data directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use super::failure::unwritable;
use crate::StoreError;

/// The name of the lock file; it holds the number of the process that has the directory.
const LOCK_FILE: &str = "tocsin.lock";

/// No process number is longer; whatever else the file holds is not repeated in an error.
const MAX_OWNER_BYTES: u64 = 20;

/// Holds the data directory until dropped, also when the process is killed.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the directory for this process.
    ///
    /// # Errors
    /// [`StoreError::Unwritable`] that names the process which has it, or what the system says.
    pub(super) fn take(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(LOCK_FILE);
        // Not truncated: until the lock is ours, the content belongs to its owner.
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|error| unwritable(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let owner = owner(&file);
                return Err(unwritable(
                    &path,
                    &format!("process {owner} has this data directory open"),
                ));
            }
            Err(TryLockError::Error(error)) => return Err(unwritable(&path, &error)),
        }
        file.set_len(0)
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(|error| unwritable(&path, &error))?;
        Ok(Self { _file: file })
    }
}

/// Returns the number of the process that has `directory` open; `None` when none has.
pub fn process_of(directory: &Path) -> Option<u32> {
    let file = File::open(directory.join(LOCK_FILE)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => owner(&file).parse().ok(),
        _ => None,
    }
}

fn owner(file: &File) -> String {
    let mut text = String::new();
    match file.take(MAX_OWNER_BYTES).read_to_string(&mut text) {
        Ok(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => text,
        _ => "(unknown)".to_owned(),
    }
}
