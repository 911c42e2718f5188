# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The weakenings that a change names and accepts: accepted_changes.yml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import yaml
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.source_lines import (
    Document,
    Fault,
    Place,
    shown_path,
)
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Change, Problem, shown

FILE = "accepted_changes.yml"
_KEYS = ("digest", "reason", "person")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Acceptance(NamedTuple):
    """Who accepts a weakening, and why."""

    digest: str
    reason: str
    person: str
    place: Place


class Accepted(NamedTuple):
    """What a file accepts, by digest, and what is wrong with it."""

    by_digest: Mapping[str, Acceptance]
    faults: list[Fault]


def read(path: Path) -> Accepted:
    """Return what a file accepts; one that is not there accepts nothing."""
    if not path.exists():
        return Accepted({}, [])
    document = Document(path, True)
    if document.root is None or document.faults:
        return Accepted({}, document.faults)
    found: dict[str, Acceptance] = {}
    faults: list[Fault] = []
    items = document.root.value if isinstance(document.root, yaml.SequenceNode) else [document.root]
    for node in items:
        place = Place(shown_path(path), node.start_mark.line + 1)
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        entry = {str(key.value): value.value for key, value in pairs}
        wrong = _wrong(entry)
        if wrong:
            faults.append(Fault(place, Problem("", "", f"{place.file}: {wrong}", rule="accepted")))
        else:
            digest, reason, person = (str(entry[key]).strip() for key in _KEYS)
            found[digest] = Acceptance(digest, reason, person, place)
    return Accepted(found, faults)


def unused(accepted: Mapping[str, Acceptance], changes: Iterable[Change]) -> list[Fault]:
    """Return a warning for each acceptance that belongs to no weakening of a change."""
    digests = {change.digest for change in changes if change.weakens}
    return [
        Fault(
            entry.place,
            Problem(
                "",
                digest,
                f"{entry.place.file} accepts {digest[:16]}, which is no weakening of this change; remove it.",
                fatal=False,
                rule="accepted",
            ),
        )
        for digest, entry in accepted.items()
        if digest not in digests
    ]


def _wrong(entry: Mapping[str, object]) -> str:
    """Return what is wrong with an entry, "" for nothing."""
    listed = ", ".join(_KEYS)
    if set(entry) != set(_KEYS):
        return f"an entry has the keys {', '.join(sorted(entry)) or 'none'}, but must have exactly {listed}."
    for key, value in entry.items():
        if not isinstance(value, str) or not value.strip():
            return f"{key} of an entry is empty, but must be a text; an acceptance has {listed}."
    if not _DIGEST.fullmatch(str(entry["digest"])):
        return f"digest is {shown(entry['digest'])}, but must be the 64 digits that egov.ops.validate shows."
    return ""
