//! The encoding itself: varints, keys and lengths, each within the bytes that there are.

use crate::fault::Fault;

const FIELD_NUMBER_MAX: u64 = (1 << 29) - 1;

/// How a value is encoded; groups are not used by any schema of ours and are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireType {
    Varint,
    Fixed64,
    Length,
    Fixed32,
}

/// A position in bytes.
pub struct Reader<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// At the first of `data`.
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0 }
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Whether nothing is left.
    pub fn at_end(&self) -> bool {
        self.position == self.data.len()
    }

    /// Read a number of at most 64 bits.
    pub fn varint(&mut self) -> Result<u64, Fault> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = *self.data.get(self.position).ok_or(Fault::malformed("ends within a number"))?;
            self.position += 1;
            if shift == 63 && byte > 1 {
                return Err(Fault::malformed("a number has more than 64 bits"));
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Fault::malformed("a number has more than 64 bits"))
    }

    /// Read number and encoding of the next field.
    pub fn key(&mut self) -> Result<(u32, WireType), Fault> {
        let key = self.varint()?;
        let number = key >> 3;
        if number == 0 || number > FIELD_NUMBER_MAX {
            return Err(Fault::malformed("a field has an impossible number"));
        }
        let wire_type = match key & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Length,
            5 => WireType::Fixed32,
            _ => return Err(Fault::malformed("a field has an encoding that is not used")),
        };
        Ok((number as u32, wire_type))
    }

    /// Read a length and the bytes that it counts.
    pub fn delimited(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.varint()?;
        let length = usize::try_from(length).map_err(|_| Fault::malformed("is longer than the message"))?;
        self.take(length)
    }

    /// Read a value of any encoding.
    pub fn skip(&mut self, wire_type: WireType) -> Result<(), Fault> {
        match wire_type {
            WireType::Varint => self.varint().map(|_| ()),
            WireType::Fixed64 => self.take(8).map(|_| ()),
            WireType::Length => self.delimited().map(|_| ()),
            WireType::Fixed32 => self.take(4).map(|_| ()),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let rest = &self.data[self.position..];
        if length > rest.len() {
            return Err(Fault::malformed("is longer than the message"));
        }
        self.position += length;
        Ok(&rest[..length])
    }
}
