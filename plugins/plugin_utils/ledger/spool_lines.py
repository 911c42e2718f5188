# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of a spool, parsed and not trusted: a record of the spool's run, a header of it, or neither and why."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, cast, final

from ansible_collections.egov.ops.plugins.module_utils.host.record import REASONS, STATUSES
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import Identity
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import (
    CLAUSES_LIMIT,
    CONTROLLER,
    EARLIEST,
    FIELDS,
    SCHEMA,
    TEXT_LIMIT,
    flaw_of_record,
    is_time,
)
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.storable import flaw_of, is_usual, shown

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Record

#: Bytes of a line: a record's detail has 16 KiB, a header names each host of the run.
RECORD_LIMIT = 128 * 1024
HEADER_LIMIT = 16 * 1024 * 1024

_PIECE = 256 * 1024

#: How each line begins that we write. One that begins so and is cut off is what a writer's death leaves.
_BEGINNINGS = (b'{"attempt":', b'{"header":')

_REASONS = frozenset(("", *REASONS))
_NAME = rf'"[^"\\]{{1,{TEXT_LIMIT}}}"'
_HEAD = re.compile(
    rf'\{{"attempt":[1-9][0-9]{{0,4}},"clauses":\[(?:{_NAME}(?:,{_NAME}){{0,{CLAUSES_LIMIT - 1}}})?\],"detail":\{{'
)
_TAIL = re.compile(
    rf',"domain":{_NAME},"finished":{_NAME},"host":{_NAME},"id":"[0-9A-Za-z._-]{{1,64}}","kind":{_NAME}'
    rf',"procedure":{_NAME},"reason":"[a-z_]*","run":{_NAME},"schema":{SCHEMA},"started":{_NAME}'
    rf',"status":"(?:{"|".join(STATUSES)})","subject":{_NAME},"via":{_NAME}\}}'
)


class Step(TypedDict):
    """A module call that a run announced for each of its hosts."""

    module: str
    domain: str
    clauses: list[str]
    built: bool  # whether this version of the collection has the module


class Header(TypedDict, total=False):
    """What a spool says of its run. The spool itself fills schema, run and process."""

    schema: int
    run: str
    process: Mapping[str, Any]  # the fields of Identity. Any: texts and numbers
    procedure: str
    begun: str  # when run_begin announced the run; "" for a module used alone, or called after the seal
    hosts: list[str]
    steps: list[Step]
    not_ours: list[str]
    batch: list[str]  # under `serial`, those of them whose turn it is; later Ansible names only the ones still alive
    longest: float  # seconds after which a silent run of another boot or namespace is taken for dead
    tags: list[str]  # the domains that --tags and --skip-tags have left, where these narrow the run
    limit: str
    user: str
    observes: bool  # whether a failed host is a record here, and no failed task
    waiting: bool  # whether the run is sealed so far, and the rest of its hosts have not had their turn yet
    busy: bool  # whether another run of the procedure was in the way, so that this one does nothing
    others: list[str]  # those runs


@final
class HeaderLine(TypedDict):
    """A line of a spool that says something of its run."""

    header: Header


class BadLine(NamedTuple):
    """A line that is neither a record nor a header of its spool: its bytes without the line's end, and why."""

    content: bytes
    cause: str


class LineError(ValueError):
    """Why a line is no record and no header, in half a sentence."""


def parse(line: bytes, run: str) -> tuple[Record | HeaderLine, str]:
    """Return what stands in a line of a run's spool, `{"header": ...}` or a record, and its text; raises LineError."""
    if len(line) > RECORD_LIMIT and (len(line) > HEADER_LIMIT or not line.startswith(_BEGINNINGS[1])):
        raise LineError(f"it has {len(line)} bytes, but {RECORD_LIMIT} are allowed")
    try:
        text = line.decode("utf-8")
        item, end = _scan(text)
    except UnicodeDecodeError:
        raise LineError("it is not UTF-8") from None
    except json.JSONDecodeError:
        raise LineError("it is not JSON") from None
    except LineError:
        raise
    except (ValueError, RecursionError):  # an integer of some thousand digits; nested deeper than Python reads
        raise LineError("it holds a number that is too long, or is nested too deep") from None
    if not isinstance(item, dict) or end != len(text):
        raise LineError("it is JSON, but not one mapping alone")
    flaw = _flaw_of_header(item, run) if "header" in item else _flaw_of_record_line(item, text, run)
    if flaw:
        raise LineError(flaw)
    return cast("Record | HeaderLine", item), text


def flaw_of_line(line: bytes, run: str) -> str:
    """Return why a line of a run's spool is no record and no header of it; "" for one that is."""
    try:
        parse(line, run)
    except LineError as error:
        return str(error)
    return ""


def header_of_begin(begin: Record) -> Header:
    """Return what the begin record of a run says of what its header announced; of a detail that is odd only the run."""
    detail = begin["detail"]
    steps = detail.get("steps")
    whole: dict[str, object] = {
        "begun": begin["started"],
        "procedure": begin["procedure"],
        "hosts": detail.get("hosts"),
        "not_ours": detail.get("not_ours"),
        "steps": [{"clauses": [], **step} for step in steps if isinstance(step, dict)]
        if isinstance(steps, list)
        else None,
    }
    header: Header = {"hosts": [], "not_ours": [], "steps": []}
    header.update({name: value for name, value in whole.items() if _SHAPES[name](value)})  # type: ignore[typeddict-item]
    return header


def is_torn(line: bytes) -> bool:
    """Tell whether a last line without its end is what a writer's death leaves of a line of ours."""
    return line.startswith(_BEGINNINGS) or any(begin.startswith(line) for begin in _BEGINNINGS)


def merged(items: Iterable[HeaderLine]) -> Header:
    """Return the header that several header lines make: what a later one says replaces what an earlier one said."""
    header: Header = {}
    for item in items:
        header.update(item["header"])
    return header


def lines_holding(descriptor: int, needle: bytes, begin: int, end: int) -> Iterator[bytes]:
    """Yield the lines between two places of a file in which some bytes stand, without their ends.

    One that is longer than any of ours is left out: it would be gone through again for each piece.
    """
    rest, is_inside = b"", False
    # In pieces: a worker shares its memory with ansible, and what it adds to that is dear.
    while begin < end and (piece := os.pread(descriptor, min(_PIECE, end - begin), begin)):
        begin += len(piece)
        if is_inside:
            _line, line_end, piece = piece.partition(b"\n")
            is_inside = not line_end
            begin = begin if line_end else data_after(descriptor, begin)
        text = rest + piece
        whole = text.rfind(b"\n") + 1
        yield from _lines_with(needle, text[:whole])
        rest = text[whole:]
        if len(rest) > HEADER_LIMIT:
            rest, is_inside = b"", True
    yield from _lines_with(needle, rest)


def data_after(descriptor: int, place: int) -> int:
    """Return the next place of a file, from a given one on, that lies in no hole; the file's size if there is none."""
    try:
        return os.lseek(descriptor, place, os.SEEK_DATA)
    except OSError:  # a hole up to the end
        return max(place, os.fstat(descriptor).st_size)


def _lines_with(needle: bytes, text: bytes) -> Iterator[bytes]:
    place = text.find(needle)
    while place >= 0:
        end = text.find(b"\n", place)
        end = len(text) if end < 0 else end
        yield text[text.rfind(b"\n", 0, place) + 1 : end]
        place = text.find(needle, end)


def _refuse(name: str) -> float:
    raise LineError(f"it holds {name}, but only finite numbers are allowed")


# Made once: json.loads would make a decoder for each of thousands of lines.
_scan = json.JSONDecoder(parse_constant=_refuse).raw_decode


def _flaw_of_record_line(item: Mapping[str, Any], text: str, run: str) -> str:
    flaw = ""
    if not _is_plain(item, text):
        flaw = flaw_of_record(item)
        # Of a key that stands twice SQLite takes the first and Python the last, and half characters have escapes: both
        # are found by writing the record anew.
        if not flaw and canonical(item) != text:
            flaw = "it is not written as egov.ops writes it"
    if not flaw and item["run"] != run:
        flaw = f"it is a record of the run {shown(item['run'])}"
    if not flaw and item["domain"] == "run":
        flaw = _flaw_of_frame(item)
    return flaw


def _flaw_of_frame(item: Mapping[str, Any]) -> str:
    """Return why a record of the run itself is none that a run writes into its spool; "" for one that is."""
    # Each later run reads these; and others, as checkpoints, are made by the ledger's own actions alone.
    shapes = _FRAME.get(item["kind"])
    if shapes is None or item["host"] != CONTROLLER:
        return f"no run writes the kind {shown(item['kind'])} of {shown(item['host'])} in the domain run"
    for name, value in item["detail"].items():
        if name in shapes and not shapes[name](value):
            return f"detail.{name} is {shown(value)}"
    return ""


def _is_plain(item: Mapping[str, Any], text: str) -> bool:
    """Tell whether a record is as nearly all are, mostly by its text: that costs a third of looking at each part."""
    if len(item) != len(FIELDS):  # which fields these are stands in head and tail
        return False
    head, place = _HEAD.match(text), text.rfind('},"domain":"') + 1
    if not head or place < head.end() or not _TAIL.fullmatch(text, place):
        return False
    is_known = item["reason"] in _REASONS and is_time(item["started"]) and is_time(item["finished"])
    # Written anew and compared: what SQLite would read otherwise, and verification would call malformed for ever.
    return is_known and is_usual(item["detail"]) and text[head.end() - 1 : place] == canonical(item["detail"])


def _flaw_of_header(item: Mapping[str, Any], run: str) -> str:
    header = item["header"]
    if len(item) != 1 or not isinstance(header, dict):
        return "its header is no mapping, or it is a header and more"
    for name, value in header.items():
        if name in _SHAPES and not _SHAPES[name](value):
            return f"its header's {name} is {shown(value)}"
    if header.get("run", run) != run:
        return f"it is the header of the run {shown(header['run'])}"
    return flaw_of(header, "its header")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e12


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_process(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != Identity.__dataclass_fields__.keys():
        return False
    texts = all(isinstance(value[name], str) for name in ("boot", "namespace", "machine"))
    return texts and _is_count(value["started"]) and _is_count(value["pid"]) and 0 < value["pid"] < 2**31


def _are_steps(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(step, dict)
        and isinstance(step.get("module"), str)
        and isinstance(step.get("domain"), str)
        and bool(step["module"] and step["domain"])
        and _are_texts(step.get("clauses"))
        and isinstance(step.get("built", True), bool)
        for step in value
    )


#: What each part of a header must be; a part that is not named here, as of a later release, is left alone.
_SHAPES: Mapping[str, Callable[[Any], bool]] = {
    "schema": _is_count,
    "run": _is_text,
    "process": _is_process,
    "procedure": lambda value: isinstance(value, str) and bool(value),
    "begun": lambda value: value == "" or (is_time(value) and value >= EARLIEST),
    "hosts": _are_texts,
    "steps": _are_steps,
    "not_ours": _are_texts,
    "batch": _are_texts,
    "longest": _is_number,
    "tags": _are_texts,
    "limit": _is_text,
    "user": _is_text,
    "observes": _is_bool,
    "waiting": _is_bool,
    "busy": _is_bool,
    "others": _are_texts,
}


def _are_counts(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_count(count) for count in value.values())


def _are_announced(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(step, dict) and _is_text(step.get("module")) and _is_text(step.get("domain")) for step in value
    )


#: What each part of the detail of a run's own records must be where it is there; a long detail has lost some.
_FRAME: Mapping[str, Mapping[str, Callable[[Any], bool]]] = {
    "begin": {
        **dict.fromkeys(("hosts", "not_ours", "inventory", "tags"), _are_texts),
        **dict.fromkeys(("limit", "user", "ansible", "message"), _is_text),
        "steps": _are_announced,
    },
    "seal": {
        **dict.fromkeys(("hosts", "bad", "filled", "records"), _is_count),
        "statuses": _are_counts,
        "not_built": _are_texts,
        "message": _is_text,
    },
}
