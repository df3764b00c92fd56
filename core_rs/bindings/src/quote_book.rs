//! `QuoteBook`: read once from bytes, then asked from bytes to bytes without the interpreter.

use std::collections::HashMap;

use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use tehai_quote::answer::{plan_of, quote_workloads, stream_quotes};
use tehai_quote::stored::{BOOK_VERSION, StoredBook};
use tehai_quote::{Asked, Book, Refusal, message};

use crate::arrays::{array, number};

/// Answers as bytes, and path and message of what stopped them.
type StreamAnswer<'py> = (Vec<Bound<'py, PyBytes>>, Option<(String, String)>);

/// Prices of a plan with all that pricing a workload needs.
#[pyclass(name = "QuoteBook", frozen, module = "tehai.engine._native")]
pub struct PyQuoteBook {
    inner: Book,
}

#[pymethods]
impl PyQuoteBook {
    #[new]
    fn new(py: Python<'_>, data: &Bound<'_, PyBytes>) -> PyResult<Self> {
        let bytes = data.as_bytes();
        let inner = py.detach(|| Book::read(bytes)).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Self { inner })
    }

    /// Bytes that the book takes in memory, roughly.
    fn memory_bytes(&self) -> usize {
        self.inner.memory_bytes()
    }

    /// End of the first period, seconds since 1970 UTC.
    fn first_period_end_seconds(&self) -> i64 {
        self.inner.first_period_end_seconds()
    }

    /// Sustained operations per second of the reference accelerator, where the problem gives it.
    fn reference_sustained_flops(&self) -> Option<f64> {
        self.inner.reference_sustained_flops()
    }

    /// Ids that a request may name: `member_ids`, `project_ids`, `site_ids`, `accelerator_ids`.
    fn known_ids(&self) -> HashMap<&'static str, Vec<&str>> {
        self.inner.known_ids().into_iter().collect()
    }

    /// Answer a QuoteWorkloadsRequest: (answer, None), (None, path and message of what is wrong), or (None, None) where
    /// it takes more than `evaluations_max` columns.
    #[allow(clippy::type_complexity)]
    fn quote<'py>(
        &self,
        py: Python<'py>,
        request: &Bound<'_, PyBytes>,
        plan: &str,
        expire_seconds: i64,
        evaluations_max: usize,
    ) -> (Option<Bound<'py, PyBytes>>, Option<(String, String)>) {
        let bytes = request.as_bytes();
        let asked = Asked { plan, expire_seconds };
        match py.detach(|| quote_workloads(&self.inner, bytes, asked, evaluations_max)) {
            Ok(answer) => (answer.map(|bytes| PyBytes::new(py, &bytes)), None),
            Err(refusal) => (None, Some(pair(refusal))),
        }
    }

    /// Answer StreamQuotesRequests in order, up to the first in which anything is wrong or until so many columns are priced.
    fn stream<'py>(
        &self,
        py: Python<'py>,
        requests: Vec<Bound<'_, PyBytes>>,
        plan: &str,
        expire_seconds: i64,
        first_index: i64,
        evaluations_max: usize,
    ) -> StreamAnswer<'py> {
        let bytes: Vec<&[u8]> = requests.iter().map(|request| request.as_bytes()).collect();
        let asked = Asked { plan, expire_seconds };
        let (answers, refusal) = py.detach(|| stream_quotes(&self.inner, bytes, asked, first_index, evaluations_max));
        (answers.iter().map(|answer| PyBytes::new(py, answer)).collect(), refusal.map(pair))
    }
}

/// Write a quote book from tables named as the fields of `tehai_quote::stored::StoredBook`.
#[pyfunction]
pub fn encode_quote_book<'py>(py: Python<'py>, tables: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyBytes>> {
    let stored = read_tables(tables)?;
    let bytes = py.detach(|| {
        let bytes = stored.to_bytes();
        Book::read(&bytes).map(|_| bytes)
    });
    let bytes = bytes.map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(PyBytes::new(py, &bytes))
}

/// Plan named in a QuoteWorkloadsRequest or StreamQuotesRequest; ValueError where it is neither.
#[pyfunction]
pub fn plan_of_quote_request(py: Python<'_>, request: &[u8]) -> PyResult<String> {
    py.detach(|| plan_of(request)).map_err(|refusal| PyValueError::new_err(refusal.to_string()))
}

/// Decode a message of quotes and encode it again, for the test that compares its fields with the contract.
#[pyfunction]
pub fn recode_quote_message<'py>(py: Python<'py>, name: &str, data: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    match message::recode(name, data) {
        None => Err(PyKeyError::new_err(format!("no message `{name}`"))),
        Some(Err(error)) => Err(PyValueError::new_err(error.to_string())),
        Some(Ok(bytes)) => Ok(PyBytes::new(py, &bytes)),
    }
}

fn pair(refusal: Refusal) -> (String, String) {
    (refusal.path, refusal.message)
}

fn strings(tables: &Bound<'_, PyDict>, name: &str) -> PyResult<Vec<String>> {
    let item = tables.get_item(name)?.ok_or_else(|| PyKeyError::new_err(format!("list `{name}` is missing")))?;
    item.extract()
}

fn whole(tables: &Bound<'_, PyDict>, name: &str) -> PyResult<Vec<u32>> {
    let values = array::<i64>(tables, name)?;
    let small: Result<Vec<u32>, _> = values.into_iter().map(u32::try_from).collect();
    small.map_err(|_| PyValueError::new_err(format!("array `{name}` holds a number below 0 or above 2^32")))
}

fn read_tables(t: &Bound<'_, PyDict>) -> PyResult<StoredBook> {
    Ok(StoredBook {
        version: BOOK_VERSION,
        first_day: number(t, "first_day")?,
        period_hours: number(t, "period_hours")?,
        first_fiscal_year: number(t, "first_fiscal_year")?,
        year_of_period: whole(t, "year_of_period")?,
        reference_sustained_flops: number(t, "reference_sustained_flops")?,
        waiting_price: number(t, "waiting_price")?,
        start_pay: array(t, "start_pay")?,
        site_ids: strings(t, "site_ids")?,
        site_countries: strings(t, "site_countries")?,
        site_operator_countries: strings(t, "site_operator_countries")?,
        accelerator_ids: strings(t, "accelerator_ids")?,
        accelerator_memory_gb: array(t, "accelerator_memory_gb")?,
        families: strings(t, "families")?,
        throughput: array(t, "throughput")?,
        route_from: whole(t, "route_from")?,
        route_to: whole(t, "route_to")?,
        route_yen: array(t, "route_yen")?,
        pool_ids: strings(t, "pool_ids")?,
        pool_site: whole(t, "pool_site")?,
        pool_accelerator: whole(t, "pool_accelerator")?,
        pool_gang_max: whole(t, "pool_gang_max")?,
        pool_node: whole(t, "pool_node")?,
        capacity_max: array(t, "capacity_max")?,
        capacity_price: array(t, "capacity_price")?,
        rules_price: array(t, "rules_price")?,
        work_price: array(t, "work_price")?,
        grant_reference: array(t, "grant_reference")?,
        charge_reference: array(t, "charge_reference")?,
        member_ids: strings(t, "member_ids")?,
        budget_member: whole(t, "budget_member")?,
        budget_price: array(t, "budget_price")?,
        programme_ids: strings(t, "programme_ids")?,
        programme_from: whole(t, "programme_from")?,
        programme_until: whole(t, "programme_until")?,
        programme_pool: whole(t, "programme_pool")?,
        tags: strings(t, "tags")?,
        tag_offset: whole(t, "tag_offset")?,
        rate: array(t, "rate")?,
        claim_worth: array(t, "claim_worth")?,
        pay_year: whole(t, "pay_year")?,
        project_cap_yen: array(t, "project_cap_yen")?,
        cap_programme: whole(t, "cap_programme")?,
        cap_member: whole(t, "cap_member")?,
        cap_price: array(t, "cap_price")?,
        set_programmes: whole(t, "set_programmes")?,
        set_offset: whole(t, "set_offset")?,
        project_ids: strings(t, "project_ids")?,
        project_row_programme: whole(t, "project_row_programme")?,
        project_row_project: whole(t, "project_row_project")?,
        project_row_left_yen: array(t, "project_row_left_yen")?,
        project_row_price: array(t, "project_row_price")?,
    })
}
