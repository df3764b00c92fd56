//! The messages of `proto/tehai/v1` that quotes read and write. No generated code, so no protoc at build time;
//! `tests/quote/test_messages.py` compares every field with the descriptors.

use prost::{Message, Oneof};

/// `tehai.v1.QuoteWorkloadsRequest`.
#[derive(Clone, PartialEq, Message)]
pub struct QuoteWorkloadsRequest {
    #[prost(string, tag = "1")]
    pub plan: String,
    #[prost(message, repeated, tag = "2")]
    pub workloads: Vec<Workload>,
    #[prost(int32, tag = "3")]
    pub placements_max: i32,
}

/// `tehai.v1.StreamQuotesRequest`.
#[derive(Clone, PartialEq, Message)]
pub struct StreamQuotesRequest {
    #[prost(string, tag = "1")]
    pub plan: String,
    #[prost(message, optional, tag = "2")]
    pub workload: Option<Workload>,
    #[prost(int32, tag = "3")]
    pub placements_max: i32,
}

/// The plan of either request, without the rest.
#[derive(Clone, PartialEq, Message)]
pub struct PlanOfRequest {
    #[prost(string, tag = "1")]
    pub plan: String,
}

/// `tehai.v1.Workload`.
#[derive(Clone, PartialEq, Message)]
pub struct Workload {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(string, tag = "2")]
    pub display_name: String,
    #[prost(string, tag = "3")]
    pub member_id: String,
    #[prost(string, tag = "4")]
    pub project_id: String,
    #[prost(string, tag = "5")]
    pub release_date: String,
    #[prost(string, tag = "6")]
    pub deadline_date: String,
    #[prost(oneof = "Work", tags = "7, 8")]
    pub work: Option<Work>,
    #[prost(message, repeated, tag = "9")]
    pub gang_options: Vec<GangOption>,
    #[prost(double, tag = "10")]
    pub memory_gb: f64,
    #[prost(string, tag = "11")]
    pub software_family: String,
    #[prost(message, optional, tag = "12")]
    pub sovereignty: Option<SovereigntyRule>,
    #[prost(string, repeated, tag = "13")]
    pub tags: Vec<String>,
    #[prost(int64, tag = "14")]
    pub late_start_yen_per_period: i64,
    #[prost(oneof = "NotRun", tags = "15, 16")]
    pub not_run: Option<NotRun>,
    #[prost(string, repeated, tag = "17")]
    pub after_workload_ids: Vec<String>,
    #[prost(string, optional, tag = "18")]
    pub data_site_id: Option<String>,
    #[prost(double, optional, tag = "19")]
    pub data_terabytes: Option<f64>,
    #[prost(message, repeated, tag = "20")]
    pub porting: Vec<Porting>,
    #[prost(message, optional, tag = "21")]
    pub pausing: Option<Pausing>,
}

/// `tehai.v1.Workload.work`.
#[derive(Clone, PartialEq, Oneof)]
pub enum Work {
    #[prost(double, tag = "7")]
    NormalisedAcceleratorHours(f64),
    #[prost(double, tag = "8")]
    Flops(f64),
}

/// `tehai.v1.Workload.not_run`.
#[derive(Clone, PartialEq, Oneof)]
pub enum NotRun {
    #[prost(int64, tag = "15")]
    CostNotRunYen(i64),
    #[prost(bool, tag = "16")]
    Mandatory(bool),
}

/// `tehai.v1.GangOption`.
#[derive(Clone, PartialEq, Message)]
pub struct GangOption {
    #[prost(int32, tag = "1")]
    pub accelerators: i32,
    #[prost(double, tag = "2")]
    pub scaling_efficiency_fraction: f64,
}

/// `tehai.v1.SovereigntyRule`.
#[derive(Clone, PartialEq, Message)]
pub struct SovereigntyRule {
    #[prost(string, repeated, tag = "1")]
    pub site_country_codes: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub operator_country_codes: Vec<String>,
}

/// `tehai.v1.Porting`.
#[derive(Clone, PartialEq, Message)]
pub struct Porting {
    #[prost(string, tag = "1")]
    pub accelerator_id: String,
    #[prost(int64, tag = "2")]
    pub amount_yen: i64,
}

/// `tehai.v1.Pausing`.
#[derive(Clone, PartialEq, Message)]
pub struct Pausing {
    #[prost(int32, tag = "1")]
    pub pauses_max: i32,
    #[prost(double, tag = "2")]
    pub resume_overhead_hours: f64,
}

/// `tehai.v1.QuoteWorkloadsResponse`.
#[derive(Clone, PartialEq, Message)]
pub struct QuoteWorkloadsResponse {
    #[prost(message, repeated, tag = "1")]
    pub quotes: Vec<Quote>,
}

/// `tehai.v1.StreamQuotesResponse`.
#[derive(Clone, PartialEq, Message)]
pub struct StreamQuotesResponse {
    #[prost(int64, tag = "1")]
    pub request_index: i64,
    #[prost(message, optional, tag = "2")]
    pub quote: Option<Quote>,
}

/// `tehai.v1.Quote`.
#[derive(Clone, PartialEq, Message)]
pub struct Quote {
    #[prost(string, tag = "1")]
    pub workload_id: String,
    #[prost(message, repeated, tag = "2")]
    pub placements: Vec<QuotedPlacement>,
    #[prost(string, tag = "3")]
    pub reason: String,
    #[prost(bool, tag = "4")]
    pub indicative: bool,
    #[prost(message, optional, tag = "5")]
    pub expire_time: Option<Timestamp>,
    #[prost(string, tag = "6")]
    pub plan: String,
    #[prost(bool, tag = "7")]
    pub better_not_run: bool,
}

/// `tehai.v1.QuotedPlacement`.
#[derive(Clone, PartialEq, Message)]
pub struct QuotedPlacement {
    #[prost(string, tag = "1")]
    pub pool_id: String,
    #[prost(int32, tag = "2")]
    pub accelerators: i32,
    #[prost(int32, tag = "3")]
    pub start_period: i32,
    #[prost(string, tag = "4")]
    pub start_date: String,
    #[prost(double, tag = "5")]
    pub run_hours: f64,
    #[prost(int64, tag = "6")]
    pub price_yen: i64,
    #[prost(int64, tag = "7")]
    pub capacity_yen: i64,
    #[prost(int64, tag = "8")]
    pub rules_yen: i64,
    #[prost(int64, tag = "9")]
    pub moving_yen: i64,
    #[prost(int64, tag = "10")]
    pub lateness_yen: i64,
    #[prost(int64, tag = "11")]
    pub grants_yen: i64,
    #[prost(message, repeated, tag = "12")]
    pub claims: Vec<Claim>,
    #[prost(int64, tag = "13")]
    pub list_bill_yen: i64,
}

/// `tehai.v1.Claim`.
#[derive(Clone, PartialEq, Message)]
pub struct Claim {
    #[prost(string, tag = "1")]
    pub programme_id: String,
    #[prost(int32, tag = "2")]
    pub fiscal_year: i32,
    #[prost(int64, tag = "3")]
    pub amount_yen: i64,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, PartialEq, Message)]
pub struct Timestamp {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// Decode a message by its name and encode it again: what the fields above do not know is dropped.
///
/// `None` for a name that is not one of the four messages that cross the wire.
pub fn recode(name: &str, data: &[u8]) -> Option<Result<Vec<u8>, prost::DecodeError>> {
    fn again<M: Message + Default>(data: &[u8]) -> Result<Vec<u8>, prost::DecodeError> {
        M::decode(data).map(|message| message.encode_to_vec())
    }
    match name {
        "QuoteWorkloadsRequest" => Some(again::<QuoteWorkloadsRequest>(data)),
        "QuoteWorkloadsResponse" => Some(again::<QuoteWorkloadsResponse>(data)),
        "StreamQuotesRequest" => Some(again::<StreamQuotesRequest>(data)),
        "StreamQuotesResponse" => Some(again::<StreamQuotesResponse>(data)),
        _ => None,
    }
}
