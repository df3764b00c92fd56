//! What can be wrong with a message.

use thiserror::Error;

/// Why a message is refused; paths are as in `workloads[3].gang_options`, "" for the message itself.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// Not what the schema says, or not protobuf at all.
    #[error("{what}")]
    Malformed { path: String, what: &'static str },
    /// A list with more entries than its limit.
    #[error("more than {limit} entries")]
    TooMany { path: String, limit: u64 },
    /// More bytes beside the field that was split off than there may be.
    #[error("more than {limit} bytes beside the field that is split off")]
    RestTooLarge { limit: usize },
}

impl Fault {
    /// A malformed message, its path still empty.
    pub(crate) fn malformed(what: &'static str) -> Self {
        Fault::Malformed { path: String::new(), what }
    }

    /// The same fault seen from one message further out.
    pub(crate) fn within(self, step: &str) -> Self {
        let join = |path: String| if path.is_empty() { step.to_owned() } else { format!("{step}.{path}") };
        match self {
            Fault::Malformed { path, what } => Fault::Malformed { path: join(path), what },
            Fault::TooMany { path, limit } => Fault::TooMany { path: join(path), limit },
            other @ Fault::RestTooLarge { .. } => other,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &str {
        match self {
            Fault::Malformed { path, .. } | Fault::TooMany { path, .. } => path,
            Fault::RestTooLarge { .. } => "",
        }
    }
}
