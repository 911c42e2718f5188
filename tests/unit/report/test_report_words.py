# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Words, figures and times in both languages."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import REASONS, STATUSES
from ansible_collections.egov.ops.plugins.plugin_utils.domains import OWNERS
from ansible_collections.egov.ops.plugins.plugin_utils.domains import REPORTED as DOMAINS
from ansible_collections.egov.ops.plugins.plugin_utils.report import language as language_module
from ansible_collections.egov.ops.plugins.plugin_utils.report.build import (
    INCOMPLETE_REASONS,
    MARK_ORDER,
    STATES,
)
from ansible_collections.egov.ops.plugins.plugin_utils.report.figures import share_of_limit
from ansible_collections.egov.ops.plugins.plugin_utils.report.inert import TEXT_LIMIT, inert
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import LANGUAGES, Language, catalogue
from hypothesis import given
from hypothesis import strategies as st

TRENDS = ("findings", "bad", "watched", "health", "backup_size", "backup_time", "updates")
ROOM = Path(language_module.__file__).parent
DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
HAN = re.compile(r"[\u4e00-\u9fff]")


def fields(pattern: str | list[str]) -> set[str]:
    patterns = pattern if isinstance(pattern, list) else [pattern]
    return {name for text in patterns for _, name, _, _ in string.Formatter().parse(text) if name}


def used_keys() -> Iterator[str]:
    for path in [*ROOM.glob("*.py"), *ROOM.glob("templates/*.j2")]:
        yield from re.findall(r'(?:\bt|\.text)\(\s*["\']([\w.]+)["\']\s*[,)]', path.read_text(encoding="utf-8"))


def test_each_message_is_there_in_each_language() -> None:
    assert all(set(texts) == set(LANGUAGES) for texts in catalogue().values())


def test_both_languages_of_a_message_say_the_same_values() -> None:
    may_leave_out = {"n", "number", "month"}  # a plural that is a word, a month by name or by number
    differing = {
        key: texts for key, texts in catalogue().items() if (fields(texts["en"]) ^ fields(texts["zh"])) - may_leave_out
    }
    assert not differing


def test_chinese_messages_hold_no_english_sentence() -> None:
    without_han = {key for key, texts in catalogue().items() if not HAN.search(str(texts["zh"]))}
    own_words = {key: re.sub(r"{.*?}", "", str(catalogue()[key]["zh"])) for key in without_han}
    assert not [key for key, words in own_words.items() if re.search("[A-Za-z]", words)]


def test_english_messages_hold_no_chinese() -> None:
    assert not [key for key, texts in catalogue().items() if HAN.search(str(texts["en"]))]


def test_each_message_that_the_report_uses_exists() -> None:
    keys = set(used_keys())
    assert len(keys) > 60
    assert keys <= set(catalogue())


@pytest.mark.parametrize(
    "key",
    [
        *(f"status.{status}" for status in (*STATUSES, *MARK_ORDER)),
        *(
            f"trend.{name}"
            for name in ("findings", "health", "backup_size", "backup_time", "updates", "bad", "watched")
        ),
        *(f"state.{state}" for state in STATES),
        *(f"team.{team}" for team in sorted({*OWNERS.values(), "PM", "SUP", "CS"})),
        *(f"reason.{reason}" for reason in REASONS),
        *(f"{family}.{domain}" for family in ("domain", "sentence") for domain in DOMAINS),
        *(f"fact.{reason}" for reason in (*INCOMPLETE_REASONS, "missing", "unsealed")),
    ],
)
def test_each_name_of_a_closed_list_has_words(key: str) -> None:
    assert key in catalogue()


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (None, "%", "–"),
        (0, "", "0"),
        (48213, "", "48,213"),
        (91, "%", "91%"),
        (0.62, "s", "0.62 s"),
        (5 * 1024**3, "bytes", "5.0 GiB"),
        (512, "B", "512 B"),
        (True, "", "True"),
    ],
)
def test_measures_are_shown_with_their_unit(value: object, unit: str, shown: str) -> None:
    assert Language("en").measure(value, unit) == shown


@pytest.mark.parametrize(
    ("code", "seconds", "shown"),
    [
        ("en", 0.62, "0.62 s"),
        ("en", 752, "12 min 32 s"),
        ("zh", 752, "12 分 32 秒"),
        ("en", 59.9, "60 s"),
        ("en", None, "–"),
    ],
)
def test_durations_are_rounded_to_what_a_reader_can_use(code: str, seconds: float | None, shown: str) -> None:
    assert Language(code).duration(seconds) == shown


def test_times_are_shown_in_the_zone_of_the_plan() -> None:
    moment = "2026-11-23T22:05:00Z"
    english, chinese = Language("en", "Asia/Shanghai"), Language("zh", "Asia/Shanghai")
    assert english.time(moment) == "24 Nov 06:05"
    assert chinese.time(moment) == "11月24日 06:05"
    assert english.weekday(moment) == "Tuesday 24 Nov 2026"
    assert chinese.weekday(moment) == "2026年11月24日　星期二"
    assert english.period(moment, moment) == "06:05–06:05 (UTC+8)"


@pytest.mark.parametrize(
    ("zone", "label"), [("Asia/Kolkata", "UTC+5:30"), ("No/Such_Zone", "UTC"), ("../etc/passwd", "UTC")]
)
def test_the_zone_is_named_by_its_offset(zone: str, label: str) -> None:
    assert Language("en", zone).period("2026-11-23T22:05:00Z", "2026-11-23T22:05:00Z").endswith(f"({label})")


@pytest.mark.parametrize(
    ("value", "limit", "share"),
    [
        (45, "90", 0.5),
        (45, "~:90", 0.5),
        (20, "10:", 0.5),
        (20, "@1:2", None),
        (None, "90", None),
        (True, "90", None),
        (1, "0", None),
        ("45", "90", None),
    ],
)
def test_the_share_of_a_limit_is_known_for_limits_with_one_end(value: object, limit: str, share: float | None) -> None:
    assert share_of_limit(value, limit) == share


@given(st.text(st.characters(exclude_categories=()), max_size=3000))
def test_inert_text_can_be_written_and_holds_nothing_that_acts(text: str) -> None:
    shown = inert(text)
    shown.encode()
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(character) for character in shown} & DIRECTIONS


@given(st.text("aé中 <&", max_size=TEXT_LIMIT))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert inert(text) == text
