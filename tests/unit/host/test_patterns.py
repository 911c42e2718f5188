# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Patterns of names mean what they mean to Python's own fnmatch."""

from __future__ import annotations

from fnmatch import fnmatchcase

from ansible_collections.egov.ops.plugins.module_utils.host.patterns import matches
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.sampled_from("ab*?[]!-\n中"), max_size=6)


@given(TEXT, TEXT)
def test_a_pattern_matches_as_fnmatch_says(name: str, pattern: str) -> None:
    assert matches(name, pattern) is fnmatchcase(name, pattern)
    assert matches(pattern, pattern) is fnmatchcase(pattern, pattern)
