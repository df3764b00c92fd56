//! `Instance`: built once from a dict of arrays, then only read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tehai_engine::column::{Column, NOT_RUN};
use tehai_engine::columns::{claim_set_size_max, collect, expand};
use tehai_engine::dual_ascent::{Ascent, AscentOptions};
use tehai_engine::evaluation::evaluate_projected;
use tehai_engine::instance::{Instance, Mode};
use tehai_engine::prices::PriceLayout;

use crate::columns::{columns_from_arrays, columns_to_dict, rows_to_dict};
use crate::errors::to_python;
use crate::tables::{read_committed, read_hourly, read_pools, read_rules, read_sizes, read_workloads};

/// Bound, gradient, cheapest columns, terms of the bound.
type EvaluationAnswer<'py> = (f64, Bound<'py, PyArray1<f64>>, Py<PyDict>, Py<PyDict>);

/// Best bound, best prices, mean units of each order option, columns met.
type AscentAnswer<'py> = (f64, Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>, Py<PyDict>);

/// Time between two questions whether to stop: each takes the interpreter's lock.
const ASK_INTERVAL: Duration = Duration::from_millis(50);

/// A problem as arrays.
#[pyclass(name = "Instance", frozen, module = "tehai.engine._native")]
pub struct PyInstance {
    pub(crate) inner: Arc<Instance>,
}

#[pymethods]
impl PyInstance {
    #[new]
    fn new(py: Python<'_>, arrays: &Bound<'_, PyDict>) -> PyResult<Self> {
        let sizes = read_sizes(arrays)?;
        let pools = read_pools(arrays)?;
        let workloads = read_workloads(arrays)?;
        let hourly = read_hourly(arrays)?;
        let committed = read_committed(arrays)?;
        let rules = read_rules(arrays)?;
        let built = py.detach(|| Instance::new(sizes, pools, workloads, hourly, committed, rules));
        Ok(Self { inner: Arc::new(built.map_err(to_python)?) })
    }

    /// Offsets of the families of prices in the flat vector, and their count.
    fn price_layout(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        let layout = PriceLayout::of(&self.inner);
        let out = PyDict::new(py);
        for (name, value) in [
            ("capacity", layout.capacity),
            ("power", layout.power),
            ("work", layout.work),
            ("budget", layout.budget),
            ("programme", layout.programme),
            ("project", layout.project),
            ("member_budget", layout.member_budget),
            ("member_cap", layout.member_cap),
            ("capital", layout.capital),
            ("carbon", layout.carbon),
            ("waiting", layout.waiting),
            ("precedence", layout.precedence),
            ("count", layout.count),
        ] {
            out.set_item(name, value)?;
        }
        Ok(out.unbind())
    }

    /// (programme, project) of each priced project cap.
    fn project_rows(&self) -> Vec<(usize, usize)> {
        self.inner.project_rows.iter().map(|row| (row.programme, row.project)).collect()
    }

    /// Legal (workload, pool, gang, start): evaluations of one pricing pass, programmes not counted apart.
    fn start_count(&self) -> usize {
        self.inner.start_count()
    }

    /// Modes of each workload: how many (pool, gang) it could run in.
    fn mode_counts<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        let counts: Vec<i64> = self.inner.mode_offset.windows(2).map(|pair| (pair[1] - pair[0]) as i64).collect();
        counts.into_pyarray(py)
    }

    /// Programmes in the largest claim set: the middle axis of `claimable_yen`.
    fn claim_set_size(&self) -> usize {
        claim_set_size_max(&self.inner)
    }

    /// Modes as arrays: workload, pool, full, length, gang (occupied), accelerators, run_hours, rest_hours, speed,
    /// is_current.
    fn modes(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        let modes = &self.inner.modes;
        let out = PyDict::new(py);
        let whole = |pick: fn(&Mode) -> usize| -> Vec<i64> { modes.iter().map(|mode| pick(mode) as i64).collect() };
        let real = |pick: fn(&Mode) -> f64| -> Vec<f64> { modes.iter().map(pick).collect() };
        out.set_item("workload", whole(|m| m.workload).into_pyarray(py))?;
        out.set_item("pool", whole(|m| m.pool).into_pyarray(py))?;
        out.set_item("full", whole(|m| m.full).into_pyarray(py))?;
        out.set_item("length", whole(|m| m.length).into_pyarray(py))?;
        out.set_item("gang", real(|m| m.gang).into_pyarray(py))?;
        out.set_item("accelerators", real(|m| m.accelerators).into_pyarray(py))?;
        out.set_item("run_hours", real(|m| m.run_hours).into_pyarray(py))?;
        out.set_item("rest_hours", real(|m| m.rest_hours).into_pyarray(py))?;
        out.set_item("speed", real(|m| m.speed).into_pyarray(py))?;
        out.set_item("is_current", modes.iter().map(|m| m.is_current).collect::<Vec<bool>>().into_pyarray(py))?;
        Ok(out.unbind())
    }

    /// One pricing pass: (bound_yen, gradient, cheapest columns as arrays, terms of the bound).
    ///
    /// The terms are `workload` (W,), `hourly` and `committed` (one for each row of those tables); infinite for a
    /// mandatory workload without a column.
    fn evaluate<'py>(&self, py: Python<'py>, prices: PyReadonlyArray1<'_, f64>) -> PyResult<EvaluationAnswer<'py>> {
        let mut prices = self.checked_prices(&prices)?;
        let result = py.detach(|| evaluate_projected(&self.inner, &mut prices));
        let columns = columns_to_dict(py, &self.inner, &result.columns)?;
        let terms = PyDict::new(py);
        terms.set_item("workload", result.workload_terms.into_pyarray(py))?;
        terms.set_item("hourly", result.supply.hourly.into_pyarray(py))?;
        terms.set_item("committed", result.supply.committed.into_pyarray(py))?;
        Ok((result.bound, result.gradient.into_pyarray(py), columns, terms.unbind()))
    }

    /// Ascend from `prices` (empty: from the cheapest unit costs): (best bound, best prices, mean units of
    /// each order option over the later passes, columns met).
    ///
    /// `should_stop` is asked after a pass, some twenty times a second; on a yes the best so far is the answer. What it
    /// raises ends the ascent and is raised here.
    #[pyo3(signature = (prices, step_count, step_first, step_last, keep_from, should_stop=None))]
    // Python has no struct to hand over the options of the ascent.
    #[allow(clippy::too_many_arguments)]
    fn ascend<'py>(
        &self,
        py: Python<'py>,
        prices: PyReadonlyArray1<'_, f64>,
        step_count: usize,
        step_first: f64,
        step_last: f64,
        keep_from: usize,
        should_stop: Option<Py<PyAny>>,
    ) -> PyResult<AscentAnswer<'py>> {
        let start = if prices.len()? == 0 { Vec::new() } else { self.checked_prices(&prices)? };
        let options = AscentOptions { step_count, step_first, step_last };
        let mut stop = StopCheck::new(should_stop);
        let (ascent, met) = py.detach(|| {
            let mut ascent = Ascent::new(&self.inner, &start);
            let mut met: Vec<Column> = Vec::new();
            let mut pass = 0;
            ascent.run(&self.inner, &options, |_, columns| {
                pass += 1;
                if pass > keep_from {
                    met.extend(columns.iter().filter(|c| c.mode != NOT_RUN).copied());
                }
                stop.says_yes()
            });
            met.sort_by_key(Column::key);
            met.dedup_by_key(|c| c.key());
            (ascent, met)
        });
        if let Some(error) = stop.error {
            return Err(error);
        }
        let columns = columns_to_dict(py, &self.inner, &met)?;
        Ok((ascent.best_bound, ascent.best_prices.into_pyarray(py), ascent.mean_units.into_pyarray(py), columns))
    }

    /// Columns of price at most their workload's cheapest plus `threshold_yen`, at most so many for each workload.
    fn cheap_columns(
        &self,
        py: Python<'_>,
        prices: PyReadonlyArray1<'_, f64>,
        threshold_yen: f64,
        most_per_workload: usize,
    ) -> PyResult<Py<PyDict>> {
        let prices = self.checked_prices(&prices)?;
        let found = py.detach(|| collect(&self.inner, &prices, threshold_yen, most_per_workload));
        columns_to_dict(py, &self.inner, &found)
    }

    /// Rows of columns given as arrays mode, start, pauses, claim_set; all of them are run.
    fn expand(&self, py: Python<'_>, columns: &Bound<'_, PyDict>) -> PyResult<Py<PyDict>> {
        let columns = columns_from_arrays(&self.inner, columns)?;
        if columns.iter().any(|column| column.mode == NOT_RUN) {
            return Err(PyIndexError::new_err("array `mode` holds -1: only columns that are run have rows"));
        }
        let rows = py.detach(|| expand(&self.inner, &columns));
        rows_to_dict(py, rows)
    }
}

/// A Python function that says whether to stop, asked now and then from code that holds no lock.
struct StopCheck {
    should_stop: Option<Py<PyAny>>,
    asked: Instant,
    error: Option<PyErr>,
}

impl StopCheck {
    fn new(should_stop: Option<Py<PyAny>>) -> Self {
        Self { should_stop, asked: Instant::now(), error: None }
    }

    /// Whether the function, or an error of it, says to stop; not asked before the interval has passed.
    fn says_yes(&mut self) -> bool {
        let Some(should_stop) = &self.should_stop else { return false };
        if self.asked.elapsed() < ASK_INTERVAL {
            return false;
        }
        let answer = Python::attach(|py| should_stop.call0(py)?.is_truthy(py));
        self.asked = Instant::now();
        answer.unwrap_or_else(|error| {
            self.error = Some(error);
            true
        })
    }
}

impl PyInstance {
    fn checked_prices(&self, prices: &PyReadonlyArray1<'_, f64>) -> PyResult<Vec<f64>> {
        let values = prices.as_array().to_vec();
        let expected = PriceLayout::of(&self.inner).count;
        tehai_engine::error::check_length("prices", &values, expected).map_err(to_python)?;
        tehai_engine::error::check_finite("prices", &values).map_err(to_python)?;
        Ok(values)
    }
}
