//! Which fields the messages of a request have, to find those that a decoder passes over.
//!
//! `tests/quote/test_messages.py` compares the numbers with the descriptors.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// The fields of a message: their numbers, and for each that is a message in turn its own.
pub(crate) struct Known {
    /// Fields 1 to this number are all in use.
    last: u32,
    messages: &'static [(u32, &'static Known)],
}

const fn flat(last: u32) -> Known {
    Known { last, messages: &[] }
}

static GANG_OPTION: Known = flat(2);
static SOVEREIGNTY_RULE: Known = flat(2);
static PORTING: Known = flat(2);
static PAUSING: Known = flat(2);
static WORKLOAD: Known =
    Known { last: 21, messages: &[(9, &GANG_OPTION), (12, &SOVEREIGNTY_RULE), (20, &PORTING), (21, &PAUSING)] };
pub(crate) static QUOTE_WORKLOADS_REQUEST: Known = Known { last: 3, messages: &[(2, &WORKLOAD)] };
pub(crate) static STREAM_QUOTES_REQUEST: Known = Known { last: 3, messages: &[(2, &WORKLOAD)] };

impl Known {
    /// Whether `data`, which was decoded without an error, has known fields only, at every depth.
    pub fn covers(&self, mut data: &[u8]) -> bool {
        while !data.is_empty() {
            let Ok((number, wire_type)) = decode_key(&mut data) else { return false };
            if number > self.last {
                return false;
            }
            let inner = self.messages.iter().find(|(of, _)| *of == number);
            let Some((_, known)) = inner.filter(|_| wire_type == WireType::LengthDelimited) else {
                if skip_field(wire_type, number, &mut data, DecodeContext::default()).is_err() {
                    return false;
                }
                continue;
            };
            let Ok(length) = decode_varint(&mut data) else { return false };
            let Some((part, rest)) = usize::try_from(length).ok().and_then(|length| data.split_at_checked(length))
            else {
                return false;
            };
            if !known.covers(part) {
                return false;
            }
            data = rest;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_not_known_is_found_at_every_depth() {
        // Field 2 (workloads) with field 9 (gang_options) with field 1 = 5, then with field 3 = 5.
        assert!(QUOTE_WORKLOADS_REQUEST.covers(&[0x12, 4, 0x4a, 2, 0x08, 5]));
        assert!(!QUOTE_WORKLOADS_REQUEST.covers(&[0x12, 4, 0x4a, 2, 0x18, 5]));
        assert!(!QUOTE_WORKLOADS_REQUEST.covers(&[0x20, 5]));
        assert!(QUOTE_WORKLOADS_REQUEST.covers(&[]));
    }

    #[test]
    fn a_length_beyond_the_end_is_no_panic() {
        assert!(!QUOTE_WORKLOADS_REQUEST.covers(&[0x12, 0xff, 0xff, 0xff, 0xff, 0x0f]));
    }
}
