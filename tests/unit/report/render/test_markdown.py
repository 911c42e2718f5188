# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text from records in Markdown: it shows itself and does nothing else."""

from __future__ import annotations

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.markdown import CELL_LIMIT, plain, render_markdown
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.support.report_ledger import DailyRun, ListLedger

HARMLESS = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<img src=x>", r"\<img src=x\>"),
        ("a | b", r"a \| b"),
        ("[x](https://evil.example)", r"\[x\](https\://evil.example)"),
        ("www.evil.example", r"www\.evil.example"),
        ("@root and #12", "＠root and ＃12"),
        ("1. first", r"1\. first"),
        ("- item", r"\- item"),
        ("two\nlines", r"two\[U+000A\]lines"),
        ("/var is 91% full (limit 90%).", "/var is 91% full (limit 90%)."),
    ],
)
def test_text_is_escaped_no_more_than_it_needs(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text("`*_{}[]()<>#+-.!|~&:=$^@\\/\n ab1w\u202e", max_size=40))
def test_no_text_becomes_markup(text: str) -> None:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(f"x {plain(text)}")
    inner = [token for block in tokens for token in block.children or []]
    kinds = {token.type for token in [*tokens, *inner]}
    assert kinds <= {*HARMLESS, "text_special"}


def test_a_long_text_is_cut() -> None:
    assert len(plain("x" * 5000)) == CELL_LIMIT + 1


def test_a_finding_says_state_owner_and_what_to_do() -> None:
    run = DailyRun(ListLedger(), ("local",))
    run.good_host("local")
    run.put("local", "backup", "proof", "data", "failed", "mismatch", next="Restore it by hand.")
    run.seal()
    (row,) = [line for line in render_markdown(run.report(), "en").splitlines() if "Restore it by hand" in line]
    assert row.startswith("| Failed (Found) | ")
    assert "| Data |" in row


def test_a_language_that_the_report_does_not_have_is_one_sentence() -> None:
    run = DailyRun(ListLedger(), ("local",))
    with pytest.raises(ValueError, match=r"^The report has no language 'fr'"):
        render_markdown(run.report(), "fr")
