# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A redaction of the ledger as it is asked for: where a value stands and what it is, and never the value itself."""

from __future__ import annotations

from ansible_collections.egov.ops.plugins.plugin_utils.operations.fields import (
    AMOUNT,
    DIGEST,
    TEXT,
    Field,
    Lines,
    Operation,
    is_text,
)

#: Places that an approver is shown one by one.
PLACES_LIMIT = 200


def are_places(value: object) -> bool:
    """Tell whether a value is a list of texts, each for a place."""
    return isinstance(value, list) and len(value) <= PLACES_LIMIT and all(map(is_text, value))


FIELDS = {
    "what": TEXT,
    "upto": AMOUNT,
    "records": AMOUNT,
    "artefacts": AMOUNT,
    "files": AMOUNT,
    "places": Field(are_places, f"a list of at most {PLACES_LIMIT} texts"),
    "digest": DIGEST,
}

_WORDS = {
    "en": {
        "what": "what",
        "how": "how",
        "replaced": "replaced by a marker for ever, in {records} records, {artefacts} documents and {files} files",
        "ledger": "ledger",
        "upto": "looked at up to record #{upto}; its chain is anchored anew",
        "where": "where",
        "more": "and {more} more places",
    },
    "zh": {
        "what": "内容",
        "how": "方式",
        "replaced": "永久替换为标记：{records} 条记录、{artefacts} 份文档、{files} 个文件",
        "ledger": "台账",
        "upto": "已检查至第 {upto} 条记录；哈希链将重新锚定",
        "where": "位置",
        "more": "另有 {more} 处",
    },
}


def faults(operation: Operation) -> str:
    """Return how the fields contradict each other, as the end of a sentence; "" where they do not."""
    if not operation["records"] + operation["artefacts"] + operation["files"]:
        return "names no place in which the value stands"
    return ""


def lines(operation: Operation, language: str) -> Lines:
    """Return a redaction as an approver reads it."""
    words, counts = _WORDS[language], {name: operation[name] for name in ("records", "artefacts", "files", "upto")}
    found = [
        (words["what"], operation["what"]),
        (words["how"], words["replaced"].format_map(counts)),
        (words["ledger"], words["upto"].format_map(counts)),
        *((words["where"], place) for place in operation["places"]),
    ]
    more = counts["records"] + counts["artefacts"] + counts["files"] - len(operation["places"])
    return [*found, (words["where"], words["more"].format(more=more))] if more > 0 else found
