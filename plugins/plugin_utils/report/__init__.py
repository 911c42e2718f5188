# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports: from records to data, page, text and Markdown, of one run or of a range of days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils import offering

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report import acknowledgement
    from ansible_collections.egov.ops.plugins.plugin_utils.report.files import (
        facts_of,
        write_period_report,
        write_report,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.report.language import Language
    from ansible_collections.egov.ops.plugins.plugin_utils.report.model import LOUD, OVERRIDE, Facts
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.build import build_period
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.gather import choice_of, gather_period
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.model import Choice
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.rollup import Shelf
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.span import Span, span_of
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.types import PeriodReport
    from ansible_collections.egov.ops.plugins.plugin_utils.report.render.period_text import render_period_text
    from ansible_collections.egov.ops.plugins.plugin_utils.report.render.text import render_text
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.build import build
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.gather import gather
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import RunReport
    from ansible_collections.egov.ops.plugins.plugin_utils.report.standing import standing_findings
else:
    __getattr__ = offering(
        __name__,
        {
            "files": ("facts_of", "write_period_report", "write_report"),
            "language": ("Language",),
            "model": ("Facts", "LOUD", "OVERRIDE"),
            "period.build": ("build_period",),
            "period.gather": ("choice_of", "gather_period"),
            "period.model": ("Choice",),
            "period.rollup": ("Shelf",),
            "period.span": ("Span", "span_of"),
            "period.types": ("PeriodReport",),
            "render.period_text": ("render_period_text",),
            "render.text": ("render_text",),
            "run.build": ("build",),
            "run.gather": ("gather",),
            "run.types": ("RunReport",),
            "standing": ("standing_findings",),
        },
    )
