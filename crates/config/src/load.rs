//! From files to everything that the rest of the program needs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use tocsin_core::compat::Compat;
use tocsin_core::identity::Handle;
use tocsin_core::matcher::ParseMode;
use tocsin_core::policy::Policy;

use crate::compile::{Compiled, compile};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Report, Severity, SourceFile, Span};
use crate::document::Document;
use crate::environment::{self, Override};
use crate::reader::{Place, Reader, Value as _, names_secret};
use crate::values::SecretStore;
use crate::{inherit, source, tenant};

/// How environment variables are looked up.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What flags and the environment add to the files.
#[derive(Clone)]
pub struct LoadOptions {
    /// Which grammar reads matchers.
    pub parse_mode: ParseMode,
    /// How environment variables are looked up; by default there are none.
    pub environment: Environment,
    /// How long expired silences and entries of the notification log are kept.
    pub retention: SignedDuration,
    /// No group flushes before this long after the start.
    pub start_delay: SignedDuration,
    /// What holds instead of the section `compat:`.
    pub compat: Option<Compat>,
    /// Whose configuration it is; `None` for the main one.
    pub tenant: Option<Handle>,
    /// Who keeps the secrets that `${secret:NAME}` names; without one nothing is stored.
    pub secrets: Option<Arc<dyn SecretStore>>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            parse_mode: ParseMode::default(),
            environment: Arc::new(|_| None),
            retention: SignedDuration::from_hours(120),
            start_delay: SignedDuration::ZERO,
            compat: None,
            tenant: None,
            secrets: None,
        }
    }
}

impl fmt::Debug for LoadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadOptions")
            .field("parse_mode", &self.parse_mode)
            .field("retention", &self.retention)
            .field("start_delay", &self.start_delay)
            .field("compat", &self.compat)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

/// A configuration that can be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// How receivers are reached, and bounds.
    pub config: Config,
    /// What the engine decides by.
    pub policy: Arc<Policy>,
    /// The names of stored secrets that it refers to.
    pub secrets: BTreeSet<String>,
    /// What somebody should look at.
    pub warnings: Vec<Diagnostic>,
    pub(crate) origins: Origins,
    hash: u64,
}

/// The documents behind a configuration, and where each of their values comes from.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    /// As it was written, with the environment applied.
    pub(crate) written: Document,
    /// With everything inherited filled in.
    pub(crate) effective: Document,
    pub(crate) files: Vec<String>,
    pub(crate) places: BTreeMap<String, Place>,
    pub(crate) overrides: Vec<Override>,
    /// Path → path it was taken from.
    pub(crate) inherited: BTreeMap<String, String>,
}

/// Reads a file, or all `*.yml` and `*.yaml` files of a directory as one configuration.
///
/// # Errors
/// [`Report`] with everything that is wrong.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Loaded, Report> {
    load_files(&source::read(path)?, options)
}

/// Reads a text as if it stood in the file `name`.
///
/// # Errors
/// [`Report`] with everything that is wrong.
pub fn load_str(name: &str, text: &str, options: &LoadOptions) -> Result<Loaded, Report> {
    load_files(&[source::from_text(name, text)], options)
}

fn load_files(files: &[SourceFile], options: &LoadOptions) -> Result<Loaded, Report> {
    let mut diagnostics = Vec::new();
    let merged = source::merge(files, &mut diagnostics);
    let mut reader = Reader::new(files, options.parse_mode);
    reader.store = options.secrets.clone();
    let document = merged.and_then(|node| Document::decode(&node, &mut reader));
    // References into a file that cannot be parsed would all seem dangling.
    let is_whole = diagnostics.is_empty();
    let Some(mut document) = document.filter(|_| is_whole) else {
        mask_keys(&mut diagnostics);
        diagnostics.append(&mut reader.diagnostics);
        return Err(report(files, diagnostics, &reader.hidden));
    };
    let sections = (&mut document.global, &mut document.incidents);
    let overrides = environment::apply(sections, &*options.environment, &mut reader.diagnostics);
    inherit::fill_root(&mut document);
    let is_given = reader.places.contains_key(".access.loopback");
    tenant::close_loopback(&mut document, options, is_given);
    tenant::check(&document, options, &mut reader);
    let written = document.clone();
    let inherited = inherit::inherit(&mut document, &mut reader);
    let Compiled { policy, receivers, templates } = compile(&document, options, &mut reader);
    let Reader { diagnostics, places, hidden, secrets, .. } = reader;
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(report(files, diagnostics, &hidden));
    }
    let hash = hash(files, &overrides);
    let names = files.iter().map(|file| file.name.clone()).collect();
    Ok(Loaded {
        config: Config::new(&document, receivers, templates),
        policy: Arc::new(policy),
        secrets,
        warnings: report(files, diagnostics, &hidden).diagnostics,
        hash,
        origins: Origins {
            written,
            effective: document,
            files: names,
            places,
            overrides,
            inherited,
        },
    })
}

impl Loaded {
    /// Returns a stable hash of the files and of what the environment overrides.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Returns the configuration as Alertmanager's API shows it: only keys that Alertmanager
    /// knows, secrets masked, in a form that amtool 0.25 and later read.
    pub fn original_yaml(&self) -> String {
        crate::original::original_yaml(&self.origins.written)
    }

    /// Returns every value that is in effect, each with where it comes from; secrets are masked.
    pub fn show(&self) -> String {
        crate::show::show(&self.origins)
    }
}

/// Sorts complaints by their place and masks secrets in excerpts; a value that an alias repeats
/// is complained about once.
pub(crate) fn report(
    files: &[SourceFile],
    mut diagnostics: Vec<Diagnostic>,
    hidden: &[Span],
) -> Report {
    let position = |name: &str| files.iter().position(|file| file.name == name);
    for diagnostic in &mut diagnostics {
        let Some(file) = position(&diagnostic.file) else { continue };
        for span in hidden.iter().filter(|span| span.file as usize == file) {
            diagnostic.mask(*span);
        }
    }
    diagnostics.sort_by_cached_key(|diagnostic| {
        (position(&diagnostic.file), diagnostic.line, diagnostic.column, diagnostic.severity)
    });
    diagnostics.dedup();
    Report { diagnostics }
}

/// Masks what follows the keys of secrets in files that could not be parsed, where nobody knows
/// yet what is a key.
fn mask_keys(diagnostics: &mut [Diagnostic]) {
    for diagnostic in diagnostics {
        let Some(start) = secret_word(&diagnostic.excerpt) else { continue };
        let (before, after) = diagnostic.excerpt.split_at(start);
        diagnostic.excerpt = format!("{before}{}", "*".repeat(after.chars().count()));
    }
}

/// Returns where the first word of `line` ends that sounds like the key of a secret.
fn secret_word(line: &str) -> Option<usize> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut words = line.split_inclusive(|c| !is_word(c));
    let mut end = 0;
    words.find_map(|word| {
        end += word.len();
        names_secret(word).then_some(end)
    })
}

/// FNV-1a, 64 bits, over the texts of the files and over what the environment says.
fn hash(files: &[SourceFile], overrides: &[Override]) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut hash = OFFSET;
    let mut feed = |text: &str| {
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    };
    for file in files {
        feed(&file.text);
    }
    for change in overrides {
        feed(change.variable);
        feed(change.value.expose());
    }
    hash
}
