//! Columns to and from arrays: mode, start, programme (-1: none; mode -1: not run), price.

use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tehai_engine::error::check_indices;
use tehai_engine::instance::Instance;
use tehai_engine::pricing::{Column, NOT_RUN};

use crate::arrays::indices;
use crate::errors::to_python;

/// Columns as a dict of arrays.
pub fn columns_to_dict(py: Python<'_>, instance: &Instance, columns: &[Column]) -> PyResult<Py<PyDict>> {
    let signed = |value: usize| i64::try_from(value).unwrap_or(-1);
    let out = PyDict::new(py);
    let workload: Vec<i64> = columns
        .iter()
        .enumerate()
        .map(|(row, c)| if c.mode == NOT_RUN { row as i64 } else { instance.modes[c.mode].workload as i64 })
        .collect();
    out.set_item("workload", workload.into_pyarray(py))?;
    out.set_item("mode", columns.iter().map(|c| signed(c.mode)).collect::<Vec<i64>>().into_pyarray(py))?;
    out.set_item("start", columns.iter().map(|c| c.start as i64).collect::<Vec<i64>>().into_pyarray(py))?;
    out.set_item("programme", columns.iter().map(|c| signed(c.programme)).collect::<Vec<i64>>().into_pyarray(py))?;
    out.set_item("price", columns.iter().map(|c| c.price).collect::<Vec<f64>>().into_pyarray(py))?;
    Ok(out.unbind())
}

/// Columns from arrays; -1 is no programme, or not run.
pub fn columns_from_arrays(instance: &Instance, arrays: &Bound<'_, PyDict>) -> PyResult<Vec<Column>> {
    let (modes, starts) = (indices(arrays, "mode")?, indices(arrays, "start")?);
    let programmes = indices(arrays, "programme")?;
    let given: Vec<usize> = modes.iter().copied().filter(|&m| m != NOT_RUN).collect();
    check_indices("mode", &given, instance.modes.len()).map_err(to_python)?;
    tehai_engine::error::check_length("start", &starts, modes.len()).map_err(to_python)?;
    tehai_engine::error::check_length("programme", &programmes, modes.len()).map_err(to_python)?;
    for (&mode, &start) in modes.iter().zip(&starts).filter(|pair| *pair.0 != NOT_RUN) {
        let count = instance.sizes.periods + 1 - instance.modes[mode].length;
        check_indices("start", &[start], count).map_err(to_python)?;
    }
    Ok((0..modes.len())
        .map(|i| Column { mode: modes[i], start: starts[i], programme: programmes[i], price: 0.0 })
        .collect())
}
