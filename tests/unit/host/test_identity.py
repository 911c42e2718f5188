# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which machine a half is on: what its marks are made of, and what makes two of them one machine's."""

from __future__ import annotations

import hmac
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.identity import are_same, marks, short
from ansible_collections.egov.ops.plugins.plugin_utils.transport import stream

ID = "0123456789abcdef0123456789abcdef"
UUID = "4c4c4544-0000-1111-2222-333344445555"


def machine(folder: Path, name: str, **files: str) -> str:
    """Make the root of a machine with some files, `/` written as `__`, and return it."""
    root = folder / name
    for path, text in files.items():
        file = root / path.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return str(root)


def rooted(folder: Path, name: str, identity: str = ID, uuid: str = UUID, key: str = "AAAA1") -> str:
    found = Path(machine(folder, name, sys__class__dmi__id__product_uuid=uuid + "\n"))
    (found / "etc/ssh").mkdir(parents=True)
    (found / "etc/machine-id").write_text(identity + "\n")
    (found / "etc/ssh/ssh_host_ed25519_key.pub").write_text(f"ssh-ed25519 {key} root@{name}\n")
    return str(found)


def test_no_mark_shows_what_it_is_made_of(tmp_path: Path) -> None:
    found = marks("", rooted(tmp_path, "one"))
    assert set(found) == {"machine", "hardware", "ssh"}
    assert all(len(mark) == 32 and set(mark) <= set("0123456789abcdef") for mark in found.values())
    assert ID not in found.values()
    assert len(set(found.values())) == 3


def test_a_mark_is_the_hmac_of_its_file(tmp_path: Path) -> None:
    found = marks("web1", rooted(tmp_path, "one"))
    data = f"machine\n{ID}\nweb1".encode()
    assert found["machine"] == hmac.new(b"egov.ops machine identity 1", data, "sha256").hexdigest()[:32]


def test_the_same_files_are_the_same_machine_and_an_alias_another(tmp_path: Path) -> None:
    root = rooted(tmp_path, "one")
    assert marks("", root) == marks("", root)
    assert are_same(marks("", root), marks("", root))
    assert not are_same(marks("web1", root), marks("web2", root))
    assert short(marks("web1", root)) != short(marks("web2", root))


@pytest.mark.parametrize("text", ["", "uninitialized", "0" * 32, "no id", ID[:31]])
def test_an_image_without_an_id_has_no_identity(tmp_path: Path, text: str) -> None:
    found = marks("", rooted(tmp_path, "one", text))
    assert "machine" not in found
    assert not are_same(found, found)
    assert short(found) == "none"


def test_the_hardware_tells_clones_apart_and_outlives_a_new_host_key(tmp_path: Path) -> None:
    first = marks("", rooted(tmp_path, "first"))
    clone = marks("", rooted(tmp_path, "clone", uuid=UUID.replace("4", "5")))
    assert not are_same(first, clone)
    renewed = marks("", rooted(tmp_path, "renewed", key="AAAA2"))
    assert are_same(first, renewed)


def test_the_host_key_tells_containers_of_one_image_apart(tmp_path: Path) -> None:
    roots = [Path(rooted(tmp_path, name, key=f"AAAA{name}")) for name in ("a", "b")]
    for root in roots:
        (root / "run").mkdir()
        (root / "run/.containerenv").touch()
    one, other = (marks("", str(root)) for root in roots)
    assert "hardware" not in one  # it is that of their host
    assert not are_same(one, other)


def test_who_is_not_root_is_told_the_same_machine(tmp_path: Path) -> None:
    known = marks("", rooted(tmp_path, "one"))
    assert are_same(known, {name: mark for name, mark in known.items() if name != "hardware"})


@pytest.mark.parametrize("version", ["3.6", "3.13"])
def test_a_half_does_nothing_on_another_machine(interpreter: Callable[[str], Any], version: str) -> None:
    def call(**context: Any) -> dict[str, Any]:
        half = ("health.prober", "probe")
        probes = {"memory": {"kind": "memory", "layer": "infrastructure", "warning": "100"}}
        data, nonce = stream.envelope(half, {"probes": probes}, {"timeout": 20, **context}, {})
        line = stream.command(str(interpreter(version)))
        done = subprocess.run(["sh", "-c", line], input=data, capture_output=True, timeout=60, check=False)
        found: dict[str, Any] = json.loads(done.stdout.decode().split(nonce)[1])
        return found

    first = call(alias="web1")
    assert first["evidence"]
    assert first["machine"] == marks("web1")
    again = call(alias="web1", machine=first["machine"])
    assert again["evidence"]
    other = call(alias="web2", machine=first["machine"])
    assert (other["failed"], other["reason"]) == (True, "other_machine")
    assert "evidence" not in other
    assert other["machine"] == marks("web2")
