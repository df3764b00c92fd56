//! What can be wrong with a book and with a request.

/// A stored book that this program cannot read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BookError {
    /// Not the bytes of a book.
    #[error("the quote book is damaged: {0}")]
    Damaged(String),
    /// Written by another version.
    #[error("the quote book has version {0}, this program reads {1}")]
    Version(u32, u32),
}

/// A request that is not answered: the first thing found wrong with it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{path}: {message}")]
pub struct Refusal {
    /// Where, for example `workloads[3].deadline_date`.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl Refusal {
    /// A refusal at a path.
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}
