# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of the plan: what a value of each may be, and how it is stored."""

from __future__ import annotations

import base64
import math
import re
import zoneinfo
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import yaml
from ansible_collections.egov.ops.plugins.module_utils.host.public import public_text
from ansible_collections.egov.ops.plugins.plugin_utils.plan.step_options import allowed_in_words, are_allowed

TRUE = {"true", "yes", "on", "y", "t", "1"}
FALSE = {"false", "no", "off", "n", "f", "0"}
LANGUAGES = ("en", "zh")
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

#: Bits that a person's RSA key has at least.
RSA_BITS = 3072

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw]?)")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s+(\S+)")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[ T]((?:[01]\d|2[0-3]):[0-5]\d)\s+(\S+)", re.ASCII)
_NUMBER = r"-?\d+(?:\.\d+)?"
_THRESHOLD = re.compile(rf"@?(?:(~|{_NUMBER})?:)?({_NUMBER})|@?({_NUMBER}|~):")
_BACKEND = re.compile(r"[a-z][a-z0-9]*:.+")
_PLAIN = {type(None), bool, str, int, float}


class Refused(Exception):
    """A value is none of its type; the text says what is allowed and completes "must be ..."."""


class Opaque:
    """A value that is encrypted and stays so: it is taken for right, is never shown, and equals its own ciphertext."""

    def __init__(self, ciphertext: str) -> None:
        self.ciphertext = ciphertext

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opaque) and self.ciphertext == other.ciphertext

    def __hash__(self) -> int:
        return hash(self.ciphertext)

    def __repr__(self) -> str:
        return "encrypted"


def plain(value: Any) -> Any:
    """Return a deep copy of a value in Python's own types: what Ansible hands out may be a lazy or tagged subclass."""
    kind = value.__class__
    if kind in _PLAIN or isinstance(value, Opaque):
        return value
    if kind is dict:  # nearly all that is no scalar, and quicker told than a mapping
        return {str(key): inner if inner.__class__ in _PLAIN else plain(inner) for key, inner in value.items()}
    if kind is list:
        return [plain(inner) for inner in value]
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return str(value)


def shown(value: Any, secret: bool = False) -> str:
    """Return a value for a message: quoted, at most 60 characters, without a secret or an address's credentials."""
    if secret:
        return "not shown"
    if isinstance(value, dict):
        return "a dictionary"
    if isinstance(value, list):
        return "a list"
    text = without_credentials(repr(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def without_credentials(text: str) -> str:
    """Return a text in which each address is without user, password and values of its query."""
    return public_text(text)


def text(value: Any) -> str:
    """Return a string; a number is taken as written. Raises Refused."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Refused("a string")
    return str(value)


def integer(value: Any) -> int:
    """Return an integer, also from its digits as text. Raises Refused."""
    try:
        if isinstance(value, bool) or int(value) != float(value):
            raise Refused("a whole number")
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise Refused("a whole number") from None


def number(value: Any) -> float:
    """Return a finite number, also from its digits as text. Raises Refused."""
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise Refused("a number")
    return found


def boolean(value: Any) -> bool:
    """Return a boolean, also from the words that Ansible takes for one. Raises Refused."""
    word = str(value).lower()
    if not isinstance(value, (bool, str, int)) or word not in TRUE | FALSE:
        raise Refused("true or false")
    return word in TRUE


def path(value: Any) -> str:
    """Return an absolute path without a trailing slash. Raises Refused."""
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
        raise Refused("an absolute path")
    return value.rstrip("/") or "/"


def location(value: Any) -> str:
    """Return the place of a repository: a path or `backend:place`. Raises Refused."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise Refused("a path on the host or backend:place")
    if not _BACKEND.fullmatch(value) and ".." in value.split("/"):
        raise Refused('a path without ".."')
    return value


def duration(value: Any) -> float:
    """Return seconds, from a number or from a text such as 90s, 15m, 2h, 1d. Raises Refused."""
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        seconds = number(found[1]) * SECONDS[found[2]] if found else number(value)
    except Refused:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise Refused("a duration in seconds, or such as 90s, 15m, 2h, 1d")
    return seconds


def timezone(value: Any) -> str:
    """Return the name of a time zone that the controller knows. Raises Refused."""
    try:
        if not isinstance(value, str):
            raise ValueError
        zoneinfo.ZoneInfo(value)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        if not zoneinfo.available_timezones():
            raise Refused("a time zone, but this controller has none: install tzdata") from None
        raise Refused("a time zone such as Asia/Shanghai or UTC") from None
    return value


def time(value: Any) -> str:
    """Return a time of day with its zone, as `HH:MM Zone`. Raises Refused."""
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise Refused("a time of day with its zone, such as 02:30 Asia/Shanghai")
    return f"{int(found[1]):02}:{found[2]} {timezone(found[3])}"


def moment(value: Any) -> str:
    """Return a day and a time of day with its zone, as `YYYY-MM-DD HH:MM Zone`. Raises Refused."""
    found = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        if not found:
            raise ValueError
        datetime.fromisoformat(found[1])
    except ValueError:
        raise Refused("a moment with its zone, such as 2026-12-31 18:00 Asia/Shanghai") from None
    return f"{found[1]} {found[2]} {timezone(found[3])}"


def read_moment(value: str) -> datetime:
    """Return the time that a moment of the plan stands for."""
    day, clock, zone = value.split(" ")
    return datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=zoneinfo.ZoneInfo(zone))


def public_key(value: Any) -> str:
    """Return a public SSH key, without its comment. Raises Refused."""
    words = value.split() if isinstance(value, str) else []
    try:
        blob = base64.b64decode(words[1], validate=True)
        if "\n" in value.strip() or blob[4 : 4 + int.from_bytes(blob[:4], "big")].decode() != words[0]:
            raise ValueError
    except (IndexError, ValueError):
        raise Refused("a public SSH key, such as the line of a .pub file") from None
    return f"{words[0]} {words[1]}"


def weakness_of(key: str) -> str:
    """Return what is weak about a public SSH key as `public_key` returns it, "" for one that is strong enough."""
    kind, encoded = key.split(" ")
    blob = base64.b64decode(encoded)
    fields: list[bytes] = []
    while blob:
        end = 4 + int.from_bytes(blob[:4], "big")
        fields.append(blob[4:end])
        blob = blob[end:]
    if kind == "ssh-dss":
        return "a DSA key"
    bits = int.from_bytes(fields[2], "big").bit_length() if len(fields) > 2 else 0
    return f"an RSA key of {bits} bits" if kind == "ssh-rsa" and bits < RSA_BITS else ""


def override(value: Any) -> dict[str, str]:
    """Return why gates are overridden: `reason`. Raises Refused."""
    found = value if isinstance(value, dict) else {"": ""}
    if found and (set(found) != {"reason"} or not isinstance(found["reason"], str) or not found["reason"].strip()):
        raise Refused("a dictionary with a reason, such as {reason: portal down, nobody else can be reached}")
    return found


def threshold(value: Any) -> str:
    """Return a range as monitoring plugins write it. Raises Refused."""
    limits = "" if isinstance(value, bool) else str(value).strip()
    found = _THRESHOLD.fullmatch(limits)
    if not found or (found[2] and found[1] != "~" and float(found[1] or 0) > float(found[2])):
        raise Refused('a range such as "80", "10:", "~:5" or "@1:2"')
    return limits


def sequence(value: Any) -> list[Any]:
    """Return a list. Raises Refused."""
    if not isinstance(value, list):
        raise Refused("a list")
    return value


def list_of(value: Any) -> Any:
    """Return the list that a text stands for: of its lines, or of what stands between its commas.

    A text in brackets is read as YAML. A comma in a path separates only where another absolute path follows. What is no
    text comes back as it is.
    """
    if not isinstance(value, str):
        return value
    written = value.strip()
    if written.startswith("["):
        try:
            return yaml.safe_load(written)
        except yaml.YAMLError:
            return value
    separator = "\n" if "\n" in written else r",(?=\s*/)" if written.startswith("/") else ","
    return [part.strip() for part in re.split(separator, written) if part.strip()]


def dictionary(value: Any) -> dict[str, object]:
    """Return a dictionary. Raises Refused."""
    if not isinstance(value, dict):
        raise Refused("a dictionary")
    return value


def texts(value: Any) -> dict[str, str]:
    """Return a text in each language. Raises Refused."""
    found = value if isinstance(value, dict) else {}
    if set(found) != set(LANGUAGES) or not all(isinstance(inner, str) and inner.strip() for inner in found.values()):
        raise Refused("a text in each language, such as {en: Nightly copy, zh: 夜间复制}")
    return found


def step(value: Any) -> Mapping[str, object]:
    """Return a step of a procedure: `module`, `domain` and, if need be, `clauses` and `options`. Raises Refused."""
    found = {"clauses": [], **value} if isinstance(value, dict) else {}
    names = [found.get("module"), found.get("domain")]
    listed = isinstance(found.get("clauses"), list) and all(isinstance(clause, str) for clause in found["clauses"])
    whole = set(found) - {"options"} == {"module", "domain", "clauses"}
    if not (whole and listed and all(map(_is_name, names))):
        raise Refused("a step such as {module: health_probe, domain: health, clauses: [S3.1-2]}")
    if not are_allowed(found["module"], found.get("options", {})):
        raise Refused(f"a step of {found['module']} with {allowed_in_words(found['module'])}")
    return found


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value.isidentifier()


TYPES: Mapping[str, Callable[[Any], Any]] = {
    "bool": boolean,
    "dict": dictionary,
    "duration": duration,
    "float": number,
    "int": integer,
    "list": sequence,
    "location": location,
    "moment": moment,
    "override": override,
    "path": path,
    "public_key": public_key,
    "step": step,
    "str": text,
    "texts": texts,
    "threshold": threshold,
    "time": time,
    "timezone": timezone,
}
