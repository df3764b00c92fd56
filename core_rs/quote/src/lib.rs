//! Quotes: what workloads would cost at the prices of a plan, without a solve. docs/quotes.md has the formula.
//!
//! A book holds everything that pricing needs; requests and answers are bytes of `tehai.v1` messages.

pub mod answer;
pub mod book;
mod check;
mod claims;
mod dates;
mod error;
mod known;
pub mod message;
mod placement;
mod price;
mod reason;
mod runs;
pub mod stored;

pub use answer::{Asked, quote_workloads, stream_quotes};
pub use book::Book;
pub use error::{BookError, Refusal};
