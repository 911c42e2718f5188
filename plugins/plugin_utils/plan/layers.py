# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Merge dictionaries by name in layers.

Ansible replaces a dictionary that is set twice, so a group that adds one entry would silently drop all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

#: An entry of a layered variable: its keys with their values, whose types the schema says.
Entry = Mapping[str, object]
#: Entries by name.
Entries = Mapping[str, Entry]


def layer_names(variable: str, names: Iterable[str]) -> list[str]:
    """Return, of some names, those that are layers of a variable, lowest first: itself, then `variable__<layer>`."""
    return sorted(name for name in names if name == variable or name.startswith(f"{variable}__"))


def merge_layers(layers: Iterable[tuple[str, Entries]]) -> tuple[dict[str, Entry], dict[str, tuple[str, ...]]]:
    """Return the merged entries, and for each the names of the layers that made it.

    layers are pairs of a name and its entries, lowest first. Keys of an entry replace those of lower layers, a list as
    a whole; `state: absent` removes the entry, and what higher layers say of it begins anew.
    """
    merged: dict[str, Entry] = {}
    origins: dict[str, tuple[str, ...]] = {}
    for name, entries in layers:
        for entry, keys in entries.items():
            if keys.get("state") == "absent":
                merged.pop(entry, None)
                origins.pop(entry, None)
                continue
            own = {key: value for key, value in keys.items() if key != "state"} if "state" in keys else keys
            # What one layer alone says stays that layer's: callers may know it again.
            merged[entry] = {**merged[entry], **own} if entry in merged else own
            origins[entry] = (*origins.get(entry, ()), name)
    return merged, origins
