# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attacks by the author of a change: what is put into an inventory that is judged before anybody trusts it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from tests.support.attacks import Attack

HOSTS = "all:\n  hosts:\n    web1: {ansible_host: 192.0.2.11}\n"
#: What an attack would leave behind, had it run anything.
MARK = "mark"
#: Files by their paths below the inventory, and what makes them.
Plant = Callable[[Path], object]


def written(name: str, text: str | bytes, mode: int = 0o644) -> Plant:
    """Return what writes a file below the inventory."""

    def plant(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)

    return plant


def linked(name: str, target: str) -> Plant:
    """Return what makes a link below the inventory."""

    def plant(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target)

    return plant


def _pipe(folder: Path) -> None:
    (folder / "host_vars").mkdir()
    os.mkfifo(folder / "host_vars/web1.yml")


def _socket(folder: Path) -> None:
    here = Path.cwd()
    os.chdir(folder)  # the path of a socket may have 107 characters
    try:
        socket.socket(socket.AF_UNIX).bind("control")
    finally:
        os.chdir(here)


def _many(folder: Path) -> None:
    (folder / "host_vars/web1").mkdir(parents=True)
    for number in range(20_100):
        (folder / f"host_vars/web1/{number}").touch()


def _deep_folders(folder: Path) -> None:
    path = folder / "host_vars/web1"
    for _level in range(80):
        path /= "a"
    path.mkdir(parents=True)


def _large_whole(folder: Path) -> None:
    for number in range(40):
        written(f"group_vars/all/{number}.yml", f"# {'x' * 1_000_000}\nmotd_{number}: x\n")(folder)


def _weaves(folder: Path) -> None:
    """Folders each of which two links of the one above lead to: 2**40 paths."""
    for level in range(40):
        (folder / f"host_vars/level{level}").mkdir(parents=True)
        for side in "ab":
            (folder / f"host_vars/level{level}/{side}").symlink_to(f"../level{level + 1}")
    (folder / "host_vars/level40").mkdir()


def bomb(levels: int = 40) -> str:
    """Return aliases of aliases that stand for 9 ** levels values."""
    lines = ["egov_ops_tool_path:", "  - &a0 [x]"]
    lines += [f"  - &a{level + 1} [{', '.join([f'*a{level}'] * 9)}]" for level in range(levels)]
    return "\n".join(lines) + "\n"


def merge_bomb(levels: int = 40) -> str:
    """Return dictionaries that are merged into dictionaries, 9 at a time."""
    lines = ["m0: &m0 {a: 1}"]
    lines += [f"m{level + 1}: &m{level + 1} {{<<: [{', '.join([f'*m{level}'] * 9)}]}}" for level in range(levels)]
    return "\n".join(lines) + "\n"


LOOP = "{% for a in range(9999999) %}{% for b in range(9999999) %}{% endfor %}{% endfor %}"
SECRET = "egov_ops_witness_key: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n"
SCRIPT = f'#!/bin/sh\ntouch "$(dirname "$0")/{MARK}"\necho \'{{}}\'\n'
CONSTRUCTED = "plugin: ansible.builtin.constructed\ncompose:\n  x: lookup('pipe', 'touch mark')\n"

_OUT = "leads out of"
_NESTED = "is nested deeper than 64 levels"
_VALUES = "has more than 200000 values"
_UNKNOWN = "unknown; a person must judge it"
_RANGES = "has ranges of more than 10000 hosts"

_PLANTED: dict[str, tuple[Plant, str]] = {
    "alias bomb": (written("group_vars/all.yml", bomb()), _VALUES),
    "alias bomb in an inventory file": (written("more.yml", f"all:\n  vars:\n    x: 1\n{bomb()}"), _VALUES),
    "alias bomb without an extension": (written("more", bomb()), _VALUES),
    "alias bomb of merged dictionaries": (written("host_vars/web1.yml", merge_bomb()), _VALUES),
    "alias that holds itself": (written("group_vars/all.yml", "x: &x [1, *x]\n"), "that holds itself"),
    "many values": (written("group_vars/all.yml", "x: [" + "1," * 250_000 + "]\n"), _VALUES),
    "endless loop": (written("group_vars/all.yml", f'egov_ops_tool_path: ["{LOOP}"]\n'), _UNKNOWN),
    "endless loop in INI": (written("more", f"web1 egov_ops_witness_key='{LOOP}'\n"), _UNKNOWN),
    "lookup that runs a command": (
        written("host_vars/web1.yml", "egov_ops_witness_key: \"{{ lookup('pipe', 'touch mark') }}\"\n"),
        _UNKNOWN,
    ),
    "template in an address": (written("host_vars/web1.yml", "ansible_host: \"{{ 'x' * 9999999999 }}\"\n"), _UNKNOWN),
    "template that is a comment": (written("host_vars/web1.yml", 'egov_ops_witness_key: "/k{# x #}"\n'), _UNKNOWN),
    "value marked as unsafe": (written("host_vars/web1.yml", 'egov_ops_witness_key: !unsafe "/{{ x }}"\n'), _UNKNOWN),
    "encrypted value": (written("host_vars/web1.yml", SECRET), _UNKNOWN),
    "encrypted file": (
        written("host_vars/web1.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n"),
        "is encrypted, so that nobody has judged it",
    ),
    "object of Python": (
        written("group_vars/all.yml", "x: !!python/object/apply:os.system [touch mark]\n"),
        "has the tag 'tag:yaml.org,2002:python",
    ),
    "tag of its own": (written("group_vars/all.yml", "x: !include /etc/passwd\n"), "has the tag"),
    "inventory plugin": (written("more.yml", CONSTRUCTED), "names an inventory plugin"),
    "script": (written("more", SCRIPT, 0o755), "is a script or executable"),
    "script that is not executable": (written("more", SCRIPT), "is a script or executable"),
    "executable file of YAML": (written("hosts.yml", HOSTS, 0o755), "is a script or executable"),
    "program": (written("more", b"\x7fELF\x02\x01\x01" + bytes(64), 0o755), "is a script or executable"),
    "inventory of TOML": (written("more.toml", "[all.hosts]\nweb9 = {}\n"), "is TOML"),
    "host_vars linked to the root": (linked("host_vars", "/"), _OUT),
    "file linked to a password file": (linked("group_vars/all.yml", "/etc/shadow"), _OUT),
    "file linked upwards": (linked("more.yml", "../../../../../../../../etc/passwd"), _OUT),
    "file linked to a device without an end": (linked("more.yml", "/dev/zero"), _OUT),
    "file linked to what waits": (linked("more.yml", "/dev/stdin"), "is a link that leads nowhere"),
    "file linked to what the process can see of itself": (linked("more.yml", "/proc/self/environ"), _OUT),
    "link to itself": (linked("more.yml", "more.yml"), "is a link that leads nowhere"),
    "link to the folder that holds it": (linked("host_vars", "."), "is a link to a folder that holds it"),
    "links that multiply": (_weaves, "has more than 100 links"),
    "pipe": (_pipe, "is no file, but a pipe"),
    "socket": (_socket, "is no file, but a pipe, socket"),
    "large file": (written("group_vars/all.yml", "#" * (2 * 1024 * 1024)), "is larger than 1024 KiB"),
    "many large files": (_large_whole, "is larger than 32 MiB"),
    "many files": (_many, "has more than 20000 files"),
    "deep folders": (_deep_folders, "has more than 64 levels of folders"),
    "deep nesting": (written("group_vars/all.yml", "x: " + "[" * 100_000 + "]" * 100_000 + "\n"), _NESTED),
    "deep nesting without an end": (written("group_vars/all.yml", "x: " + "{a: " * 50_000), _NESTED),
    "deep nesting of JSON": (written("more.json", '{"a":' * 50_000 + "1" + "}" * 50_000), _NESTED),
    "deep nesting of INI": (written("more", f"web1 x={'[' * 20_000}{']' * 20_000}\n"), _NESTED),
    "signs in a row in INI": (written("more", f"web1 x={'-' * 50_000}1\n"), _NESTED),
    "range of hosts": (written("more.yml", "all: {hosts: {'web[1:999999999]': {}}}\n"), _RANGES),
    "ranges of ranges": (written("more.yml", "all: {hosts: {'[a:z][a:z][a:z][a:z][a:z]': {}}}\n"), _RANGES),
    "range of hosts in INI": (written("more", "web[1:999999999]\n"), _RANGES),
    "range without a beginning": (written("more", "web[:5000000]\n"), _RANGES),
    "range that hides its length": (written("more", f"web[{'0' * 9}1:{'0' * 9}1999999999]\n"), _RANGES),
    "range with underscores": (written("more.yml", "all: {hosts: {'web[1:9_999_999]': {}}}\n"), _RANGES),
    "long number": (written("group_vars/all.yml", f"x: {'9' * 900_000}\n"), "has a number of more than 1000"),
    "long number to the base of sixty": (written("group_vars/all.yml", f"x: 1{':59' * 300_000}\n"), "has a number of"),
    "long key": (written("group_vars/all.yml", f"? {'egov_ops_' * 100_000}\n: 1\n"), "has a key of more than 1024"),
    "long line of INI": (written("more", f"web1 x={'y' * 100_000}\n"), "has a line of more than 65536"),
    "name that forges lines": (written("host_vars/web1\n::error::x.yml", "x: 1\n"), "a name with control characters"),
}

ATTACKS = [Attack("change", "author of a change", name, plant, outcome) for name, (plant, outcome) in _PLANTED.items()]
