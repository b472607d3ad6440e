//! The configuration in effect, each value with where it comes from.

use crate::load::Origins;
use crate::reader::Value as _;
use crate::section::{Entry, Out};
use crate::values::MASK;
use crate::yaml::{Style, write};

/// Returns everything that is in effect; secrets are masked.
pub(crate) fn show(origins: &Origins) -> String {
    write(&origins.effective.encode(), &Show { origins })
}

struct Show<'a> {
    origins: &'a Origins,
}

impl Style for Show<'_> {
    fn keeps(&self, path: &str, entry: &Entry) -> bool {
        match &entry.value {
            // An empty list says something only where it was written.
            Out::List(items) if items.is_empty() => self.origins.places.contains_key(path),
            Out::Map(entries) => !entries.is_empty(),
            _ => true,
        }
    }

    fn secret(&self, _: &str) -> &'static str {
        MASK
    }

    fn comment(&self, path: &str) -> Option<String> {
        Some(self.origin(path))
    }
}

impl Show<'_> {
    fn origin(&self, path: &str) -> String {
        let origins = self.origins;
        // The last variable that set a key is the one that counts.
        let changed = origins
            .overrides
            .iter()
            .rev()
            .find(|change| path.strip_prefix('.') == Some(change.key));
        if let Some(change) = changed {
            return format!("environment: {}", change.variable);
        }
        let at = |place: &crate::reader::Place| {
            let name = origins.files.get(place.key.file as usize).map_or("", String::as_str);
            format!("{name}:{}", place.key.line)
        };
        if let Some(place) = origins.places.get(path) {
            return at(place);
        }
        let mut around = path;
        loop {
            if let Some(from) = origins.inherited.get(around) {
                // Only upwards and towards `global`, so this ends.
                let from = format!("{from}{}", &path[around.len()..]);
                return self.origin(&from);
            }
            if let Some(place) = origins.places.get(around).filter(|place| place.is_scalar) {
                return at(place);
            }
            match around.rfind(['.', '[']) {
                Some(cut) => around = &around[..cut],
                None => return "default".to_owned(),
            }
        }
    }
}
