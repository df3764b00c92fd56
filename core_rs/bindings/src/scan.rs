//! `MessageScanner` and `field_bytes`: serialised messages checked and cut while Python goes on.

use std::collections::HashMap;
use std::ops::Range;

use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tehai_scan::{Fault, Schema, SchemaError};

/// Kind, path and text of what is wrong.
type FaultParts = (&'static str, String, String);

/// The schema of messages, with limits on their lists.
#[pyclass(name = "MessageScanner", module = "tehai.engine._native", frozen)]
pub struct PyMessageScanner {
    schema: Schema,
}

#[pymethods]
impl PyMessageScanner {
    /// `descriptors` is a serialised FileDescriptorSet, `limits` the most entries by full name of a repeated field.
    #[new]
    fn new(descriptors: &[u8], limits: HashMap<String, u64>) -> PyResult<Self> {
        Ok(Self { schema: Schema::new(descriptors, &limits).map_err(schema_error)? })
    }

    /// Return what is wrong with a message, None where nothing is; with `counted` its lists are held against the limits.
    fn check(&self, py: Python<'_>, message: &str, data: &[u8], counted: bool) -> PyResult<Option<FaultParts>> {
        let index = self.schema.message(message).map_err(schema_error)?;
        Ok(py.detach(|| tehai_scan::check(&self.schema, index, data, counted)).err().map(fault_parts))
    }
}

/// Return the bytes of one field of a message and those of all others; None where the field is not set.
#[pyfunction]
pub fn split_field<'py>(
    py: Python<'py>,
    data: &[u8],
    number: u32,
    rest_bytes_max: usize,
) -> Result<(Option<Bound<'py, PyBytes>>, Bound<'py, PyBytes>), PyErr> {
    let found = py.detach(|| tehai_scan::split(data, number, rest_bytes_max)).map_err(value_error)?;
    Ok((join(py, data, &found.values)?, PyBytes::new(py, &found.rest)))
}

/// Return the bytes of one field of a message; None where it is not set.
#[pyfunction]
pub fn field_bytes<'py>(py: Python<'py>, data: &[u8], number: u32) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let ranges = py.detach(|| tehai_scan::field_bytes(data, number)).map_err(value_error)?;
    join(py, data, &ranges)
}

fn join<'py>(py: Python<'py>, data: &[u8], ranges: &[Range<usize>]) -> PyResult<Option<Bound<'py, PyBytes>>> {
    if ranges.is_empty() {
        return Ok(None);
    }
    let length = ranges.iter().map(|range| range.len()).sum();
    let joined = PyBytes::new_with(py, length, |target| {
        // Nobody else has the new bytes yet, and a large copy must not hold the interpreter.
        py.detach(|| {
            let mut begin = 0;
            for range in ranges {
                target[begin..begin + range.len()].copy_from_slice(&data[range.clone()]);
                begin += range.len();
            }
        });
        Ok(())
    })?;
    Ok(Some(joined))
}

fn fault_parts(fault: Fault) -> FaultParts {
    let kind = match fault {
        Fault::Malformed { .. } => "malformed",
        Fault::TooMany { .. } => "too_many",
        Fault::RestTooLarge { .. } => "rest_too_large",
    };
    (kind, fault.path().to_owned(), fault.to_string())
}

fn value_error(fault: Fault) -> PyErr {
    PyValueError::new_err(fault_parts(fault))
}

fn schema_error(error: SchemaError) -> PyErr {
    match error {
        SchemaError::Message { .. } | SchemaError::Limit { .. } => PyKeyError::new_err(error.to_string()),
        SchemaError::Unreadable | SchemaError::Type { .. } => PyValueError::new_err(error.to_string()),
    }
}
