//! `Search`: seeded chains of ruin and recreate, run side by side.

use std::sync::Arc;

use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rayon::prelude::*;
use tehai_engine::columns::claim_set_size_max;
use tehai_engine::instance::Instance;
use tehai_engine::search::{Chain, Guidance, PlanParts, RunOptions, Solution};

use crate::arrays::array;
use crate::columns::{columns_from_arrays, columns_to_dict};
use crate::errors::to_python;
use crate::instance::PyInstance;

/// Modes an insertion looks at; the rest are tried in a few insertions of a hundred.
const SHORTLIST_LENGTH: usize = 8;

/// Chains over one instance, guided by prices.
#[pyclass(name = "Search", module = "tehai.engine._native")]
pub struct PySearch {
    instance: Arc<Instance>,
    guidance: Guidance,
    chains: Vec<Chain>,
    mandatory_yen: f64,
}

#[pymethods]
impl PySearch {
    /// `plan` has a column for each workload (mode -1: not run), claims (W, S, Y), units and order claims by option.
    ///
    /// What breaks a hard row of the rules is left out of the start.
    #[new]
    #[pyo3(signature = (instance, prices, plan, chain_count, seed, mandatory_yen))]
    fn new(
        py: Python<'_>,
        instance: &PyInstance,
        prices: PyReadonlyArray1<'_, f64>,
        plan: &Bound<'_, PyDict>,
        chain_count: usize,
        seed: u64,
        mandatory_yen: f64,
    ) -> PyResult<Self> {
        let inner = Arc::clone(&instance.inner);
        let prices = prices.as_array().to_vec();
        let guidance =
            py.detach(|| Guidance::new(&inner, prices, SHORTLIST_LENGTH, mandatory_yen)).map_err(to_python)?;
        let start = read_solution(&inner, plan, mandatory_yen)?;
        let chains = py.detach(|| {
            (0..chain_count.max(1) as u64)
                .map(|i| Chain::new(&inner, &guidance, start.clone(), seed.wrapping_mul(1_000_003).wrapping_add(i)))
                .collect()
        });
        Ok(Self { instance: inner, guidance, chains, mandatory_yen })
    }

    /// Insert what is not placed, in every chain.
    fn construct(&mut self, py: Python<'_>) {
        let (instance, guidance, chains) = (&self.instance, &self.guidance, &mut self.chains);
        py.detach(|| chains.par_iter_mut().for_each(|chain| chain.construct(instance, guidance)));
    }

    /// Run every chain; all work is in the counts, none is in the clock.
    // One argument for each field of the options: Python has no struct to hand over.
    #[allow(clippy::too_many_arguments)]
    fn run(
        &mut self,
        py: Python<'_>,
        iteration_count: usize,
        temperature_first_yen: f64,
        temperature_last_yen: f64,
        ruin_count_max: usize,
        order_fraction: f64,
        penalty_scale: f64,
    ) {
        let options = RunOptions {
            iteration_count,
            temperature_first_yen,
            temperature_last_yen,
            ruin_count_max,
            order_fraction,
            penalty_scale,
        };
        let (instance, guidance, chains) = (&self.instance, &self.guidance, &mut self.chains);
        py.detach(|| chains.par_iter_mut().for_each(|chain| chain.run(instance, guidance, &options)));
    }

    /// Start every chain from the best plan found so far.
    fn restart_from_best(&mut self) {
        let best = self.best_chain().and_then(|i| self.chains[i].best.clone());
        if let Some((_, solution)) = best {
            self.chains.iter_mut().for_each(|chain| chain.restart_from(solution.clone()));
        }
    }

    /// Start every chain from a plan; what breaks a hard row of the rules is left out.
    fn restart_from(&mut self, plan: &Bound<'_, PyDict>) -> PyResult<()> {
        let solution = read_solution(&self.instance, plan, self.mandatory_yen)?;
        self.chains.iter_mut().for_each(|chain| chain.restart_from(solution.clone()));
        Ok(())
    }

    /// Objective of the best feasible plan in yen, if there is one.
    fn best_objective(&self) -> Option<f64> {
        self.best_chain().and_then(|i| self.chains[i].best.as_ref().map(|best| best.0))
    }

    /// Best feasible plan: columns as arrays, claims (W, S, Y), units and order claims by option.
    fn best_plan(&self, py: Python<'_>) -> PyResult<Option<Py<PyDict>>> {
        let Some(best) = self.best_chain().and_then(|i| self.chains[i].best.as_ref()) else { return Ok(None) };
        let plan = best.1.parts();
        let out = columns_to_dict(py, &self.instance, plan.columns)?;
        let bound = out.bind(py);
        bound.set_item("claims", plan.claims.to_vec().into_pyarray(py))?;
        bound.set_item("units", plan.units.iter().map(|&u| i64::from(u)).collect::<Vec<i64>>().into_pyarray(py))?;
        bound.set_item("order_claims", plan.order_claims.to_vec().into_pyarray(py))?;
        Ok(Some(out))
    }
}

impl PySearch {
    fn best_chain(&self) -> Option<usize> {
        (0..self.chains.len()).filter(|&i| self.chains[i].best.is_some()).min_by(|&a, &b| {
            let cost = |i: usize| self.chains[i].best.as_ref().map_or(f64::INFINITY, |best| best.0);
            cost(a).total_cmp(&cost(b)).then(a.cmp(&b))
        })
    }
}

fn read_solution(instance: &Instance, plan: &Bound<'_, PyDict>, mandatory_yen: f64) -> PyResult<Solution> {
    let columns = columns_from_arrays(instance, plan)?;
    let claims: Vec<f64> = array(plan, "claims")?;
    let units: Vec<u32> = array::<i64>(plan, "units")?.into_iter().map(|u| u.clamp(0, 1 << 30) as u32).collect();
    let order_claims: Vec<f64> = array(plan, "order_claims")?;
    let (sizes, options) = (&instance.sizes, instance.committed.option_first.len());
    let fits = columns.len() == sizes.workloads
        && claims.len() == sizes.workloads * claim_set_size_max(instance).max(1) * sizes.years
        && units.len() == options
        && order_claims.len() == options;
    if !fits {
        return Err(PyValueError::new_err(
            "a plan needs a column and claims for each workload, units and order_claims for each option",
        ));
    }
    let parts = PlanParts { columns: &columns, claims: &claims, units: &units, order_claims: &order_claims };
    Ok(Solution::admit(instance, mandatory_yen, &parts))
}
