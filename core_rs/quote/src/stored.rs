//! The stored form of a book: flat tables, row-major; `service/tehai/quote/tables.py` fills them.

use prost::Message;

/// Version that this program writes and reads; a book of another one is refused.
pub const BOOK_VERSION: u32 = 1;

/// T periods, Y fiscal years, P pools, J sites, A accelerators, F software families, M members, R usage programmes.
#[derive(Clone, PartialEq, Message)]
pub struct StoredBook {
    /// `BOOK_VERSION`.
    #[prost(uint32, tag = "1")]
    pub version: u32,
    /// First day of period 0, days since 1970-01-01.
    #[prost(int64, tag = "2")]
    pub first_day: i64,
    /// Hours of a period.
    #[prost(uint32, tag = "3")]
    pub period_hours: u32,
    /// Fiscal year of period 0.
    #[prost(int32, tag = "4")]
    pub first_fiscal_year: i32,
    /// Position of the fiscal year, (T,).
    #[prost(uint32, repeated, tag = "5")]
    pub year_of_period: Vec<u32>,
    /// Sustained floating-point operations per second of the reference accelerator; 0 where not given.
    #[prost(double, tag = "6")]
    pub reference_sustained_flops: f64,
    /// Yen per period of waiting.
    #[prost(double, tag = "7")]
    pub waiting_price: f64,
    /// What a yen paid by the portfolio counts: discount and price of its budget, (T,).
    #[prost(double, repeated, tag = "8")]
    pub start_pay: Vec<f64>,

    #[prost(string, repeated, tag = "10")]
    pub site_ids: Vec<String>,
    #[prost(string, repeated, tag = "11")]
    pub site_countries: Vec<String>,
    #[prost(string, repeated, tag = "12")]
    pub site_operator_countries: Vec<String>,
    #[prost(string, repeated, tag = "13")]
    pub accelerator_ids: Vec<String>,
    #[prost(double, repeated, tag = "14")]
    pub accelerator_memory_gb: Vec<f64>,
    #[prost(string, repeated, tag = "15")]
    pub families: Vec<String>,
    /// Normalised throughput, 0 where the family does not run, (A, F).
    #[prost(double, repeated, tag = "16")]
    pub throughput: Vec<f64>,
    #[prost(uint32, repeated, tag = "17")]
    pub route_from: Vec<u32>,
    #[prost(uint32, repeated, tag = "18")]
    pub route_to: Vec<u32>,
    /// Nominal yen to move a terabyte, (routes, T).
    #[prost(double, repeated, tag = "19")]
    pub route_yen: Vec<f64>,

    #[prost(string, repeated, tag = "20")]
    pub pool_ids: Vec<String>,
    #[prost(uint32, repeated, tag = "21")]
    pub pool_site: Vec<u32>,
    #[prost(uint32, repeated, tag = "22")]
    pub pool_accelerator: Vec<u32>,
    #[prost(uint32, repeated, tag = "23")]
    pub pool_gang_max: Vec<u32>,
    #[prost(uint32, repeated, tag = "24")]
    pub pool_node: Vec<u32>,
    /// Most accelerators that can be live, (P, T).
    #[prost(double, repeated, tag = "25")]
    pub capacity_max: Vec<f64>,
    /// Price of capacity, yen per accelerator-hour, (P, T).
    #[prost(double, repeated, tag = "26")]
    pub capacity_price: Vec<f64>,
    /// Prices of power and carbon and the charge on carbon, yen per accelerator-hour, (P, T).
    #[prost(double, repeated, tag = "27")]
    pub rules_price: Vec<f64>,
    /// Prices of shares and concentration, yen per normalised hour, (P, Y).
    #[prost(double, repeated, tag = "28")]
    pub work_price: Vec<f64>,
    /// Nominal yen per accelerator-hour, (P, T).
    #[prost(double, repeated, tag = "29")]
    pub grant_reference: Vec<f64>,
    /// Nominal yen per accelerator-hour, (P, T).
    #[prost(double, repeated, tag = "30")]
    pub charge_reference: Vec<f64>,

    #[prost(string, repeated, tag = "40")]
    pub member_ids: Vec<String>,
    /// Members whose budget has a price, and the prices, (priced members, Y).
    #[prost(uint32, repeated, tag = "41")]
    pub budget_member: Vec<u32>,
    #[prost(double, repeated, tag = "42")]
    pub budget_price: Vec<f64>,

    #[prost(string, repeated, tag = "50")]
    pub programme_ids: Vec<String>,
    /// Half-open range of eligible periods, (R,) each.
    #[prost(uint32, repeated, tag = "51")]
    pub programme_from: Vec<u32>,
    #[prost(uint32, repeated, tag = "52")]
    pub programme_until: Vec<u32>,
    /// 1 where the pool is eligible, (R, P).
    #[prost(uint32, repeated, tag = "53")]
    pub programme_pool: Vec<u32>,
    /// Eligible tags of programme r are entries `tag_offset[r]..tag_offset[r + 1]`; none: every workload.
    #[prost(string, repeated, tag = "54")]
    pub tags: Vec<String>,
    #[prost(uint32, repeated, tag = "55")]
    pub tag_offset: Vec<u32>,
    /// Grant rate, 0 where the member is not eligible, (R, M).
    #[prost(double, repeated, tag = "56")]
    pub rate: Vec<f64>,
    /// Worth of a claimed yen before prices of the member and the project, (R, Y).
    #[prost(double, repeated, tag = "57")]
    pub claim_worth: Vec<f64>,
    /// Position of the fiscal year of payment plus 1; 0 after the horizon, (R, Y).
    #[prost(uint32, repeated, tag = "58")]
    pub pay_year: Vec<u32>,
    /// Cap of a project of which nothing is claimed, infinite without one, (R,).
    #[prost(double, repeated, tag = "59")]
    pub project_cap_yen: Vec<f64>,
    /// Priced member caps: programme, member, and prices (priced caps, Y).
    #[prost(uint32, repeated, tag = "60")]
    pub cap_programme: Vec<u32>,
    #[prost(uint32, repeated, tag = "61")]
    pub cap_member: Vec<u32>,
    #[prost(double, repeated, tag = "62")]
    pub cap_price: Vec<f64>,
    /// Largest sets of programmes that stack: entries `set_offset[i]..set_offset[i + 1]`.
    #[prost(uint32, repeated, tag = "63")]
    pub set_programmes: Vec<u32>,
    #[prost(uint32, repeated, tag = "64")]
    pub set_offset: Vec<u32>,

    /// Projects of the problem, those that are a workload alone too.
    #[prost(string, repeated, tag = "70")]
    pub project_ids: Vec<String>,
    /// Project caps that are not `project_cap_yen` at price 0: programme, project, what is left, price.
    #[prost(uint32, repeated, tag = "71")]
    pub project_row_programme: Vec<u32>,
    #[prost(uint32, repeated, tag = "72")]
    pub project_row_project: Vec<u32>,
    #[prost(double, repeated, tag = "73")]
    pub project_row_left_yen: Vec<f64>,
    #[prost(double, repeated, tag = "74")]
    pub project_row_price: Vec<f64>,
}

impl StoredBook {
    /// The bytes of the book.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }
}
