# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages that are looked at: each state that a report must show, and a range of days."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import ledgers
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.span import Span
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import render_html
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.period_html import render_period

#: The states that can be read, and two ranges: two weeks of a small platform, and days of which little is known.
STATES = (*sorted(set(ledgers.STATES) - {"lost_tail"}), "fortnight", "gaps")

LANGUAGES = ("en", "zh")

_RANGES = {"fortnight": ("eventful", 11), "gaps": ("killed", 20)}


class Pages:
    """Pages in a folder, each written once."""

    def __init__(self, folder: Path) -> None:
        """Take the folder."""
        self._folder = folder
        self._made: dict[str, ledgers.Made] = {}
        self._data: dict[str, dict[str, Any]] = {}

    def page(self, state: str, language: str) -> Path:
        """Return the path of a state's page in a language."""
        path = self._folder / f"{state}-{language}.html"
        if not path.exists():
            render = render_period if state in _RANGES else render_html
            path.write_text(render(self.data(state), language), encoding="utf-8")
        return path

    def data(self, state: str) -> dict[str, Any]:
        """Return the data of a state's report."""
        if state not in self._data:
            name, first = _RANGES.get(state, (state, 0))
            if name not in self._made:
                self._made[name] = ledgers.make(ledgers.STATES[name](), self._folder / name)
            made = self._made[name]
            span = Span("range", date(2026, 11, first or 1), date(2026, 11, 24), ledgers.FACTS.zone)
            self._data[state] = ledgers.period(made, span) if first else ledgers.report(made)
        return self._data[state]
