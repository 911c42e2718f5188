# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts without the values of secrets, in whatever form they come."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError, Host, perform
from ansible_collections.egov.ops.plugins.module_utils.host.public import MASK
from ansible_collections.egov.ops.plugins.module_utils.host.scrub import Scrubber
from hypothesis import given
from hypothesis import strategies as st

SECRETS = [
    "hunter22",
    'it\'s "x"\\n',
    "a+b/c=d&e",
    "密码一二三四",
    "p(w.*[z]+$",
    "new\nline of it",
    " bare ",
    "<tag>&amp",
]

FORMS: dict[str, Callable[[str], str]] = {
    "bare": str,
    "json": json.dumps,
    "json in json": lambda value: json.dumps(json.dumps(value)),
    "json, not ASCII": lambda value: json.dumps(value, ensure_ascii=False),
    "python": repr,
    "bytes": lambda value: repr(value.encode()),
    "quote": lambda value: urllib.parse.quote(value, ""),
    "quote, slashes kept": urllib.parse.quote,
    "quote_plus": urllib.parse.quote_plus,
    "quoted twice": lambda value: urllib.parse.quote(urllib.parse.quote(value, ""), ""),
    "quoted in lower case": lambda value: re.sub("%..", lambda e: e.group().lower(), urllib.parse.quote(value, "")),
    "shell": shlex.quote,
    "html": html.escape,
    "html, quotes kept": lambda value: html.escape(value, quote=False),
    "json of PHP": lambda value: json.dumps(value).replace("/", "\\/"),
    "json of Go": lambda value: (
        json.dumps(value).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    ),
    "hexadecimal": lambda value: value.encode().hex(),
    "hexadecimal in capitals": lambda value: value.encode().hex().upper(),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 of user and value": lambda value: base64.b64encode(f"mon:{value}".encode()).decode(),
    "base64 of a longer user": lambda value: base64.b64encode(f"backup:{value}".encode()).decode(),
    "base64 of an address": lambda value: base64.urlsafe_b64encode(f"me:{value}@host/x".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_taken_out_in_each_form(secret: str, form: str) -> None:
    written = FORMS[form](secret)
    scrubbed = Scrubber([secret]).text(f"before {written} after")
    assert MASK in scrubbed
    assert written.strip("\"'b") not in scrubbed
    assert (scrubbed[:7], scrubbed[-6:]) == ("before ", " after")


def test_of_a_secret_that_begins_another_nothing_is_left() -> None:
    assert Scrubber(["hunter22", "hunter22long"]).text("a hunter22long, a hunter22") == f"a {MASK}, a {MASK}"


def test_each_line_of_a_secret_counts_and_what_is_set_in_it() -> None:
    scrubber = Scrubber(["user: monitor\npassword: hunter2222\nkey=longkey123\n"])
    assert scrubber.text("told hunter2222 and longkey123") == f"told {MASK} and {MASK}"


@pytest.mark.parametrize("common", ["", "abc", "true", "TRUE", "12345", "root", "****", "\n"])
def test_what_is_no_secret_is_left(common: str) -> None:
    assert Scrubber([common]).text("true abc 12345 root\n****") == "true abc 12345 root\n****"
    assert Scrubber([]).value({"a": ["hunter22", 1, None]}) == {"a": ["hunter22", 1, None]}


def test_a_piece_at_the_end_where_a_text_was_cut_goes_too() -> None:
    scrubber = Scrubber(["a-long-secret-value"])
    text = "x" * 200
    assert scrubber.text(f"{text}a-long-sec") == text + MASK
    assert scrubber.text(f"cret-value{text}") == MASK + text
    assert scrubber.text(f"{text} a-lo") == f"{text} a-lo", "so little is any word"


def test_words_of_closed_lists_stay_and_two_subjects_stay_two() -> None:
    evidence = [
        {"kind": "backup", "subject": f"/srv/{name}", "status": "ok", "detail": {"message": "of backup"}}
        for name in ("backup1", "backup2")
    ]
    result = Scrubber(["backup1", "backup2", "backup"]).result({"evidence": evidence})
    assert [item["kind"] for item in result["evidence"]] == ["backup", "backup"]
    assert [item["subject"] for item in result["evidence"]] == [f"/srv/{MASK}", f"/srv/{MASK} (2)"]
    assert result["evidence"][0]["detail"]["message"] == f"of {MASK}"


def test_the_keys_of_a_dictionary_are_scrubbed_unless_they_are_names() -> None:
    scrubbed = Scrubber(["message", "pass word"]).value({"message": "x", "of pass word": 1})
    assert scrubbed == {"message": "x", f"of {MASK}": 1}
    assert Scrubber(["hunter22"]).value({"seen": ("hunter22", True)}) == {"seen": (MASK, True)}
    assert Scrubber(["hunter22", "Hunter"]).value({"labels": {"hunter22": 1}}) == {"labels": {MASK: 1}}
    assert Scrubber(["Hunter"]).value({"Hunter": 1, "Hunter_2": 1}) == {MASK: 1, f"{MASK}_2": 1}


def test_what_a_later_command_needs_stays_and_of_a_name_nothing_is_taken() -> None:
    operation = {"set": "portal", "paths": ["/srv/portal"]}
    assert Scrubber(["portal"]).result({"msg": "of portal", "operation": operation}) == {
        "msg": f"of {MASK}",
        "operation": operation,
    }
    assert Host({}, {"repository:x": "portal", "named:0": "portal"}).scrubber.values == []


def test_a_value_is_known_to_be_brought_in_whatever_form() -> None:
    scrubber = Scrubber(["a/secret & more", "another one"])
    for form in FORMS.values():
        assert scrubber.contained_in({"command": ["x", form("a/secret & more")]}) == ["a/secret & more"]


def test_the_last_words_of_a_tool_are_scrubbed_before_they_are_cut(tmp_path: Path) -> None:
    host = Host({"timeout": 10}, {"repository:x": "first of it\nthen; and last."})
    said = host.run(["sh", "-c", "echo 'it is: then; and last.' >&2; exit 1"]).error
    assert said == f"it is: {MASK}"
    wide = Host({"timeout": 10}, {"repository:x": "y" * 600})
    assert "yyyy" not in wide.run(["sh", "-c", f"echo {'y' * 600} >&2"]).error


def test_a_half_hands_no_secret_on_and_none_of_an_address() -> None:
    def half(_arguments: dict[str, Any], host: Host) -> dict[str, Any]:
        return {"msg": "told hunter22 of http://u:p@h/?x=1", "evidence": [{"detail": {"a": ["eDpodW50ZXIyMg=="]}}]}

    def fails(_arguments: dict[str, Any], host: Host) -> dict[str, Any]:
        raise HalfError("it was hunter22")

    def breaks(_arguments: dict[str, Any], host: Host) -> dict[str, Any]:
        raise KeyError("hunter22")

    host = Host({}, {"repository:local": "hunter22", "credentials:local:RESTIC_REST_USERNAME": "told"})
    assert perform(half, {}, host)["msg"] == f"told {MASK} of http://h/?x=***"
    assert perform(half, {}, host)["evidence"] == [{"detail": {"a": [MASK]}}]
    assert perform(fails, {}, host)["msg"] == f"it was {MASK}"
    assert "hunter22" not in json.dumps(perform(breaks, {}, host))


@given(st.text(min_size=6, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_no_secret_is_left_whatever_signs_it_has(secret: str, before: str, after: str) -> None:
    scrubber = Scrubber([secret])
    if scrubber.values:
        assert secret.strip() not in scrubber.text(before + secret + after).replace(MASK, "\0")


def test_many_secrets_and_records_cost_little() -> None:
    scrubber = Scrubber([f"secret-number-{number:04}" for number in range(100)])
    evidence = [{"subject": f"/srv/{number}", "detail": {"message": "x" * 120}} for number in range(100)]
    before = time.process_time()
    scrubber.value({"evidence": evidence})
    assert time.process_time() - before < 0.5
