# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests and approvals: canonical JSON that people sign with their own keys, and what they are in words.

The digest of a request is the operation's id everywhere. Order of fields and white space do not change it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical, digest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.record import is_time, read_time
from ansible_collections.egov.ops.plugins.plugin_utils.report.inert import inert

SCHEMA = 1

#: What a signature is for, so that one made over something else, or for something else, is worth nothing here.
REQUEST = "egov.ops.request@1"
APPROVAL = "egov.ops.approval@1"

#: Digits of a request's digest that name it among people, and that an approver has to type.
SHORT = 8

#: Bytes of a request.
SIZE_LIMIT = 1024 * 1024
#: Paths of a request: an approver is shown each of them.
PATHS_LIMIT = 500
_TEXT_LIMIT = 1000

_HEX = re.compile(r"[0-9a-f]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NAME = re.compile(r"\w[\w.-]*")
_UNIT = re.compile(r"[\w@.:\\-]+\.\w+")


class ApprovalError(OpsError):
    """A request or an approval is not what it should be; the text is one sentence."""


@dataclass(frozen=True)
class Request:
    """What somebody asks for: the action, the operation in all its detail, who, why, from when until when."""

    action: str
    operation: Mapping[str, Any]
    requester: str
    reason: str
    made: str
    not_after: str
    nonce: str

    @property
    def body(self) -> str:
        """Return what is signed."""
        return canonical({"schema": SCHEMA, **self.__dict__})

    @property
    def digest(self) -> str:
        """Return the operation's id: 64 hexadecimal digits."""
        return digest(self.body.encode())

    @property
    def host(self) -> str:
        """Return the host that the operation works on, by its name in the inventory."""
        return str(self.operation["host"])


@dataclass(frozen=True)
class Approval:
    """What an approver signs: the digest of the request, who approves, when."""

    request: str
    approver: str
    made: str

    @property
    def body(self) -> str:
        """Return what is signed."""
        return canonical({"schema": SCHEMA, **self.__dict__})


class Action(NamedTuple):
    """An action that can be asked for: what its operation must be, and how it is told."""

    keys: Mapping[str, Callable[[Any], bool]]
    faults: Callable[[Mapping[str, Any]], str]
    words: Callable[[Mapping[str, Any]], list[tuple[str, str]]]
    #: Keys that an operation may lack.
    optional: frozenset[str] = frozenset()


def read_request(data: bytes) -> Request:
    """Return the request in some JSON; raises ApprovalError for anything that is not exactly one."""
    found = _document(data, "request", Request)
    action = found["action"]
    if action not in ACTIONS:
        raise ApprovalError(
            f"The request is for {inert(action)!r}, which is no action; known are {', '.join(ACTIONS)}."
        )
    check_operation(action, found["operation"])
    _time("request", found, "made")
    _time("request", found, "not_after")
    if found["not_after"] <= found["made"]:
        raise ApprovalError("The request ends before it begins: not_after must be later than made.")
    if len(found["nonce"]) != 32 or not _HEX.fullmatch(found["nonce"]):
        raise ApprovalError("The request's nonce must be 32 hexadecimal digits.")
    _name("request", found, "requester")
    if not found["reason"].strip() or len(found["reason"]) > _TEXT_LIMIT:
        raise ApprovalError(f"The request's reason must be a text of 1 to {_TEXT_LIMIT} characters.")
    return Request(**found)


def read_approval(data: bytes) -> Approval:
    """Return the approval in some JSON; raises ApprovalError for anything that is not exactly one."""
    found = _document(data, "approval", Approval)
    _time("approval", found, "made")
    if len(found["request"]) != 64 or not _HEX.fullmatch(found["request"]):
        raise ApprovalError("The approval's request must be the 64 hexadecimal digits of a request's digest.")
    _name("approval", found, "approver")
    return Approval(**found)


def check_operation(action: str, operation: Mapping[str, Any]) -> None:
    """Refuse an operation that lacks a key, has one too many or holds a value that cannot be; raises ApprovalError."""
    keys = ACTIONS[action].keys
    what = f"The operation of {action}"
    for key in [*keys, *operation]:
        if key not in operation and key in ACTIONS[action].optional:
            continue
        if key not in operation:
            raise ApprovalError(f"{what} lacks {key}; take the operation as egov.ops.backup_list gives it.")
        if key not in keys:
            raise ApprovalError(f"{what} has a key {inert(key)!r}, which there is not; known are {', '.join(keys)}.")
        if not keys[key](operation[key]):
            raise ApprovalError(f"{what} has a {key} that cannot be: {inert(repr(operation[key]))[:80]}.")
    fault = ACTIONS[action].faults(operation)
    if fault:
        raise ApprovalError(f"{what} {fault}.")


def words_of(request: Request) -> list[str]:
    """Return a request as lines for the person who is to approve it; nothing in it can move the cursor or hide."""
    told = [
        ("request", request.digest),
        ("asks", f"{request.requester}, at {request.made}: {request.reason}"),
        ("valid", f"until {request.not_after}"),
        ("action", request.action),
        ("host", request.host),
        *ACTIONS[request.action].words(request.operation),
    ]
    return [f"{name:<8} {inert(text)}" for name, text in told]


def _document(data: bytes, kind: str, wanted: type[Request] | type[Approval]) -> dict[str, Any]:
    """Return the fields of a document whose keys and types are those of a class; raises ApprovalError."""
    if len(data) > SIZE_LIMIT:
        raise ApprovalError(f"The {kind} is {len(data)} bytes, more than the {SIZE_LIMIT} allowed.")
    try:
        found = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_refuse_constant)
    except ApprovalError as error:
        raise ApprovalError(f"The {kind} {error}") from None
    except (ValueError, RecursionError):
        raise ApprovalError(f"The {kind} is no JSON text in UTF-8.") from None
    if not isinstance(found, dict):
        raise ApprovalError(f"The {kind} must be a JSON object.")
    known = ["schema", *wanted.__dataclass_fields__]
    for key in [*known, *found]:
        if key not in found:
            raise ApprovalError(f"The {kind} lacks {key}.")
        if key not in known:
            raise ApprovalError(f"The {kind} has a key {inert(key)!r}, which there is not.")
        expected = {"schema": int, "operation": dict}.get(key, str)
        if not isinstance(found[key], expected) or isinstance(found[key], bool):
            raise ApprovalError(f"The {kind}'s {key} must be of type {expected.__name__}.")
    if found["schema"] != SCHEMA:
        raise ApprovalError(
            f"The {kind} has the schema {found['schema']}, and this release of egov.ops knows {SCHEMA}."
        )
    if _has_half_characters(found):
        raise ApprovalError(f"The {kind} holds a name that is no UTF-8; restore the folder that it is in.")
    del found["schema"]
    return found


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ApprovalError(f"has the key {inert(key)!r} twice.")
        found[key] = value
    return found


def _refuse_constant(name: str) -> Any:
    raise ApprovalError(f"holds {name}, which is no number.")


def _has_half_characters(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_half_characters(item) for pair in value.items() for item in pair)
    if isinstance(value, list):
        return any(map(_has_half_characters, value))
    return isinstance(value, str) and bool(_SURROGATE.search(value))


def _time(kind: str, found: Mapping[str, Any], key: str) -> None:
    try:
        if not is_time(found[key]):
            raise ValueError
        read_time(found[key])
    except ValueError:
        raise ApprovalError(f"The {kind}'s {key} must be a time in UTC such as 2026-01-02T03:04:05Z.") from None


def _name(kind: str, found: Mapping[str, Any], key: str) -> None:
    if not _NAME.fullmatch(found[key]) or len(found[key]) > _TEXT_LIMIT:
        raise ApprovalError(f"The {kind}'s {key} must be a name as egov_ops_people has it.")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _TEXT_LIMIT and inert(value) == value


def _is_snapshot(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and bool(_HEX.fullmatch(value))


def _is_path(value: Any) -> bool:
    parts = value.split("/")[1:] if isinstance(value, str) else []
    whole = bool(parts) and value.startswith("/") and "\0" not in value
    return whole and (value == "/" or not {"", ".", ".."} & set(parts))


def _is_amount(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_time(value: Any) -> bool:
    """Tell whether a text is a moment as an engine writes it: with fractions of a second and an offset, or without."""
    try:
        text = re.sub(r"\.\d+", "", value).replace("Z", "+00:00")
        return datetime.fromisoformat(text).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _are_paths(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_path, value)) and value == sorted(set(value))


def _are_units(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(unit, str) and bool(_UNIT.fullmatch(unit)) for unit in value)


def _restore_faults(operation: Mapping[str, Any]) -> str:
    if len(operation["paths"]) > PATHS_LIMIT:
        return f"names {len(operation['paths'])} paths, more than {PATHS_LIMIT}; name the folders that they are in"
    if operation["mode"] == "beside" and not _is_path(operation["destination"]):
        return "needs a destination, an absolute path, because it restores beside what is there"
    if operation["mode"] == "in_place" and operation["destination"]:
        return "has a destination, though it restores in place"
    return ""


def _restore_words(operation: Mapping[str, Any]) -> list[tuple[str, str]]:
    source = f"snapshot {operation['snapshot'][:SHORT]} of {operation['snapshot_time']}"
    told = [("from", f"{source}, set {operation['set']}, repository {operation['repository']}")]
    if operation.get("of"):
        told.insert(0, ("of", f"host {operation['of']}, whose data goes to another host"))
    told += [("what", path) for path in operation["paths"]] or [("what", "the whole set")]
    size = f"{operation['files']} files, {_amount(operation['bytes'])}, about {operation['seconds']:g} s"
    told.append(("size", size))
    if operation["mode"] == "beside":
        told.append(("where", f"beside, into {operation['destination']}, which must not exist; nothing is replaced"))
    else:
        replaced = "what is there now is replaced, and kept aside until restore_accept or restore_undo"
        told.append(("where", f"back into its place; {replaced}"))
    units = ", ".join(operation["stop"])
    told.append(("stops", f"{units}; started again afterwards" if units else "nothing"))
    return told


def _amount(size: int) -> str:
    value, unit = float(size), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.4g} {unit}"


#: The actions that can be asked for, by name.
ACTIONS: Mapping[str, Action] = {
    "restore": Action(
        keys={
            "host": _is_text,
            "set": _is_text,
            "repository": _is_text,
            "snapshot": _is_snapshot,
            "snapshot_time": _is_time,
            "paths": _are_paths,
            "mode": lambda value: value in ("beside", "in_place"),
            "destination": lambda value: value == "" or _is_path(value),
            "files": _is_amount,
            "bytes": _is_amount,
            "stop": _are_units,
            "seconds": lambda value: type(value) in (int, float) and 0 <= value < float("inf"),
            "of": _is_text,
            "original": _is_snapshot,
        },
        faults=_restore_faults,
        words=_restore_words,
        optional=frozenset({"of", "original"}),
    ),
}
