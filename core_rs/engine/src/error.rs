//! What can be wrong with the arrays that come in.

/// An input array that does not fit the others.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EngineError {
    /// An array has another length than the sizes demand.
    #[error("array `{name}` has {found} entries, expected {expected}")]
    Length {
        /// Name of the array.
        name: &'static str,
        /// Entries that came in.
        found: usize,
        /// Entries the sizes demand.
        expected: usize,
    },
    /// An index points outside its table.
    #[error("array `{name}` holds index {index}, the table has {count} rows")]
    Index {
        /// Name of the array.
        name: &'static str,
        /// The index that came in.
        index: usize,
        /// Rows of the table.
        count: usize,
    },
    /// A value is NaN or infinite where a number is needed.
    #[error("array `{name}` holds a value that is not finite")]
    NotFinite {
        /// Name of the array.
        name: &'static str,
    },
}

/// Check that `values` has `expected` entries.
pub fn check_length<T>(name: &'static str, values: &[T], expected: usize) -> Result<(), EngineError> {
    if values.len() == expected { Ok(()) } else { Err(EngineError::Length { name, found: values.len(), expected }) }
}

/// Check that every index is below `count`.
pub fn check_indices(name: &'static str, values: &[usize], count: usize) -> Result<(), EngineError> {
    match values.iter().find(|&&index| index >= count) {
        Some(&index) => Err(EngineError::Index { name, index, count }),
        None => Ok(()),
    }
}

/// Check that every value is finite.
pub fn check_finite(name: &'static str, values: &[f64]) -> Result<(), EngineError> {
    if values.iter().all(|v| v.is_finite()) { Ok(()) } else { Err(EngineError::NotFinite { name }) }
}
