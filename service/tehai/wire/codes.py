"""Codes of everything that can be wrong with the form of an input, before its meaning is looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FormatCode:
    """What a code means and what to do about it in general; a message names the case at hand."""

    meaning: str
    action: str


# E10xx: bytes and text. E11xx: messages.
FORMAT_CODES: dict[str, FormatCode] = {
    "E1001": FormatCode(
        "the document is larger than the limit", "Split the problem or leave out what it does not need."
    ),
    "E1002": FormatCode("the document is not UTF-8 text", "Save the file as UTF-8."),
    "E1003": FormatCode("the document is not well-formed YAML or JSON", "Correct the syntax at the place named."),
    "E1004": FormatCode("a key is given twice in one mapping", "Keep one of the two."),
    "E1005": FormatCode(
        "a field is not known", "Correct the name, or remove the field; names are those of proto/tehai/v1."
    ),
    "E1006": FormatCode("a value has the wrong type", "Write the kind of value that the message names."),
    "E1007": FormatCode("a value is null", "Give a value, or leave the field out."),
    "E1008": FormatCode("a whole number is expected", "Write the number without a fraction, an exponent or quotes."),
    "E1009": FormatCode("a number does not fit its field", "Write a number within the range that the message names."),
    "E1010": FormatCode("a name is not one of the choices", "Write one of the names that the message lists."),
    "E1011": FormatCode("fields are given that exclude each other", "Keep exactly one of them."),
    "E1012": FormatCode(
        "a number in the text is not finite", "Write a finite number; for no limit leave the field out."
    ),
    "E1013": FormatCode("a YAML tag is used", "Remove the tag; types follow from the field."),
    "E1014": FormatCode("a YAML alias cannot be expanded, or expands beyond the limit", "Write the values out."),
    "E1015": FormatCode("the document is nested too deeply", "Remove levels; no field needs this many."),
    "E1016": FormatCode("a number or truth value stands where text is expected", "Put quotes around it."),
    "E1017": FormatCode("the file does not hold exactly one document", "Keep one document in the file."),
    "E1018": FormatCode("text holds half of a surrogate pair", "Replace the broken escape by the character itself."),
    "E1101": FormatCode("the schema version is missing or below 1", "Write schema_version: 1."),
    "E1102": FormatCode("the schema version is newer than this Tehai reads", "Use a newer Tehai, or write version 1."),
    "E1103": FormatCode("a required message is missing", "Add it."),
    "E1104": FormatCode("text is not a decimal number", 'Write digits with an optional point, for example "3.99".'),
    "E1105": FormatCode("text is not a date", "Write an existing day as YYYY-MM-DD."),
    "E1106": FormatCode("a number is not finite", "Give a finite number; for no limit leave the field unset."),
    "E1107": FormatCode(
        "none of several alternatives is given", "Give exactly one of the fields that the message lists."
    ),
    "E1108": FormatCode("a choice is unspecified or unknown", "Give one of the names that the message lists."),
    "E1109": FormatCode("the currency is not known", 'Write "JPY" or "USD".'),
    "E1110": FormatCode(
        "a message carries a field that is not known", "Remove the field, or use a Tehai that knows it."
    ),
    "E1111": FormatCode("a list is longer than the limit", "Shorten the list."),
    "E1112": FormatCode("mandatory is given as false", "Write mandatory: true, or give cost_not_run_yen instead."),
    "E1113": FormatCode("an option of the solve is out of range", "Give a value within the range, or leave it unset."),
    "E1199": FormatCode("more is wrong than is listed", "Correct what is listed and check again."),
}
