# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever an answer of a host may hold, the report of the run is made, and harmless."""

from __future__ import annotations

import json

from ansible_collections.egov.ops.plugins.module_utils.host.record import STATUSES
from ansible_collections.egov.ops.plugins.plugin_utils.report.files import _lines
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.rollup import roll_up
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import render_html
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.markdown import render_lines, render_markdown
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.text import render_text
from ansible_collections.egov.ops.plugins.plugin_utils.transport.answer import (
    AnswerError,
    Expected,
    decode,
    parse_answer,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.support.report_ledger import DailyRun, ListLedger

#: By kind the domain and the subjects of what a report looks into.
KINDS = {
    "backup": ("backup", ("config",)),
    "proof": ("backup", ("config",)),
    "filesystem_space": ("health", ("/var", "a\u202eb")),
    "control": ("hardening", ("AC-001",)),
    "package_list": ("updates", ("pending", "installed")),
    "restarts": ("updates", ("processes",)),
    "reboot": ("updates", ("host",)),
}
NAMES = (
    *("message", "next", "why", "unit", "layer", "probe", "severity", "value", "warning", "critical", "title", "found"),
    *("expected", "snapshot", "snapshot_id", "repository", "backup", "bytes", "files", "added_bytes", "duration"),
    *("version", "counts", "updates", "reasons", "units", "unchanged", "changed_during_backup", "statuses", "hosts"),
)
TEXTS = st.sampled_from(["", "ok", "-1", "0", "90", "10:", "1e9", "~:5", "en", "{{ 7 }}", "<b>", "\u202e", "a\nb"])
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXTS
CHANGES = st.lists(st.fixed_dictionaries({"path": TEXTS, "change": TEXTS}, optional={"diff": st.lists(TEXTS)}))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
) | st.fixed_dictionaries({"changes": CHANGES, "more": st.integers(0, 9)})
OBSERVED = st.sampled_from(sorted(KINDS)).flatmap(
    lambda kind: st.fixed_dictionaries(
        {
            "kind": st.just(kind),
            "subject": st.sampled_from(KINDS[kind][1]),
            "status": st.sampled_from(STATUSES),
            "clauses": st.lists(TEXTS, max_size=2),
            "detail": st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6),
        }
    )
)


def accepted(observed):
    """Return the observation as the parser gives it, None for one that it refuses."""
    try:
        return parse_answer(decode(json.dumps({"msg": "x", "evidence": [observed]})), Expected(kinds=KINDS)).evidence[0]
    except (AnswerError, ValueError):
        return None


@settings(max_examples=40, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None)
@given(st.lists(OBSERVED, min_size=1, max_size=4))
def test_no_answer_that_is_taken_keeps_a_report_from_being_made(observed):
    taken = [item for item in map(accepted, observed) if item]
    assume(taken)
    run = DailyRun(ListLedger(), hosts=("good", "hostile"))
    run.good_host("good")
    run.all_steps("hostile")
    for item in taken:
        domain = KINDS[item["kind"]][0]
        run.put("hostile", domain, item["kind"], item["subject"], item["status"], "", item["clauses"], **item["detail"])
    run.seal()
    roll_up(run.ledger.stored)
    data = run.report()
    json.loads(_lines(data))
    assert [host["name"] for host in data["hosts"]] == ["good", "hostile"]
    for language in ("en", "zh"):
        for text in (render_html(data, language), render_text(data, language), render_markdown(data, language)):
            assert "\u202e" not in text
    assert render_lines(data)
