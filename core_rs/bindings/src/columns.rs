//! Columns to and from arrays: mode (-1: not run), start, pauses (code, 0: none), claim_set (-1: none), price.

use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tehai_engine::column::{Column, NO_CLAIMS, NOT_RUN, Pauses};
use tehai_engine::columns::ColumnRows;
use tehai_engine::error::{check_indices, check_length};
use tehai_engine::instance::Instance;

use crate::arrays::{array, indices};
use crate::errors::to_python;

/// Columns as a dict of arrays.
pub fn columns_to_dict(py: Python<'_>, instance: &Instance, columns: &[Column]) -> PyResult<Py<PyDict>> {
    let signed = |value: usize| i64::try_from(value).unwrap_or(-1);
    let whole = |pick: &dyn Fn(&Column) -> i64| columns.iter().map(pick).collect::<Vec<i64>>().into_pyarray(py);
    let out = PyDict::new(py);
    // Only a list with one column for each workload holds columns that are not run.
    let workload: Vec<i64> = columns
        .iter()
        .enumerate()
        .map(|(row, c)| if c.mode == NOT_RUN { row as i64 } else { instance.modes[c.mode].workload as i64 })
        .collect();
    out.set_item("workload", workload.into_pyarray(py))?;
    out.set_item("mode", whole(&|c| signed(c.mode)))?;
    out.set_item("start", whole(&|c| c.start as i64))?;
    out.set_item("pauses", whole(&|c| c.pauses.code()))?;
    out.set_item("claim_set", whole(&|c| signed(c.claim_set)))?;
    out.set_item("price", columns.iter().map(|c| c.price).collect::<Vec<f64>>().into_pyarray(py))?;
    Ok(out.unbind())
}

/// Columns from arrays.
pub fn columns_from_arrays(instance: &Instance, arrays: &Bound<'_, PyDict>) -> PyResult<Vec<Column>> {
    let (modes, starts) = (indices(arrays, "mode")?, indices(arrays, "start")?);
    let (pauses, claim_sets) = (array::<i64>(arrays, "pauses")?, indices(arrays, "claim_set")?);
    check_length("start", &starts, modes.len()).map_err(to_python)?;
    check_length("pauses", &pauses, modes.len()).map_err(to_python)?;
    check_length("claim_set", &claim_sets, modes.len()).map_err(to_python)?;
    let columns: Vec<Column> = (0..modes.len())
        .map(|i| Column {
            mode: modes[i],
            start: starts[i],
            pauses: Pauses::from_code(pauses[i]),
            claim_set: claim_sets[i],
            price: 0.0,
        })
        .collect();
    columns.iter().try_for_each(|column| check_column(instance, column))?;
    Ok(columns)
}

/// Check what would lead outside the tables.
fn check_column(instance: &Instance, column: &Column) -> PyResult<()> {
    if column.mode == NOT_RUN {
        return Ok(());
    }
    check_indices("mode", &[column.mode], instance.modes.len()).map_err(to_python)?;
    let release = instance.workloads.release[instance.modes[column.mode].workload];
    let late_enough = column.start.checked_sub(release).unwrap_or(usize::MAX);
    check_indices("start", &[late_enough], instance.sizes.periods).map_err(to_python)?;
    if column.claim_set != NO_CLAIMS {
        check_indices("claim_set", &[column.claim_set], instance.sizes.claim_sets).map_err(to_python)?;
    }
    if !column.pauses_fit(instance) {
        let most = instance.workloads.pauses_max[instance.modes[column.mode].workload];
        return Err(pyo3::exceptions::PyIndexError::new_err(format!(
            "array `pauses` holds code {}, which is no list of at most {most} pauses inside the run",
            column.pauses.code()
        )));
    }
    check_indices("start", &[column.end(instance)], instance.sizes.periods + 1).map_err(to_python)
}

/// Rows of columns as a dict of arrays, flat as the engine has them.
pub fn rows_to_dict(py: Python<'_>, rows: ColumnRows) -> PyResult<Py<PyDict>> {
    let out = PyDict::new(py);
    let whole = |values: Vec<usize>| values.into_iter().map(|v| v as i64).collect::<Vec<i64>>().into_pyarray(py);
    out.set_item("offset", whole(rows.offset))?;
    out.set_item("cell", whole(rows.cell))?;
    out.set_item("start", whole(rows.start))?;
    out.set_item("end", whole(rows.end))?;
    for (name, values) in [
        ("fixed_yen", rows.fixed_yen),
        ("pay_yen", rows.pay_yen),
        ("hours", rows.hours),
        ("kwh", rows.kwh),
        ("work", rows.work),
        ("charge_yen", rows.charge_yen),
        ("kg", rows.kg),
        ("claimable_yen", rows.claimable_yen),
        ("wait", rows.wait),
    ] {
        out.set_item(name, values.into_pyarray(py))?;
    }
    Ok(out.unbind())
}
