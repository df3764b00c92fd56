//! Well-formed messages pass, everything else is refused by path, and no bytes make it panic.

use std::collections::HashMap;

use proptest::prelude::*;
use prost::Message;
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};
use tehai_scan::{Fault, Schema, check, field_bytes, split};

/// A schema with a text, a list of messages, packed numbers and a fixed number.
fn schema(limits: &[(&str, u64)]) -> Schema {
    let field = |name: &str, number, kind, repeated, type_name: Option<&str>| FieldDescriptorProto {
        name: Some(name.into()),
        number: Some(number),
        r#type: Some(kind),
        label: Some(if repeated { 3 } else { 1 }),
        type_name: type_name.map(Into::into),
        ..Default::default()
    };
    let (text, message, number, fixed) = (9, 11, 3, 1);
    let inner = DescriptorProto {
        name: Some("Inner".into()),
        field: vec![field("ids", 1, text, true, None), field("inner", 2, message, false, Some(".p.Inner"))],
        ..Default::default()
    };
    let outer = DescriptorProto {
        name: Some("Outer".into()),
        field: vec![
            field("name", 1, text, false, None),
            field("parts", 2, message, true, Some(".p.Inner")),
            field("numbers", 3, number, true, None),
            field("share", 4, fixed, false, None),
        ],
        ..Default::default()
    };
    let file =
        FileDescriptorProto { package: Some("p".into()), message_type: vec![inner, outer], ..Default::default() };
    let limits: HashMap<String, u64> = limits.iter().map(|(name, most)| ((*name).into(), *most)).collect();
    Schema::new(&FileDescriptorSet { file: vec![file] }.encode_to_vec(), &limits).unwrap()
}

fn check_outer(schema: &Schema, data: &[u8]) -> Result<(), Fault> {
    check(schema, schema.message("p.Outer").unwrap(), data, true)
}

#[test]
fn every_encoding_of_a_good_message_passes() {
    let schema = schema(&[]);
    // name "a"; two parts, one with an id; packed 1, 300; unpacked 7; share; an unknown field 9.
    let data = [
        &b"\x0a\x01a\x12\x00\x12\x03\x0a\x01x"[..],
        &b"\x1a\x03\x01\xac\x02\x18\x07"[..],
        &b"\x21\0\0\0\0\0\0\0\0\x4a\x01?"[..],
    ]
    .concat();
    assert_eq!(check_outer(&schema, &data), Ok(()));
    assert_eq!(check_outer(&schema, b""), Ok(()));
}

#[test]
fn a_fault_is_named_by_its_path() {
    let schema = schema(&[]);
    let path_of = |data: &[u8]| check_outer(&schema, data).unwrap_err().path().to_owned();
    assert_eq!(path_of(b"\x0a\x01\xff"), "name");
    assert_eq!(path_of(b"\x12\x00\x12\x03\x0a\x01\xff"), "parts[1].ids[0]");
    assert_eq!(path_of(b"\x0a\x05a"), "name");
    assert_eq!(path_of(b"\x08\x01"), "name");
    assert_eq!(path_of(b"\x1a\x01\x80"), "numbers[0]");
    assert_eq!(path_of(b"\x0b"), "");
    assert_eq!(path_of(b"\x00\x00"), "");
    assert_eq!(path_of(b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), "");
}

#[test]
fn lists_are_held_against_their_limits_where_they_are_counted() {
    let schema = schema(&[("p.Outer.parts", 2), ("p.Inner.ids", 1), ("p.Outer.numbers", 3)]);
    assert_eq!(check_outer(&schema, b"\x12\x00\x12\x00"), Ok(()));
    let three = check_outer(&schema, b"\x12\x00\x12\x00\x12\x00").unwrap_err();
    assert_eq!(three, Fault::TooMany { path: "parts".into(), limit: 2 });
    let ids = check_outer(&schema, b"\x12\x00\x12\x06\x0a\x01x\x0a\x01y").unwrap_err();
    assert_eq!(ids, Fault::TooMany { path: "parts[1].ids".into(), limit: 1 });
    let packed = check_outer(&schema, b"\x1a\x04\x01\x02\x03\x04").unwrap_err();
    assert_eq!(packed, Fault::TooMany { path: "numbers".into(), limit: 3 });
    let index = schema.message("p.Outer").unwrap();
    assert_eq!(check(&schema, index, b"\x12\x00\x12\x00\x12\x00", false), Ok(()));
}

#[test]
fn a_limit_on_a_list_that_is_not_there_is_refused() {
    let limits = HashMap::from([("p.Outer.nothing".to_owned(), 1)]);
    assert!(Schema::new(&[], &limits).is_err());
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let schema = schema(&[]);
    let mut data = Vec::new();
    for _ in 0..200 {
        let mut outer = vec![0x12];
        prost::encode_length_delimiter(data.len(), &mut outer).unwrap();
        outer.append(&mut data);
        data = outer;
    }
    let fault = check_outer(&schema, &data).unwrap_err();
    assert!(fault.to_string().contains("too deeply"));
}

#[test]
fn a_message_splits_into_a_field_and_the_rest() {
    let data = b"\x0a\x01a\x12\x02bc\x18\x07\x12\x01d";
    let parts = split(data, 2, 100).unwrap();
    let values: Vec<&[u8]> = parts.values.iter().map(|range| &data[range.clone()]).collect();
    assert_eq!(values, [&b"bc"[..], &b"d"[..]]);
    assert_eq!(parts.rest, b"\x0a\x01a\x18\x07");
    assert_eq!(split(data, 2, 4), Err(Fault::RestTooLarge { limit: 4 }));
    assert_eq!(field_bytes(data, 2).unwrap(), parts.values);
    assert!(field_bytes(data, 9).unwrap().is_empty());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(data in proptest::collection::vec(any::<u8>(), 0..200), number in 1_u32..20) {
        let schema = schema(&[("p.Outer.parts", 2)]);
        let _ = check_outer(&schema, &data);
        if let Ok(parts) = split(&data, number, usize::MAX) {
            let values: usize = parts.values.iter().map(|range| range.len()).sum();
            prop_assert!(values + parts.rest.len() <= data.len());
        }
    }
}
