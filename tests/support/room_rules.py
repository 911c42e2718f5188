# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds of each room of the code: its values are frozen, and its limits are those of docs/limits.md."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType

CORE = "ansible_collections.egov.ops.plugins.plugin_utils"
PAGE = Path(__file__).parents[2] / "docs/limits.md"

#: Units of the page, in those of the code: bytes, seconds, or just a number.
UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "s": 1, "min": 60, "d": 86400}
COUNTED = ("", "bytes", "bits", "characters", "digits")

_ROOM = re.compile(r"^## .*`plugins/plugin_utils/(\w+)/`", re.MULTILINE)
_LINE = re.compile(r"^\| `(\w+)\.py` \| `(\w+)` \| ([\d.]+) ?(\w*) \|", re.MULTILINE)


def modules(room: str) -> Iterator[ModuleType]:
    """Yield the modules of a room."""
    package = importlib.import_module(f"{CORE}.{room}")
    for found in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{CORE}.{room}.{found.name}")


def changeable_values(room: str) -> list[str]:
    """Return the dataclasses of a room that are not frozen, by name."""
    classes = [value for module in modules(room) for value in vars(module).values() if isinstance(value, type)]
    ours = {found for found in classes if dataclasses.is_dataclass(found) and found.__module__.startswith(CORE)}
    return sorted(found.__name__ for found in ours if not found.__dataclass_params__.frozen)  # type: ignore[attr-defined]


def documented_limits(room: str) -> dict[tuple[str, str], float]:
    """Return the limits of a room that the page names, by module and name, in the code's unit."""
    parts = _ROOM.split(PAGE.read_text(encoding="utf-8"))
    section = parts[parts.index(room) + 1]
    limits = {}
    for module, name, number, unit in _LINE.findall(section):
        days_are_the_unit = name.endswith("_DAYS")
        factor = 1 if days_are_the_unit or unit in COUNTED else UNITS[unit]
        limits[module, name] = float(number) * factor
    return limits


def limits_of_code(room: str) -> dict[tuple[str, str], float]:
    """Return what the code has under the same names, durations in seconds."""
    found = {}
    for module, name in documented_limits(room):
        value = getattr(importlib.import_module(f"{CORE}.{room}.{module}"), name)
        found[module, name] = value.total_seconds() if isinstance(value, timedelta) else float(value)
    return found
