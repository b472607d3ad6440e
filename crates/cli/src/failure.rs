//! How the process ends when something is wrong.

use std::fmt;

/// What is printed beneath the help of every command that can end otherwise than well.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done; the answer is yes
  1  the answer is no, or something failed
  2  wrong usage, or a configuration or file that cannot be used
  3  no server answers
  4  the server refused";

/// How a command ends when not well; the number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Ending {
    /// The question was answered with no, or a part of the work failed.
    No = 1,
    /// The arguments, the configuration or a file cannot be used.
    Usage = 2,
    /// Nobody answers at the address.
    Unreachable = 3,
    /// The server answered that it will not.
    Refused = 4,
}

/// A reason to end otherwise than well; the text says what to do next where that is known.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    ending: Ending,
    message: String,
}

impl Failure {
    /// The answer is no.
    pub(crate) fn no(message: impl Into<String>) -> Self {
        Self { ending: Ending::No, message: message.into() }
    }

    /// What was given cannot be used.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { ending: Ending::Usage, message: message.into() }
    }

    /// Nobody answers.
    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self { ending: Ending::Unreachable, message: message.into() }
    }

    /// The server refused.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { ending: Ending::Refused, message: message.into() }
    }

    /// Returns whether nobody answered.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.ending == Ending::Unreachable
    }

    /// Returns the exit code.
    pub(crate) fn code(&self) -> u8 {
        self.ending as u8
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Returns the exit code for any error: a failure's own, otherwise 1.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    error.downcast_ref::<Failure>().map_or(Ending::No as u8, Failure::code)
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn context_keeps_the_exit_code() {
        let result: anyhow::Result<()> = Err(Failure::refused("no").into());
        assert_eq!(exit_code(&result.context("while asking").unwrap_err()), 4);
        assert_eq!(exit_code(&anyhow::anyhow!("anything else")), 1);
    }
}
