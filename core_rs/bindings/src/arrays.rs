//! Arrays from a Python dict, by name, with clear errors.

use numpy::{Element, PyReadonlyArrayDyn};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Copy the array called `name` in row-major order.
pub fn array<T: Element + Copy>(arrays: &Bound<'_, PyDict>, name: &str) -> PyResult<Vec<T>> {
    let item = arrays.get_item(name)?.ok_or_else(|| PyKeyError::new_err(format!("array `{name}` is missing")))?;
    let values: PyReadonlyArrayDyn<'_, T> = item.extract().map_err(|_| {
        pyo3::exceptions::PyTypeError::new_err(format!("array `{name}` has another element type than the engine reads"))
    })?;
    Ok(values.as_array().iter().copied().collect())
}

/// Copy an array of indices; -1 becomes `usize::MAX`.
pub fn indices(arrays: &Bound<'_, PyDict>, name: &str) -> PyResult<Vec<usize>> {
    Ok(array::<i64>(arrays, name)?.into_iter().map(|v| usize::try_from(v).unwrap_or(usize::MAX)).collect())
}

/// Read a number.
pub fn number<'py, T: FromPyObjectOwned<'py>>(arrays: &Bound<'py, PyDict>, name: &str) -> PyResult<T> {
    let item = arrays.get_item(name)?.ok_or_else(|| PyKeyError::new_err(format!("number `{name}` is missing")))?;
    item.extract().map_err(Into::into)
}
