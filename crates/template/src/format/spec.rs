//! What stands between `%` and the end of a verb.

use super::{Failure, Sink};

/// One verb with its flags.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of the notation")]
pub(super) struct Spec {
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`: with the names of fields.
    pub(super) named: bool,
    /// `%#v`: as it stands in a program.
    pub(super) source: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) verb: char,
}

impl Spec {
    /// `%v`.
    pub(super) fn plain() -> Self {
        Self {
            minus: false,
            plus: false,
            sharp: false,
            space: false,
            zero: false,
            named: false,
            source: false,
            width: None,
            precision: None,
            verb: 'v',
        }
    }

    /// The same flags with another verb.
    pub(super) fn with_verb(&self, verb: char) -> Self {
        Self { verb, ..*self }
    }

    /// Writes the text, filled up to the width.
    pub(super) fn pad(&self, sink: &mut Sink, text: &str) -> Result<(), Failure> {
        let missing = match self.width {
            Some(width) => width.saturating_sub(text.chars().count()),
            None => 0,
        };
        if missing == 0 {
            return sink.push(text);
        }
        if self.minus {
            sink.push(text)?;
            return sink.push(&" ".repeat(missing));
        }
        sink.push(&if self.zero { "0" } else { " " }.repeat(missing))?;
        sink.push(text)
    }
}
