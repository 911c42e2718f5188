# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types guard: mypy finds what a change of a shared type breaks in each room, and few values have none."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import environment
import pytest

PLUGINS = environment.ROOT / "plugins"
ROOMS = PLUGINS / "module_utils"
#: Where the plugins lie in a tree that mypy is given.
COPY = ".cache/tree/ansible_collections/egov/ops/plugins"
#: The rooms of host code in which each `Any` has its reason.
TYPED = ("backup", "hardening", "health", "host", "packages")

#: How often `dict[str, Any]` may stand in each folder. The numbers only sink.
UNTYPED = {
    "action": 105,
    "lookup": 3,
    "module_utils/backup": 2,
    "module_utils/host": 2,
    "plugin_utils": 233,
}
#: How often a host, or what looks at it, may be given as `Any`.
UNTYPED_HOSTS: dict[str, int] = {}

#: Changes of a shared type: the file of `host`, what is replaced, and by what.
CHANGES = {
    "method of Host": ("half.py", "    def run(\n", "    def run_tool(\n"),
    "attribute of Host": ("half.py", "self.now = ", "self.today = "),
    "key of Observation": ("types.py", "        status: str\n", "        state: str\n"),
    "key of Result": ("types.py", "        evidence: ", "        found: "),
}
#: The rooms that each change breaks.
BROKEN = {"backup", "hardening", "health", "packages"}


#: The packages of the controller that a renamed key of a stored record breaks, by the key.
BROKEN_BY_KEY = {
    "status": {"actions", "gates", "ledger", "report", "runs"},
    "host": {"backup", "gates", "ledger", "report", "runs"},
    "detail": {"backup", "gates", "ledger", "report"},
}


def mypy(root: Path, folder: str = "module_utils") -> str:
    """Return what mypy says about a folder of the plugins in a tree, with the settings of the suite."""
    rooms = root / COPY / folder
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(root / "cache"), str(rooms)]
    return subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=False).stdout


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a copy of the host code in which mypy finds nothing."""
    root = tmp_path_factory.mktemp("types")
    shutil.copy(environment.ROOT / "pyproject.toml", root)
    copy = root / ".cache/tree/ansible_collections/egov/ops/plugins/module_utils"
    shutil.copytree(ROOMS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert mypy(root).startswith("Success")
    return root


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_type_fails_in_each_room_that_uses_it(checked: Path, change: str) -> None:
    name, before, after = CHANGES[change]
    path = checked / ".cache/tree/ansible_collections/egov/ops/plugins/module_utils/host" / name
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after))
    try:
        answer = mypy(checked)
    finally:
        path.write_text(text)
    broken = {found.group(1) for found in re.finditer(r"/module_utils/(\w+)/\S+: error: ", answer)}
    assert broken >= BROKEN, answer


def test_no_more_values_than_these_are_dictionaries_of_anything() -> None:
    counted: Counter[str] = Counter()
    for path in PLUGINS.rglob("*.py"):
        counted[folder_of(path)] += len(re.findall(r"\b[Dd]ict\[str, Any\]", path.read_text()))
    judge(counted, UNTYPED)


def test_no_more_hosts_than_these_are_anything() -> None:
    counted: Counter[str] = Counter()
    for path in ROOMS.rglob("*.py"):
        named = [kind for name, kind in arguments(path) if name in ("host", "machine", "operation", "probe")]
        counted[folder_of(path)] += named.count("Any")
    judge(counted, UNTYPED_HOSTS)


@pytest.fixture(scope="module")
def checked_controller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a copy of the plugins in whose controller code mypy finds nothing."""
    root = tmp_path_factory.mktemp("records")
    shutil.copy(environment.ROOT / "pyproject.toml", root)
    for folder in ("module_utils", "plugin_utils"):
        shutil.copytree(PLUGINS / folder, root / COPY / folder, ignore=shutil.ignore_patterns("__pycache__"))
    assert mypy(root, "plugin_utils").startswith("Success")
    return root


@pytest.mark.slow
@pytest.mark.parametrize("key", BROKEN_BY_KEY)
def test_a_renamed_key_of_a_record_fails_in_each_package_that_reads_it(checked_controller: Path, key: str) -> None:
    path = checked_controller / COPY / "plugin_utils/ledger/model.py"
    text = path.read_text()
    head, _mark, fields = text.partition("class Record(TypedDict):")
    path.write_text(f"{head}{_mark}{fields.replace(f'    {key}: ', f'    {key}_renamed: ', 1)}")
    try:
        answer = mypy(checked_controller, "plugin_utils")
    finally:
        path.write_text(text)
    broken = {found.group(1) for found in re.finditer(r"/plugin_utils/(\w+)/\S+: error: ", answer)}
    assert broken >= BROKEN_BY_KEY[key], answer


def judge(counted: Counter[str], allowed: dict[str, int]) -> None:
    """Compare what was counted in each folder with the table."""
    more = {folder: number for folder, number in counted.items() if number > allowed.get(folder, 0)}
    assert more == {}, "name a type: a TypedDict, a NamedTuple, Host"
    fewer = {folder: counted[folder] for folder, number in allowed.items() if counted[folder] < number}
    assert fewer == {}, "lower the numbers in the table"


@pytest.mark.parametrize("room", TYPED)
def test_each_any_of_a_typed_room_has_its_reason(room: str) -> None:
    bare = []
    for path in files(f"module_utils/{room}"):
        lines = path.read_text().splitlines()
        for place, line in enumerate(lines):
            known = re.search(r"\bAny\b", line) and not re.match(r" *from typing import|.*\bAny: ", line)
            # a reason stands at the line, or above the lines that it is for
            if known and not any("Any: " in above for above in lines[max(0, place - 3) : place]):
                bare.append(f"{path.name}:{place + 1}: {line.strip()}")
    assert bare == []


def arguments(path: Path) -> Iterator[tuple[str, str]]:
    """Yield name and type of each argument in a file of host code."""
    for function in ast.walk(ast.parse(path.read_text(), type_comments=True)):
        if isinstance(function, ast.FunctionDef) and function.type_comment:
            comment = ast.parse(function.type_comment.partition("  #")[0], mode="func_type")
            names = [argument.arg for argument in function.args.args]
            kinds = [ast.unparse(kind) for kind in comment.argtypes]
            yield from zip(reversed(names), reversed(kinds), strict=False)  # the comment leaves `self` out


def folder_of(path: Path) -> str:
    """Return the folder of the plugins that a file belongs to; of host code its room."""
    parts = path.relative_to(PLUGINS).parts
    return "/".join(parts[:2]) if parts[0] == "module_utils" else parts[0]


def files(folder: str) -> list[Path]:
    """Return the Python files below a folder of the plugins."""
    return sorted((PLUGINS / folder).rglob("*.py"))
