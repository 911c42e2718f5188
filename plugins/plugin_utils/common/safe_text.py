# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make text from records harmless to read: whatever hides, reorders or controls is shown as its code."""

from __future__ import annotations

import re
from typing import Any

#: Characters of one text that are shown.
TEXT_LIMIT = 2000

#: Control characters, directions, invisible fillers, tags, surrogates and noncharacters.
_ACTIVE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)


def inert(text: str) -> str:
    """Return text with its active characters as `[U+202E]`, cut at TEXT_LIMIT characters with both lengths said."""
    if len(text) > TEXT_LIMIT:
        text = f"{text[:TEXT_LIMIT]}… [{TEXT_LIMIT}/{len(text)}]"
    return _ACTIVE.sub(_code, text)


def _code(match: re.Match[str]) -> str:
    return f"[U+{ord(match.group()):04X}]"


def inert_value(value: Any) -> Any:
    """Return a JSON value with the active characters of its texts and keys the same way, whole; lines stay lines."""
    if isinstance(value, str):
        return value if value.isascii() and value.isprintable() else _ACTIVE.sub(_keep, value)
    if isinstance(value, dict):
        return {inert_value(key): inert_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [inert_value(item) for item in value]
    return value


def _keep(match: re.Match[str]) -> str:
    return match.group() if match.group() in "\n\t" else _code(match)
