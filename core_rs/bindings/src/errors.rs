//! The one table from engine errors to Python exceptions.

use pyo3::PyErr;
use pyo3::exceptions::{PyIndexError, PyValueError};
use tehai_engine::error::EngineError;

/// Map an engine error.
pub fn to_python(error: EngineError) -> PyErr {
    match error {
        EngineError::Length { .. } | EngineError::NotFinite { .. } => PyValueError::new_err(error.to_string()),
        EngineError::Index { .. } => PyIndexError::new_err(error.to_string()),
    }
}
