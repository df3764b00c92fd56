//! `Search`: seeded chains of ruin and recreate, run side by side.

use std::sync::Arc;

use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rayon::prelude::*;
use tehai_engine::instance::Instance;
use tehai_engine::prefix_cost::PrefixCost;
use tehai_engine::prices::{PriceLayout, project_to_rows};
use tehai_engine::pricing::cheapest_column;
use tehai_engine::search::{Chain, Guidance, RunOptions, Solution, shortlists};

use crate::arrays::array;
use crate::columns::{columns_from_arrays, columns_to_dict};
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
    /// `units` has one entry for each order option; `columns` may be None for an empty start.
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
        let guidance = py.detach(|| guidance_at(&inner, prices, SHORTLIST_LENGTH))?;
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
            for chain in &mut self.chains {
                chain.restart_from(&self.instance, &self.guidance, solution.clone());
            }
        }
    }

    /// Start every chain from a plan.
    fn restart_from(&mut self, plan: &Bound<'_, PyDict>) -> PyResult<()> {
        let solution = read_solution(&self.instance, plan, self.mandatory_yen)?;
        for chain in &mut self.chains {
            chain.restart_from(&self.instance, &self.guidance, solution.clone());
        }
        Ok(())
    }

    /// Objective of the best feasible plan in yen, if there is one.
    fn best_objective(&self) -> Option<f64> {
        self.best_chain().and_then(|i| self.chains[i].best.as_ref().map(|best| best.0))
    }

    /// Best feasible plan: columns as arrays, claims (W, Y), units.
    fn best_plan(&self, py: Python<'_>) -> PyResult<Option<Py<PyDict>>> {
        let Some(best) = self.best_chain().and_then(|i| self.chains[i].best.as_ref()) else { return Ok(None) };
        let out = columns_to_dict(py, &self.instance, &best.1.columns)?;
        let bound = out.bind(py);
        bound.set_item("claims", best.1.claims.clone().into_pyarray(py))?;
        bound.set_item("units", best.1.units.iter().map(|&u| i64::from(u)).collect::<Vec<i64>>().into_pyarray(py))?;
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

fn guidance_at(instance: &Instance, mut prices: Vec<f64>, shortlist_length: usize) -> PyResult<Guidance> {
    let layout = PriceLayout::of(instance);
    if prices.len() != layout.count {
        return Err(PyValueError::new_err(format!("{} prices given, {} rows", prices.len(), layout.count)));
    }
    project_to_rows(instance, &mut prices);
    let references = &instance.pools.grant_reference;
    let hour = references.iter().sum::<f64>() / references.len().max(1) as f64;
    let years = instance.sizes.years;
    let share_weight = (0..years).map(|y| prices[layout.share + y] + 0.1 * hour).collect();
    let budget: Vec<f64> = prices[layout.budget..layout.budget + years].to_vec();
    let budget_weight = budget.iter().map(|beta| beta + 0.1).collect();
    let prefix = PrefixCost::new(instance, &prices);
    let cheapest =
        (0..instance.sizes.workloads).into_par_iter().map(|w| cheapest_column(instance, &prefix, w).price).collect();
    let shortlist = shortlists(instance, &prefix, shortlist_length);
    Ok(Guidance { prefix, budget, share_weight, budget_weight, shortlist, cheapest })
}

fn read_solution(instance: &Instance, plan: &Bound<'_, PyDict>, mandatory_yen: f64) -> PyResult<Solution> {
    let columns = columns_from_arrays(instance, plan)?;
    let claims: Vec<f64> = array(plan, "claims")?;
    let units: Vec<u32> = array::<i64>(plan, "units")?.into_iter().map(|u| u.clamp(0, 1 << 30) as u32).collect();
    let sizes = &instance.sizes;
    let fits = columns.len() == sizes.workloads
        && claims.len() == sizes.workloads * sizes.years
        && units.len() == instance.committed.option_first.len();
    if !fits {
        return Err(PyValueError::new_err(
            "a plan needs a column and claims for each workload and units for each option",
        ));
    }
    Ok(Solution::build(instance, mandatory_yen, &columns, &claims, &units))
}
