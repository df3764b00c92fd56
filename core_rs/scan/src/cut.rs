//! Cutting one field out of a message, without reading what is in it.

use std::ops::Range;

use crate::fault::Fault;
use crate::wire::{Reader, WireType};

/// A message in two: where the values of one field are, and the bytes of all other fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// More than one where the field was given in pieces; protobuf reads them as one after the other.
    pub values: Vec<Range<usize>>,
    pub rest: Vec<u8>,
}

/// Pieces in which a field may be given; protobuf joins them.
const PIECES_MAX: usize = 1_000;

/// Split `data` at a field that holds a message or bytes; `rest_bytes_max` bounds what is beside it.
pub fn split(data: &[u8], number: u32, rest_bytes_max: usize) -> Result<Split, Fault> {
    let mut found = Split::default();
    let mut reader = Reader::new(data);
    while !reader.at_end() {
        let begin = reader.position();
        let (this, wire_type) = reader.key()?;
        if this == number && wire_type == WireType::Length {
            let length = reader.delimited()?.len();
            push_piece(&mut found.values, reader.position() - length..reader.position())?;
            continue;
        }
        reader.skip(wire_type)?;
        let end = reader.position();
        if found.rest.len() + (end - begin) > rest_bytes_max {
            return Err(Fault::RestTooLarge { limit: rest_bytes_max });
        }
        found.rest.extend_from_slice(&data[begin..end]);
    }
    Ok(found)
}

/// Keep where one more piece of a field is; a piece of two bytes would else cost eight times its size.
fn push_piece(pieces: &mut Vec<Range<usize>>, piece: Range<usize>) -> Result<(), Fault> {
    if pieces.len() == PIECES_MAX {
        return Err(Fault::malformed("a field is given in too many pieces"));
    }
    pieces.push(piece);
    Ok(())
}

/// Where the values of a field that holds a message or bytes are; none where it is not set.
pub fn field_bytes(data: &[u8], number: u32) -> Result<Vec<Range<usize>>, Fault> {
    let mut found = Vec::new();
    let mut reader = Reader::new(data);
    while !reader.at_end() {
        let (this, wire_type) = reader.key()?;
        if this == number && wire_type == WireType::Length {
            let length = reader.delimited()?.len();
            push_piece(&mut found, reader.position() - length..reader.position())?;
        } else {
            reader.skip(wire_type)?;
        }
    }
    Ok(found)
}
