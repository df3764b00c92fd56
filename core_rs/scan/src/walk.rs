//! One pass over a message: form, text encoding, depth and lengths of lists.

use crate::fault::Fault;
use crate::schema::{Field, Kind, Schema};
use crate::wire::{Reader, WireType};

/// Messages within messages; protobuf's own parsers stop at 100.
const DEPTH_MAX: usize = 64;

/// Check `data` as the message with index `message`; with `counted` also that no list is longer than its limit.
///
/// Fields that the schema does not have are passed over, as protobuf does.
pub fn check(schema: &Schema, message: usize, data: &[u8], counted: bool) -> Result<(), Fault> {
    Walk { schema, counted }.message(message, data, DEPTH_MAX)
}

struct Walk<'a> {
    schema: &'a Schema,
    counted: bool,
}

impl Walk<'_> {
    fn message(&self, index: usize, data: &[u8], depth: usize) -> Result<(), Fault> {
        if depth == 0 {
            return Err(Fault::malformed("messages are nested too deeply"));
        }
        let known = &self.schema.messages[index];
        let mut counts = vec![0_u64; known.repeated_count];
        let mut reader = Reader::new(data);
        while !reader.at_end() {
            let (number, wire_type) = reader.key()?;
            match known.field(number) {
                Some(field) => self.field(field, wire_type, &mut reader, &mut counts, depth)?,
                None => reader.skip(wire_type)?,
            }
        }
        Ok(())
    }

    fn field(
        &self,
        field: &Field,
        wire_type: WireType,
        reader: &mut Reader<'_>,
        counts: &mut [u64],
        depth: usize,
    ) -> Result<(), Fault> {
        let before = field.repeated.map_or(0, |position| counts[position]);
        let added = self.value(field, wire_type, reader, depth).map_err(|fault| match field.repeated {
            Some(_) => fault.within(&format!("{}[{before}]", field.name)),
            None => fault.within(&field.name),
        })?;
        if let Some(position) = field.repeated {
            counts[position] += added;
            if self.counted && counts[position] > field.limit {
                return Err(Fault::TooMany { path: field.name.clone(), limit: field.limit });
            }
        }
        Ok(())
    }

    /// Check one value and return how many entries it is: more than one for packed numbers.
    fn value(&self, field: &Field, wire_type: WireType, reader: &mut Reader<'_>, depth: usize) -> Result<u64, Fault> {
        match field.kind {
            Kind::Scalar(scalar) if wire_type == scalar => reader.skip(wire_type).map(|()| 1),
            Kind::Scalar(scalar) if wire_type == WireType::Length && field.repeated.is_some() => {
                packed(reader.delimited()?, scalar)
            }
            _ if wire_type != WireType::Length => Err(Fault::malformed("has the encoding of another type")),
            Kind::Scalar(_) => Err(Fault::malformed("has the encoding of another type")),
            Kind::Bytes => reader.delimited().map(|_| 1),
            Kind::Text => match std::str::from_utf8(reader.delimited()?) {
                Ok(_) => Ok(1),
                Err(_) => Err(Fault::malformed("is not UTF-8")),
            },
            Kind::Message(index) => self.message(index, reader.delimited()?, depth - 1).map(|()| 1),
        }
    }
}

fn packed(data: &[u8], scalar: WireType) -> Result<u64, Fault> {
    let mut reader = Reader::new(data);
    let mut count = 0;
    while !reader.at_end() {
        reader.skip(scalar)?;
        count += 1;
    }
    Ok(count)
}
