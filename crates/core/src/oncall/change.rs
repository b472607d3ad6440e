//! What may be asked about schedules, and why it may be refused.

/// Why a change of a schedule was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OnCallRejection {
    /// What is asked for makes no sense by itself.
    #[error("{what}")]
    Invalid {
        /// What is wrong.
        what: String,
    },
}
