# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from tests.support.room_rules import changeable_values, documented_limits, limits_of_code


def test_each_limit_is_the_one_that_the_docs_name() -> None:
    documented = documented_limits("schedule")
    assert documented
    assert limits_of_code("schedule") == documented


def test_values_are_frozen() -> None:
    assert changeable_values("schedule") == []
