# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests and approvals: canonical JSON that people sign with their own keys, and what they are in words.

The digest of a request is the operation's id everywhere. Order of fields and white space do not change it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, inert
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import canonical, digest, is_time, read_time
from ansible_collections.egov.ops.plugins.plugin_utils.operations import registry

SCHEMA = 1

#: What a signature is for, so that one made over something else, or for something else, is worth nothing here.
REQUEST = "egov.ops.request@1"
APPROVAL = "egov.ops.approval@1"

#: Digits of a request's digest that name it among people, and that an approver has to type.
SHORT = 8

#: Bytes of a request.
SIZE_LIMIT = 1024 * 1024
_TEXT_LIMIT = 1000

_HEX = re.compile(r"[0-9a-f]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NAME = re.compile(r"\w[\w.-]*")

_WORDS = {
    "en": {
        "request": "request",
        "asks": "asks",
        "asked": "{requester}, at {made}: {reason}",
        "valid": "valid",
        "until": "until {end}",
        "action": "action",
        "host": "host",
    },
    "zh": {
        "request": "申请",
        "asks": "申请人",
        "asked": "{requester}，{made}：{reason}",
        "valid": "有效期",
        "until": "至 {end}",
        "action": "操作",
        "host": "主机",
    },
}


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
        """Return the host that the operation works on, the first of several, by its name in the inventory."""
        return self.hosts[0]

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the hosts that the operation works on, by their names in the inventory."""
        several = self.operation.get("hosts")
        return tuple(map(str, several)) if several else (str(self.operation["host"]),)


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


def read_request(data: bytes) -> Request:
    """Return the request in some JSON; raises ApprovalError for anything that is not exactly one."""
    found = _document(data, "request", Request)
    action = found["action"]
    if action not in registry.requestable():
        known = ", ".join(registry.requestable())
        raise ApprovalError(f"The request is for {inert(action)!r}, which is no action; known are {known}.")
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
    fault = registry.operation_fault(action, operation)
    if fault:
        raise ApprovalError(fault)


def words_of(request: Request, language: str = "en") -> list[str]:
    """Return a request as lines for the person who is to approve it; nothing in it can move the cursor or hide."""
    words = _WORDS[language]
    named = {"requester": request.requester, "made": request.made, "reason": request.reason, "end": request.not_after}
    lines = [
        (words["request"], request.digest),
        (words["asks"], words["asked"].format_map(named)),
        (words["valid"], words["until"].format_map(named)),
        (words["action"], request.action),
        *((words["host"], host) for host in request.hosts),
        *registry.find(request.action).lines(request.operation, language),
    ]
    return [f"{name:<8} {inert(text)}" for name, text in lines]


# Any: the loop below checks the type of each field.
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


def _once(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ApprovalError(f"has the key {inert(key)!r} twice.")
        found[key] = value
    return found


def _refuse_constant(name: str) -> Any:
    raise ApprovalError(f"holds {name}, which is no number.")


def _has_half_characters(value: Any) -> bool:
    waiting = [value]  # no recursion: a document may be nested as deep as JSON's reader bears
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str) and _SURROGATE.search(item):
            return True
    return False


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
