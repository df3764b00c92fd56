//! The schema of messages as the walk needs it, from descriptors that the generated code brings.

use std::collections::HashMap;

use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};
use thiserror::Error;

use crate::wire::WireType;

/// Of the fields of a schema: each message has a table up to its largest.
const FIELD_NUMBER_MAX: usize = 4_096;

/// Why descriptors or limits cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SchemaError {
    #[error("the descriptors cannot be read")]
    Unreadable,
    #[error("{field} has a type that is not in the descriptors or not supported")]
    Type { field: String },
    #[error("there is no repeated field {field}")]
    Limit { field: String },
    #[error("there is no message {name}")]
    Message { name: String },
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Numbers of this encoding.
    Scalar(WireType),
    Bytes,
    Text,
    /// A message, by its index in the schema.
    Message(usize),
}

#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub name: String,
    pub kind: Kind,
    /// Which of the message's repeated fields it is; None for a single one.
    pub repeated: Option<usize>,
    /// Most entries; `u64::MAX` where there is no limit.
    pub limit: u64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct MessageSchema {
    /// By number, for a look-up that costs nothing; numbers are small.
    fields: Vec<Option<Field>>,
    pub repeated_count: usize,
}

impl MessageSchema {
    /// The field with a number.
    pub fn field(&self, number: u32) -> Option<&Field> {
        self.fields.get(number as usize)?.as_ref()
    }

    fn insert(&mut self, number: usize, field: Field) {
        if self.fields.len() <= number {
            self.fields.resize(number + 1, None);
        }
        self.fields[number] = Some(field);
    }
}

/// Messages by name.
#[derive(Debug, Clone)]
pub struct Schema {
    pub(crate) messages: Vec<MessageSchema>,
    by_name: HashMap<String, usize>,
}

impl Schema {
    /// Read a serialised `FileDescriptorSet` with everything it needs; `limits` are by full name of a repeated field,
    /// `tehai.v1.Problem.workloads`.
    pub fn new(descriptors: &[u8], limits: &HashMap<String, u64>) -> Result<Self, SchemaError> {
        let set = FileDescriptorSet::decode(descriptors).map_err(|_| SchemaError::Unreadable)?;
        let mut found = Vec::new();
        for file in &set.file {
            gather(file.package(), &file.message_type, &mut found);
        }
        let by_name: HashMap<String, usize> =
            found.iter().enumerate().map(|(index, (name, _))| (name.clone(), index)).collect();
        let messages = found
            .iter()
            .map(|(name, message)| read_message(name, message, &by_name, limits))
            .collect::<Result<Vec<_>, _>>()?;
        let schema = Self { messages, by_name };
        match limits.keys().find(|name| !schema.has_list(name)) {
            Some(field) => Err(SchemaError::Limit { field: field.clone() }),
            None => Ok(schema),
        }
    }

    /// The index of a message by its full name.
    pub fn message(&self, name: &str) -> Result<usize, SchemaError> {
        self.by_name.get(name).copied().ok_or_else(|| SchemaError::Message { name: name.to_owned() })
    }

    fn has_list(&self, full_name: &str) -> bool {
        let Some((message, field)) = full_name.rsplit_once('.') else { return false };
        let Some(&index) = self.by_name.get(message) else { return false };
        self.messages[index].fields.iter().flatten().any(|known| known.name == field && known.repeated.is_some())
    }
}

fn gather<'a>(scope: &str, messages: &'a [DescriptorProto], found: &mut Vec<(String, &'a DescriptorProto)>) {
    for message in messages {
        let name = if scope.is_empty() { message.name().to_owned() } else { format!("{scope}.{}", message.name()) };
        gather(&name, &message.nested_type, found);
        found.push((name, message));
    }
}

fn read_message(
    name: &str,
    message: &DescriptorProto,
    by_name: &HashMap<String, usize>,
    limits: &HashMap<String, u64>,
) -> Result<MessageSchema, SchemaError> {
    let mut schema = MessageSchema::default();
    for field in &message.field {
        let full_name = format!("{name}.{}", field.name());
        let kind = kind_of(field, by_name).ok_or_else(|| SchemaError::Type { field: full_name.clone() })?;
        let mut repeated = None;
        if field.label() == Label::Repeated {
            repeated = Some(schema.repeated_count);
            schema.repeated_count += 1;
        }
        let limit = limits.get(&full_name).copied().unwrap_or(u64::MAX);
        let number = usize::try_from(field.number()).ok().filter(|number| *number <= FIELD_NUMBER_MAX);
        let number = number.ok_or(SchemaError::Type { field: full_name })?;
        schema.insert(number, Field { name: field.name().to_owned(), kind, repeated, limit });
    }
    Ok(schema)
}

fn kind_of(field: &FieldDescriptorProto, by_name: &HashMap<String, usize>) -> Option<Kind> {
    Some(match field.r#type() {
        Type::Double | Type::Fixed64 | Type::Sfixed64 => Kind::Scalar(WireType::Fixed64),
        Type::Float | Type::Fixed32 | Type::Sfixed32 => Kind::Scalar(WireType::Fixed32),
        Type::Int64 | Type::Uint64 | Type::Int32 | Type::Uint32 | Type::Sint32 | Type::Sint64 => {
            Kind::Scalar(WireType::Varint)
        }
        Type::Bool | Type::Enum => Kind::Scalar(WireType::Varint),
        Type::String => Kind::Text,
        Type::Bytes => Kind::Bytes,
        Type::Message => Kind::Message(*by_name.get(field.type_name().trim_start_matches('.'))?),
        Type::Group => return None,
    })
}
