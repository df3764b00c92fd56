"""Rules on ids, references and text, E18xx."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from tehai.domain.problem import SCHEMA_VERSION
from tehai.validation.common import is_id, repeated_ids, shown
from tehai.validation.registry import Found, rule
from tehai.validation.texts import is_clean, is_composed, texts_of
from tehai.validation.view import ProblemView, programme_kind_path

_COLLECTIONS = ("accelerators", "sites", "pools", "offers", "members", "workloads", "programmes")
# Subjects of source notes that are not a row of a collection.
_SINGLE_SUBJECTS = frozenset(
    {"problem", "calendar", "market", "rules", "routes", "current_plan", "reference_sustained_flops"}
)


def _ids_of(view: ProblemView, collection: str) -> list[str]:
    return [item.id for item in getattr(view.problem, collection)]


@rule("E1801", "an id has the wrong form", "Use a lower-case letter, then up to 62 of a-z, 0-9 and -.")
def check_e1801_id_malformed(view: ProblemView) -> Iterator[Found]:
    """Every id, and every project, operator, group or flag that is given, follows the pattern."""
    for collection in _COLLECTIONS:
        for i, item_id in enumerate(_ids_of(view, collection)):
            if not is_id(item_id):
                what = f"{shown(item_id)} is not an id" if item_id else "the id is missing"
                yield Found(f"{collection}[{i}].id", what)
    for path, name in _names_of(view):
        if not is_id(name):
            yield Found(path, f"{shown(name)} is not an id")


def _names_of(view: ProblemView) -> Iterator[tuple[str, str]]:
    """Yield (path, name) of what is named like an id and has no list of its own; empty ones may be left out."""
    for i, workload in enumerate(view.problem.workloads):
        if workload.project_id:
            yield f"workloads[{i}].project_id", workload.project_id
    for i, site in enumerate(view.problem.sites):
        if site.operator_id:
            yield f"sites[{i}].operator_id", site.operator_id
    for i, member in enumerate(view.problem.members):
        for k, flag in enumerate(member.flags):
            yield f"members[{i}].flags[{k}]", flag
    for i, programme in enumerate(view.problem.programmes):
        if programme.exclusivity_group:
            yield f"programmes[{i}].exclusivity_group", programme.exclusivity_group
        for k, rate in enumerate(programme.kind.rates):
            if rate.required_member_flag:
                path = f"{programme_kind_path(i, programme)}.rates[{k}].required_member_flag"
                yield path, rate.required_member_flag


@rule("E1802", "an id is used twice in one list", "Give each its own id.")
def check_e1802_id_repeated(view: ProblemView) -> Iterator[Found]:
    """Ids are unique within their list."""
    for collection in _COLLECTIONS:
        for i, item_id, count in repeated_ids(_ids_of(view, collection)):
            if item_id:
                yield Found(f"{collection}[{i}].id", f"{shown(item_id)} is the id of {count} entries of {collection}")


@rule("E1803", "a pool names a site that does not exist", "Name a site of the list.", reads=("sites[].id",))
def check_e1803_pool_site_unknown(view: ProblemView) -> Iterator[Found]:
    """The site of every pool exists."""
    for i, pool in enumerate(view.problem.pools):
        if pool.site_id not in view.sites:
            yield Found(f"pools[{i}].site_id", f"there is no site {shown(pool.site_id)}")


@rule(
    "E1804",
    "a pool names an accelerator that does not exist",
    "Name an accelerator of the list.",
    reads=("accelerators[].id",),
)
def check_e1804_pool_accelerator_unknown(view: ProblemView) -> Iterator[Found]:
    """The accelerator of every pool exists."""
    for i, pool in enumerate(view.problem.pools):
        if pool.accelerator_id not in view.accelerators:
            yield Found(f"pools[{i}].accelerator_id", f"there is no accelerator {shown(pool.accelerator_id)}")


@rule("E1805", "an offer names a pool that does not exist", "Name a pool of the list.", reads=("pools[].id",))
def check_e1805_offer_pool_unknown(view: ProblemView) -> Iterator[Found]:
    """The pool of every offer exists."""
    for i, offer in enumerate(view.problem.offers):
        if offer.pool_id not in view.pools:
            yield Found(f"offers[{i}].pool_id", f"there is no pool {shown(offer.pool_id)}")


@rule("E1806", "a workload names a member that does not exist", "Name a member of the list.", reads=("members[].id",))
def check_e1806_workload_member_unknown(view: ProblemView) -> Iterator[Found]:
    """The member of every workload exists."""
    for i, workload in enumerate(view.problem.workloads):
        if workload.member_id not in view.members:
            yield Found(f"workloads[{i}].member_id", f"there is no member {shown(workload.member_id)}")


@rule("E1807", "a programme names a pool that does not exist", "Name a pool of the list.", reads=("pools[].id",))
def check_e1807_programme_pool_unknown(view: ProblemView) -> Iterator[Found]:
    """The pools a programme is limited to exist."""
    for i, programme in enumerate(view.problem.programmes):
        for k, pool_id in enumerate(programme.kind.eligible_pool_ids):
            if pool_id not in view.pools:
                path = f"{programme_kind_path(i, programme)}.eligible_pool_ids[{k}]"
                yield Found(path, f"there is no pool {shown(pool_id)}")


@rule(
    "E1808",
    "a source note is about something that does not exist",
    'Write "market", "calendar", "rules" or "<list>/<id>", for example "offers/tokyo-on-demand".',
    reads=tuple(f"{collection}[].id" for collection in _COLLECTIONS),
)
def check_e1808_source_note_subject_unknown(view: ProblemView) -> Iterator[Found]:
    """The first two parts of a subject name a row; further parts may name a field of it."""
    rows = {f"{collection}/{item_id}" for collection in _COLLECTIONS for item_id in _ids_of(view, collection)}
    for i, note in enumerate(view.problem.source_notes):
        parts = note.subject.split("/", 2)
        if parts[0] not in _SINGLE_SUBJECTS and "/".join(parts[:2]) not in rows:
            yield Found(f"source_notes[{i}].subject", f"there is nothing called {shown(note.subject)}")


@rule(
    "E1809",
    "a project has the id of a workload of another project",
    "Rename the project, or give that workload its own project id.",
    reads=("workloads[].id",),
)
def check_e1809_project_named_like_workload(view: ProblemView) -> Iterator[Found]:
    """A workload without a project is one by its id, so another project of that name would share its cap."""
    alone = {workload.id for workload in view.problem.workloads if not workload.project_id}
    for i, workload in enumerate(view.problem.workloads):
        if workload.project_id and workload.project_id in alone:
            message = f"{shown(workload.project_id)} is a workload that is a project of its own"
            yield Found(f"workloads[{i}].project_id", message)


@rule("E1810", "text holds control characters", "Remove them; only source notes may have several lines.")
def check_e1810_text_has_control_characters(view: ProblemView) -> Iterator[Found]:
    """Names and tags are one line of printable text; so is each line of a note."""
    for path, text in texts_of(view.problem):
        if not is_clean(text):
            yield Found(path, f"{shown(text)} holds a character that cannot be shown")


@rule("E1811", "text is not in Unicode normal form C", "Save it in composed form (NFC).")
def check_e1811_text_not_composed(view: ProblemView) -> Iterator[Found]:
    """Two texts that look alike are alike."""
    for path, text in texts_of(view.problem):
        if not is_composed(text):
            yield Found(path, f"{shown(text)} has characters in parts that exist as one")


@rule("E1812", "the date of a source note is not a date", "Write YYYY-MM-DD, or leave it empty where not known.")
def check_e1812_source_note_date_malformed(view: ProblemView) -> Iterator[Found]:
    """A figure held on a day, or on a day that is not known."""
    for i, note in enumerate(view.problem.source_notes):
        if note.as_of_date and not _is_date(note.as_of_date):
            yield Found(f"source_notes[{i}].as_of_date", f"{shown(note.as_of_date)} is not a date")


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


@rule("E1813", "the schema version is not the one this Tehai knows", f"Write {SCHEMA_VERSION}.")
def check_e1813_schema_version_unknown(view: ProblemView) -> Iterator[Found]:
    """A problem made by code has the version of this code."""
    if view.problem.schema_version != SCHEMA_VERSION:
        yield Found("schema_version", "the version is another one")
