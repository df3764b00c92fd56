"""The only place where protobuf meets the domain: one pair of functions for each noun, and their text form."""

from tehai.wire.canonical import problem_sha256
from tehai.wire.certificate import DecodedCertificate, certificate_from_proto, certificate_to_proto
from tehai.wire.difference import plan_difference_from_proto, plan_difference_to_proto
from tehai.wire.emit import to_json, to_yaml
from tehai.wire.evaluation import (
    SCENARIO_CODES,
    DecodedChange,
    change_from_proto,
    change_to_proto,
    evaluation_from_proto,
    evaluation_to_proto,
    message_from_bytes,
    scenario_violation,
    violations_within,
)
from tehai.wire.options import DecodedOptions, options_from_proto, options_to_proto
from tehai.wire.plan import DecodedPlan, plan_from_proto, plan_to_proto
from tehai.wire.problem import DecodedProblem, ProblemDraft, draft_problem, problem_from_proto, problem_to_proto
from tehai.wire.result import (
    DecodedResult,
    progress_from_proto,
    progress_to_proto,
    result_from_proto,
    result_to_proto,
)
from tehai.wire.taint import TaintedPaths
from tehai.wire.text import ParsedText, TextDraft, parse_text, read_text
from tehai.wire.violation import violation_from_proto, violation_to_proto

# Another name for the same step, for callers that think of bytes first.
decode_problem = problem_from_proto

__all__ = [
    "SCENARIO_CODES",
    "DecodedCertificate",
    "DecodedChange",
    "DecodedOptions",
    "DecodedPlan",
    "DecodedProblem",
    "DecodedResult",
    "ParsedText",
    "ProblemDraft",
    "TaintedPaths",
    "TextDraft",
    "certificate_from_proto",
    "certificate_to_proto",
    "change_from_proto",
    "change_to_proto",
    "decode_problem",
    "draft_problem",
    "evaluation_from_proto",
    "evaluation_to_proto",
    "message_from_bytes",
    "options_from_proto",
    "options_to_proto",
    "parse_text",
    "plan_difference_from_proto",
    "plan_difference_to_proto",
    "plan_from_proto",
    "plan_to_proto",
    "problem_from_proto",
    "problem_sha256",
    "problem_to_proto",
    "progress_from_proto",
    "progress_to_proto",
    "read_text",
    "result_from_proto",
    "result_to_proto",
    "scenario_violation",
    "to_json",
    "to_yaml",
    "violation_from_proto",
    "violation_to_proto",
    "violations_within",
]
