//! Looks at serialised protobuf messages without building them: whether they are well formed, whether their lists are
//! within limits, and where a field's bytes are. Memory does not grow with the message, whatever it holds.

mod cut;
mod fault;
mod schema;
mod walk;
mod wire;

pub use cut::{Split, field_bytes, split};
pub use fault::Fault;
pub use schema::{Schema, SchemaError};
pub use walk::check;
