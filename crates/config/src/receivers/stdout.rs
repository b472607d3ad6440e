//! `stdout_configs`: messages on the standard output, for trying things out.

use crate::section::{section, words};

section! {
    /// Writes messages to the standard output.
    StdoutConfig => {
        /// Whether resolved alerts are told.
        @Native send_resolved: bool = true;
        /// How a message looks.
        @Native format: StdoutFormat = StdoutFormat::Text;
    }
}

words! {
    /// How a message on the standard output looks.
    StdoutFormat {
        /// A few lines for people.
        Text = "text",
        /// The webhook's body on one line, for programs.
        Json = "json",
    }
    default = Text
}
