//! Inline texts that were read already.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::ParseError;
use crate::program::Program;
use crate::set::Escaping;

/// How many texts are kept. A configuration has a few dozen; when there are more, all are dropped
/// and read again.
const MAX_PROGRAMS: usize = 512;

/// The longest text that is kept, in bytes.
const MAX_KEPT_BYTES: usize = 64 << 10;

type Key = (Escaping, String, String);

/// Programs by what they were read from.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    programs: Mutex<BTreeMap<Key, Arc<Program>>>,
}

impl Cache {
    /// Returns the program of a text; `read` makes it when it is not known.
    pub(crate) fn get(
        &self,
        name: &str,
        text: &str,
        escaping: Escaping,
        read: impl FnOnce() -> Result<Program, ParseError>,
    ) -> Result<Arc<Program>, ParseError> {
        let key = (escaping, text.to_owned(), name.to_owned());
        if let Some(program) = self.lock().get(&key) {
            return Ok(program.clone());
        }
        let program = Arc::new(read()?);
        if text.len() <= MAX_KEPT_BYTES {
            let mut programs = self.lock();
            if programs.len() >= MAX_PROGRAMS {
                programs.clear();
            }
            programs.insert(key, program.clone());
        }
        Ok(program)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Arc<Program>>> {
        // Whoever panicked left a map behind that is whole.
        self.programs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
