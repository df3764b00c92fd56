//! `Instance`: built once from a dict of arrays, then only read.

use std::sync::Arc;

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tehai_engine::columns::{collect, expand};
use tehai_engine::dual_ascent::{Ascent, AscentOptions};
use tehai_engine::instance::{
    CommittedOffers, HourlyOffers, Instance, NO_SITE, PoolTable, RuleTable, Sizes, WorkloadTable,
};
use tehai_engine::prices::PriceLayout;
use tehai_engine::pricing::{Column, evaluate_projected};

use crate::arrays::{array, indices, number};
use crate::columns::{columns_from_arrays, columns_to_dict};
use crate::errors::to_python;

/// Best bound, best prices, mean units of each order option, columns met.
type AscentAnswer<'py> = (f64, Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>, Py<PyDict>);

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
        let hourly = HourlyOffers {
            pool: indices(arrays, "hourly_pool")?,
            unit_cost: array(arrays, "hourly_unit_cost")?,
            limit_hours: array(arrays, "hourly_limit_hours")?,
        };
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
            ("share", layout.share),
            ("budget", layout.budget),
            ("programme", layout.programme),
            ("project", layout.project),
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

    /// Modes as arrays: workload, pool, gang, full, rest_hours, length, speed.
    fn modes(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        let modes = &self.inner.modes;
        let out = PyDict::new(py);
        let whole = |pick: fn(&tehai_engine::instance::Mode) -> usize| -> Vec<i64> {
            modes.iter().map(|mode| pick(mode) as i64).collect()
        };
        out.set_item("workload", whole(|m| m.workload).into_pyarray(py))?;
        out.set_item("pool", whole(|m| m.pool).into_pyarray(py))?;
        out.set_item("full", whole(|m| m.full).into_pyarray(py))?;
        out.set_item("length", whole(|m| m.length).into_pyarray(py))?;
        out.set_item("gang", modes.iter().map(|m| m.gang).collect::<Vec<f64>>().into_pyarray(py))?;
        out.set_item("rest_hours", modes.iter().map(|m| m.rest_hours).collect::<Vec<f64>>().into_pyarray(py))?;
        out.set_item("speed", modes.iter().map(|m| m.speed).collect::<Vec<f64>>().into_pyarray(py))?;
        Ok(out.unbind())
    }

    /// One pricing pass: (bound_yen, gradient, cheapest columns as arrays).
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        prices: PyReadonlyArray1<'_, f64>,
    ) -> PyResult<(f64, Bound<'py, PyArray1<f64>>, Py<PyDict>)> {
        let mut prices = self.checked_prices(&prices)?;
        let result = py.detach(|| evaluate_projected(&self.inner, &mut prices));
        let columns = columns_to_dict(py, &self.inner, &result.columns)?;
        Ok((result.bound, result.gradient.into_pyarray(py), columns))
    }

    /// Ascend from `prices` (empty: from the cheapest unit costs): (best bound, best prices, mean units of
    /// each order option over the later passes, columns met).
    #[pyo3(signature = (prices, step_count, step_first, step_last, keep_from))]
    fn ascend<'py>(
        &self,
        py: Python<'py>,
        prices: PyReadonlyArray1<'_, f64>,
        step_count: usize,
        step_first: f64,
        step_last: f64,
        keep_from: usize,
    ) -> PyResult<AscentAnswer<'py>> {
        let start = if prices.len()? == 0 { Vec::new() } else { self.checked_prices(&prices)? };
        let options = AscentOptions { step_count, step_first, step_last };
        let (ascent, met) = py.detach(|| {
            let mut ascent = Ascent::new(&self.inner, &start);
            let mut met: Vec<Column> = Vec::new();
            let mut pass = 0;
            ascent.run(&self.inner, &options, |_, columns| {
                pass += 1;
                if pass > keep_from {
                    met.extend(columns.iter().filter(|c| c.mode != usize::MAX).copied());
                }
                false
            });
            met.sort_by_key(|c| (c.mode, c.start, c.programme));
            met.dedup_by_key(|c| (c.mode, c.start, c.programme));
            (ascent, met)
        });
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

    /// Rows of columns given as arrays mode, start, programme (-1: none).
    fn expand(&self, py: Python<'_>, columns: &Bound<'_, PyDict>) -> PyResult<Py<PyDict>> {
        let columns = columns_from_arrays(&self.inner, columns)?;
        let rows = py.detach(|| expand(&self.inner, &columns));
        let out = PyDict::new(py);
        let whole = |values: Vec<usize>| values.into_iter().map(|v| v as i64).collect::<Vec<i64>>();
        out.set_item("late_yen", rows.late_yen.into_pyarray(py))?;
        out.set_item("offset", whole(rows.offset).into_pyarray(py))?;
        out.set_item("cell", whole(rows.cell).into_pyarray(py))?;
        out.set_item("hours", rows.hours.into_pyarray(py))?;
        out.set_item("kwh", rows.kwh.into_pyarray(py))?;
        out.set_item("work", rows.work.into_pyarray(py))?;
        out.set_item("claimable_yen", rows.claimable_yen.into_pyarray(py))?;
        Ok(out.unbind())
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

fn read_sizes(arrays: &Bound<'_, PyDict>) -> PyResult<Sizes> {
    Ok(Sizes {
        periods: number(arrays, "periods")?,
        pools: number(arrays, "pools")?,
        limited_sites: number(arrays, "limited_sites")?,
        years: number(arrays, "years")?,
        workloads: number(arrays, "workloads")?,
        programmes: number(arrays, "programmes")?,
        families: number(arrays, "families")?,
    })
}

fn read_pools(arrays: &Bound<'_, PyDict>) -> PyResult<PoolTable> {
    let site: Vec<usize> = indices(arrays, "pool_site")?;
    debug_assert_eq!(NO_SITE, usize::MAX);
    Ok(PoolTable {
        period_hours: number(arrays, "period_hours")?,
        year_of_period: indices(arrays, "year_of_period")?,
        pool_site: site,
        pool_kw: array(arrays, "pool_kw")?,
        pool_domestic: array(arrays, "pool_domestic")?,
        pool_memory_gb: array(arrays, "pool_memory_gb")?,
        pool_gang_max: array(arrays, "pool_gang_max")?,
        pool_throughput: array(arrays, "pool_throughput")?,
        capacity_max: array(arrays, "capacity_max")?,
        grant_reference: array(arrays, "grant_reference")?,
        site_limit_kwh: array(arrays, "site_limit_kwh")?,
    })
}

fn read_workloads(arrays: &Bound<'_, PyDict>) -> PyResult<WorkloadTable> {
    Ok(WorkloadTable {
        work: array(arrays, "work")?,
        release: indices(arrays, "release")?,
        deadline: indices(arrays, "deadline")?,
        memory_gb: array(arrays, "memory_gb")?,
        family: indices(arrays, "family")?,
        late_yen: array(arrays, "late_yen")?,
        not_run_yen: array(arrays, "not_run_yen")?,
        project: indices(arrays, "project")?,
        pool_allowed: array(arrays, "pool_allowed")?,
        gang_offset: indices(arrays, "gang_offset")?,
        gang_accelerators: array(arrays, "gang_accelerators")?,
        gang_efficiency: array(arrays, "gang_efficiency")?,
    })
}

fn read_committed(arrays: &Bound<'_, PyDict>) -> PyResult<CommittedOffers> {
    Ok(CommittedOffers {
        pool: indices(arrays, "committed_pool")?,
        limit_is_live: array(arrays, "limit_is_live")?,
        unit_limit: array(arrays, "unit_limit")?,
        use_cost: array(arrays, "use_cost")?,
        option_offset: indices(arrays, "option_offset")?,
        option_first: indices(arrays, "option_first")?,
        option_cost: array(arrays, "option_cost")?,
        option_cash: array(arrays, "option_cash")?,
        live_offset: indices(arrays, "live_offset")?,
        live_accelerators: array(arrays, "live_accelerators")?,
    })
}

fn read_rules(arrays: &Bound<'_, PyDict>) -> PyResult<RuleTable> {
    Ok(RuleTable {
        share_min: array(arrays, "share_min")?,
        budget_yen: array(arrays, "budget_yen")?,
        plan_budget_yen: array(arrays, "plan_budget_yen")?,
        programme_window: array(arrays, "programme_window")?,
        programme_pool: array(arrays, "programme_pool")?,
        project_cap_yen: array(arrays, "project_cap_yen")?,
        programme_budget_yen: array(arrays, "programme_budget_yen")?,
        rate: array(arrays, "rate")?,
    })
}
