# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.egov.ops.plugins.plugin_utils.plan.values import TYPES, Opaque, Refused, plain, shown
from hypothesis import given
from hypothesis import strategies as st

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK/XCUj4i6Q5yQJNL1MKMoEmjK0MoVAK5LRv7y"

ACCEPTED = [
    ("moment", " 2026-12-31T18:00  Asia/Shanghai", "2026-12-31 18:00 Asia/Shanghai"),
    ("override", {"reason": "portal down"}, {"reason": "portal down"}),
    ("override", {}, {}),
    ("public_key", f"{KEY} li@laptop\n", KEY),
    ("bool", True, True),
    ("bool", "yes", True),
    ("bool", "False", False),
    ("bool", 0, False),
    ("duration", 0, 0.0),
    ("duration", 90, 90.0),
    ("duration", "90s", 90.0),
    ("duration", "1d", 86400.0),
    ("duration", "90", 90.0),
    ("duration", 1e16, 1e16),
    ("duration", "15m", 900.0),
    ("duration", "1.5 h", 5400.0),
    ("duration", "1w", 604800.0),
    ("float", "0.5", 0.5),
    ("int", "5", 5),
    ("int", 5.0, 5),
    ("int", "-3", -3),
    ("location", "/srv/备份", "/srv/备份"),
    ("location", "repository", "repository"),
    ("location", "sftp:ops@backup:/srv/repository", "sftp:ops@backup:/srv/repository"),
    ("path", "/srv/data/", "/srv/data"),
    ("path", "/", "/"),
    (
        "step",
        {"module": "health_probe", "domain": "health"},
        {"clauses": [], "module": "health_probe", "domain": "health"},
    ),
    ("str", 5, "5"),
    ("texts", {"en": "Night", "zh": "夜间"}, {"en": "Night", "zh": "夜间"}),
    ("threshold", 80, "80"),
    ("threshold", "10:", "10:"),
    ("threshold", "~:5", "~:5"),
    ("threshold", "@1:2", "@1:2"),
    ("threshold", "10:10", "10:10"),
    ("threshold", "0:0", "0:0"),
    ("threshold", "-1.5:2.5", "-1.5:2.5"),
    ("time", "2:30 Asia/Shanghai", "02:30 Asia/Shanghai"),
    ("time", "23:59 UTC", "23:59 UTC"),
    ("timezone", "Asia/Urumqi", "Asia/Urumqi"),
]

REFUSED = [
    ("bool", "maybe"),
    ("bool", 2),
    ("bool", []),
    ("dict", []),
    ("duration", "soon"),
    ("duration", "-5"),
    ("duration", True),
    ("duration", -5),
    ("duration", float("inf")),
    ("duration", 10**400),
    ("duration", "9" * 400 + "w"),
    ("float", "nan"),
    ("float", 10**400),
    ("float", "inf"),
    ("float", True),
    ("int", "five"),
    ("int", 5.5),
    ("int", "5.5"),
    ("int", True),
    ("int", None),
    ("int", [5]),
    ("int", float("inf")),
    ("list", "/srv"),
    ("list", {"a": 1}),
    ("location", " "),
    ("location", "../elsewhere"),
    ("location", 5),
    ("path", "srv/data"),
    ("path", "~/data"),
    ("path", "/srv\0"),
    ("path", ["/srv"]),
    ("moment", "2026-12-31"),
    ("moment", "2026-02-30 18:00 UTC"),
    ("moment", "2026-12-31 18:00"),
    ("moment", "2026-12-31 18:00 Mars/Olympus"),
    ("moment", 20261231),
    ("override", "portal down"),
    ("override", {"reason": " "}),
    ("override", {"reason": "portal down", "until": "noon"}),
    ("override", {"because": "portal down"}),
    ("public_key", "ssh-ed25519"),
    ("public_key", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK/XCUj4i6Q5yQJNL1MKMoEmjK0MoVAK5LRv7y"),
    ("public_key", "ssh-ed25519 AAAA"),
    ("public_key", ["ssh-ed25519"]),
    ("step", "health_probe"),
    ("step", {"module": "health_probe"}),
    ("step", {"module": "health-probe", "domain": "health"}),
    ("step", {"module": "health_probe", "domain": "health", "clauses": "S3.1-2"}),
    ("step", {"module": "health_probe", "domain": "health", "tags": []}),
    ("str", True),
    ("str", ["a"]),
    ("texts", "Night"),
    ("texts", {"en": "Night"}),
    ("texts", {"en": "Night", "zh": " "}),
    ("threshold", "high"),
    ("threshold", ":"),
    ("threshold", "@"),
    ("threshold", "20:10"),
    ("threshold", "-5"),
    ("threshold", "nan"),
    ("threshold", ""),
    ("threshold", False),
    ("time", "25:00 Asia/Shanghai"),
    ("time", "02:60 Asia/Shanghai"),
    ("time", "02:30"),
    ("time", "02:30 Mars/Olympus"),
    ("time", 150),
    ("timezone", "Mars/Olympus"),
    ("timezone", "../../etc/passwd"),
    ("timezone", ""),
    ("timezone", 8),
]


@pytest.mark.parametrize(("kind", "value", "stored"), ACCEPTED)
def test_a_type_takes_what_ansible_users_write(kind: str, value: Any, stored: Any) -> None:
    found = TYPES[kind](value)
    assert (found, type(found)) == (stored, type(stored))


@pytest.mark.parametrize(("kind", "value"), REFUSED)
def test_a_type_refuses_what_is_none_of_it(kind: str, value: Any) -> None:
    with pytest.raises(Refused, match=r"^\S.*\S$"):
        TYPES[kind](value)


def test_every_type_is_tried_with_a_wrong_value() -> None:
    assert {kind for kind, _value in REFUSED} == set(TYPES)


@given(
    st.sampled_from(sorted(TYPES)),
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists),
)
def test_a_type_answers_or_refuses_and_never_raises_anything_else(kind: str, value: Any) -> None:
    try:
        found = TYPES[kind](value)
    except Refused:
        return
    assert TYPES[kind](found) == found


def test_values_that_ansible_tags_come_out_in_pythons_own_types() -> None:
    loaded = DataLoader().load("{name: portal, ports: [80, 443], open: yes, limit: 1.5, none: null}")
    found = plain(loaded)
    assert found == {"name": "portal", "ports": [80, 443], "open": True, "limit": 1.5, "none": None}
    assert {type(found), type(found["name"]), type(found["ports"]), *map(type, found)} == {dict, str, list}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_plain_copy_is_equal_and_can_be_stored_as_json(value: Any) -> None:
    assert json.loads(json.dumps(plain(value))) == value


def test_a_shown_value_is_short() -> None:
    assert len(shown("x" * 500)) == 60
    longest = f"'{'x' * 58}'"
    assert shown("x" * 58) == longest
    assert shown("x" * 59) == f"'{'x' * 56}..."


def test_a_shown_value_has_no_control_characters() -> None:
    assert "\x1b" not in shown("\x1b[31mred")


def test_a_shown_address_has_lost_its_credentials() -> None:
    assert shown("rest:https://ops:hunter2@backup/") == "'rest:https://backup/'"


def test_a_secret_is_not_shown() -> None:
    assert "hunter2" not in shown("hunter2", secret=True)


def test_a_zone_is_refused_with_what_a_controller_without_any_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="a time zone such as"):
        TYPES["timezone"]("Mars/Olympus")
    monkeypatch.setattr("zoneinfo.available_timezones", set)
    with pytest.raises(Refused, match="this controller has none: install tzdata"):
        TYPES["timezone"]("Mars/Olympus")


def test_what_is_encrypted_shows_nothing_and_is_told_apart_by_its_ciphertext() -> None:
    first, same, other = Opaque("a"), Opaque("a"), Opaque("b")
    assert first == same
    assert first not in (other, "a")
    assert len({first, same, other}) == 2
    assert repr(first) == "encrypted"


def test_other_types_of_ansible_become_pythons_own() -> None:
    class Mine(dict[str, object]):
        pass

    class Number(int):
        pass

    class Share(float):
        pass

    given = (Mine(a=(1, 2), b=frozenset()), [Number(3)], Share(0.5), {Number(4): Opaque("x")})
    made = plain(given)
    assert made == [{"a": [1, 2], "b": "frozenset()"}, [3], 0.5, {"4": Opaque("x")}]
    assert [type(value) for value in (made[0], made[1][0], made[2])] == [dict, int, float]


@pytest.mark.parametrize(("length", "shown_length"), [(58, 60), (59, 60)])
def test_a_value_of_60_characters_is_shown_whole(length: int, shown_length: int) -> None:
    text = shown("x" * length)
    assert len(text) == shown_length
    assert text.endswith("..." if length == 59 else "'")
