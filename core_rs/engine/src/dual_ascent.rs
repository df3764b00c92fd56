//! Improve the prices: a stabilised supergradient method, one pricing pass a step.

use crate::column::Column;
use crate::evaluation::{Evaluation, evaluate};
use crate::instance::Instance;
use crate::prices::{PriceLayout, project_to_rows};

/// How a step is taken.
#[derive(Clone, Copy, Debug)]
pub struct AscentOptions {
    /// Pricing passes.
    pub step_count: usize,
    /// First step as a part of each price's scale.
    pub step_first: f64,
    /// Last step as a part of each price's scale; steps shrink geometrically between the two.
    pub step_last: f64,
}

/// Decay of the mean of past gradients.
const MEAN_DECAY: f64 = 0.9;
/// Decay of the mean of squared gradients.
const SQUARE_DECAY: f64 = 0.98;

/// State of an ascent that can be continued.
#[derive(Clone, Debug)]
pub struct Ascent {
    /// Current prices.
    pub prices: Vec<f64>,
    /// Prices of the best bound so far.
    pub best_prices: Vec<f64>,
    /// Best bound so far in yen.
    pub best_bound: f64,
    /// Mean units of each order option over the later passes: near a primal optimum (Anstreicher and Wolsey 2009).
    pub mean_units: Vec<f64>,
    mean: Vec<f64>,
    square: Vec<f64>,
    passes: i32,
    scale: Vec<f64>,
}

impl Ascent {
    /// Start from `prices`; an empty slice starts from the grant references (the cheapest unit costs).
    pub fn new(instance: &Instance, prices: &[f64]) -> Self {
        let layout = PriceLayout::of(instance);
        let mut start = if prices.len() == layout.count { prices.to_vec() } else { first_prices(instance, &layout) };
        project_to_rows(instance, &mut start);
        Self {
            best_prices: start.clone(),
            prices: start,
            best_bound: f64::NEG_INFINITY,
            mean_units: vec![0.0; instance.committed.option_first.len()],
            mean: vec![0.0; layout.count],
            square: vec![0.0; layout.count],
            passes: 0,
            scale: price_scales(instance, &layout),
        }
    }

    /// Take steps; `stop` is asked after each pass with the columns met there. Returns the passes taken.
    ///
    /// Where it is stopped the mean units are those of the passes that count until then: none before the half.
    pub fn run(
        &mut self,
        instance: &Instance,
        options: &AscentOptions,
        mut stop: impl FnMut(f64, &[Column]) -> bool,
    ) -> usize {
        self.prices.clone_from(&self.best_prices);
        let shrink = (options.step_last / options.step_first).powf(1.0 / (options.step_count.max(2) - 1) as f64);
        let mut step = options.step_first;
        let averaged_from = options.step_count / 2;
        for pass in 0..options.step_count {
            let evaluation = evaluate(instance, &self.prices);
            if evaluation.bound > self.best_bound {
                self.best_bound = evaluation.bound;
                self.best_prices.clone_from(&self.prices);
            }
            if stop(self.best_bound, &evaluation.columns) {
                if pass > averaged_from {
                    let whole = (options.step_count - averaged_from) as f64 / (pass - averaged_from) as f64;
                    self.mean_units.iter_mut().for_each(|units| *units *= whole);
                }
                return pass + 1;
            }
            if pass >= averaged_from {
                for &(option, units) in &evaluation.orders {
                    self.mean_units[option] += units / (options.step_count - averaged_from) as f64;
                }
            }
            self.step(instance, &evaluation, step);
            step *= shrink;
        }
        options.step_count
    }

    /// Move every price along its mean gradient, measured in its own scale (Adam, Kingma and Ba 2015).
    fn step(&mut self, instance: &Instance, evaluation: &Evaluation, step: f64) {
        self.passes += 1;
        let mean_correction = 1.0 - MEAN_DECAY.powi(self.passes);
        let square_correction = 1.0 - SQUARE_DECAY.powi(self.passes);
        for (i, &g) in evaluation.gradient.iter().enumerate() {
            self.mean[i] = MEAN_DECAY * self.mean[i] + (1.0 - MEAN_DECAY) * g;
            self.square[i] = SQUARE_DECAY * self.square[i] + (1.0 - SQUARE_DECAY) * g * g;
            let size = (self.square[i] / square_correction).sqrt();
            if size > 0.0 {
                self.prices[i] += step * self.scale[i] * (self.mean[i] / mean_correction) / size;
            }
        }
        project_to_rows(instance, &mut self.prices);
    }
}

fn first_prices(instance: &Instance, layout: &PriceLayout) -> Vec<f64> {
    let mut prices = vec![0.0; layout.count];
    prices[..instance.pools.grant_reference.len()].copy_from_slice(&instance.pools.grant_reference);
    prices
}

/// A typical size of each price: what an hour, a workload or a period of waiting costs; one for yen per yen.
fn price_scales(instance: &Instance, layout: &PriceLayout) -> Vec<f64> {
    let (table, periods) = (&instance.workloads, instance.sizes.periods);
    let hour = mean_of_positive(&instance.pools.grant_reference).unwrap_or(1.0);
    let kw: f64 = instance.pools.pool_kw.iter().sum::<f64>() / instance.pools.pool_kw.len().max(1) as f64;
    let kg = mean_of_positive(&instance.pools.pool_kg).unwrap_or(1.0);
    // What is at stake where a workload cannot run in time: that it is not run, or else runs elsewhere.
    let workload = mean_of_positive(&table.not_run_yen)
        .or_else(|| mean_of_positive(&table.work).map(|work| work * hour))
        .unwrap_or(1.0);
    let late = mean_of_positive(&table.late_yen).unwrap_or(workload / periods.max(1) as f64);
    let mut scales = vec![1.0; layout.count];
    scales[..layout.power].fill(hour);
    scales[layout.power..layout.work].fill(hour / kw.max(1e-3));
    scales[layout.work..layout.budget].fill(hour);
    scales[layout.carbon..layout.waiting].fill(hour / kg);
    scales[layout.waiting] = late;
    // A start or an end is charged the sum of the prices from it on.
    scales[layout.precedence..].fill(workload / periods.max(1) as f64);
    scales
}

fn mean_of_positive(values: &[f64]) -> Option<f64> {
    let positive: Vec<f64> = values.iter().copied().filter(|v| *v > 0.0 && v.is_finite()).collect();
    (!positive.is_empty()).then(|| positive.iter().sum::<f64>() / positive.len() as f64)
}
