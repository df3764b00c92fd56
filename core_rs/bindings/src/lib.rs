//! The door between Python and the engine: converts, detaches, maps errors; no arithmetic of its own.

mod arrays;
mod columns;
mod errors;
mod instance;
mod search;
mod tables;

use pyo3::prelude::*;

/// Build profile and version, so that benches can refuse a debug build.
#[pyfunction]
fn build_info() -> (&'static str, &'static str) {
    (env!("CARGO_PKG_VERSION"), if cfg!(debug_assertions) { "debug" } else { "release" })
}

/// Set the worker threads of the process; the first call counts.
#[pyfunction]
fn set_thread_count(thread_count: usize) -> bool {
    rayon::ThreadPoolBuilder::new().num_threads(thread_count).build_global().is_ok()
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<instance::PyInstance>()?;
    module.add_class::<search::PySearch>()?;
    module.add_function(wrap_pyfunction!(build_info, module)?)?;
    module.add_function(wrap_pyfunction!(set_thread_count, module)?)?;
    Ok(())
}
