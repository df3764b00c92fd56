//! The door between Python and the engine: converts, detaches, maps errors; no arithmetic of its own.

mod arrays;
mod columns;
mod errors;
mod instance;
mod quote_book;
mod scan;
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
    module.add_class::<quote_book::PyQuoteBook>()?;
    module.add_function(wrap_pyfunction!(quote_book::encode_quote_book, module)?)?;
    module.add_function(wrap_pyfunction!(quote_book::plan_of_quote_request, module)?)?;
    module.add_function(wrap_pyfunction!(quote_book::recode_quote_message, module)?)?;
    module.add_class::<scan::PyMessageScanner>()?;
    module.add_function(wrap_pyfunction!(scan::split_field, module)?)?;
    module.add_function(wrap_pyfunction!(scan::field_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(build_info, module)?)?;
    module.add_function(wrap_pyfunction!(set_thread_count, module)?)?;
    Ok(())
}
