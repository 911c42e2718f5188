# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of our code is compiled, once for all starts, and what of it travels to a host."""

from __future__ import annotations

import ast
import base64
import json
import os
import shutil
import subprocess
import sys
import textwrap
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.transport import module_bundle as subject
from ansible_collections.egov.ops.plugins.plugin_utils.transport import stream
from ansible_collections.egov.ops.plugins.plugin_utils.transport.module_bundle import PACKAGE, imports, sources

ROOM = Path(subject.__file__).parents[2] / "module_utils"
MODULES = sorted(path for path in ROOM.rglob("*.py") if path.name != "__init__.py")

#: Start as ansible does, import what each run needs, and tell which of our modules were compiled for it.
START = """
import builtins, json, sys
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
_AnsibleCollectionFinder(paths=[sys.argv[1]])._install()
real, seen = builtins.compile, []
def note(source, filename, *rest, **more):
    if "/egov/ops/" in str(filename):
        seen.append(str(filename))
    return real(source, filename, *rest, **more)
builtins.compile = note
import ansible_collections.egov.ops.plugins.plugin_utils.actions.task
print(json.dumps(seen))
"""


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Give a folder in which Python keeps what it compiles, empty, and sources that nobody has read yet."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "compiled"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    sources.cache_clear()
    subject._read.cache_clear()
    yield tmp_path / "compiled"
    sources.cache_clear()
    subject._read.cache_clear()
    subject._is_module.cache_clear()


def worst_of(interpreter: str, **changed: str) -> dict[str, object]:
    """Send a half of one line whose envelope has been changed, and return its result."""
    data, nonce = stream.envelope(("host.record", "worst"), {}, {"timeout": 5}, {})
    data = json.dumps({**json.loads(data), **changed}).encode()
    done = subprocess.run(["sh", "-c", stream.command(interpreter)], input=data, capture_output=True, check=False)
    return stream.parse(done.stdout.decode(), nonce, {})


def name_of(path: Path) -> str:
    """Return a module's name below the package of host code."""
    return ".".join(path.relative_to(ROOM).with_suffix("").parts)


NAMES = {name_of(path) for path in MODULES}


class NeededModules(ast.NodeVisitor):
    """Collects the modules of host code that a source imports when it runs."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) != "TYPE_CHECKING":
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        assert not any(alias.name.startswith(PACKAGE) for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if (node.module or "").startswith(PACKAGE):
            origin = str(node.module).removeprefix(PACKAGE).strip(".")
            self.names |= {origin} if origin in NAMES else {f"{origin}.{alias.name}" for alias in node.names}


@pytest.fixture
def deep_room(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a room of host code whose packages lie three deep, beside the frame's own room."""
    room = tmp_path / "module_utils"
    shutil.copytree(ROOM / "host", room / "host", ignore=shutil.ignore_patterns("__pycache__"))
    files = {
        "deep/__init__.py": "",
        "deep/top.py": f"""\
            from {PACKAGE}.deep.inner import first, other as second  # a package: these are modules
            from {PACKAGE}.deep.inner.lowest.last import VALUE

            TYPE_CHECKING = False
            if TYPE_CHECKING:
                from typing import Any

                from {PACKAGE}.deep.inner.unsent import Unsent

            def half(arguments, host):
                from {PACKAGE}.deep.inner.lowest import (
                    late,  # imported, where needed
                )
                return {{"changed": False, "msg": "%s %s %s %s" % (first.VALUE, second.VALUE, VALUE, late.VALUE)}}
            """,
        "deep/inner/__init__.py": "",
        "deep/inner/first.py": "VALUE = 'first'",
        "deep/inner/other.py": f"from {PACKAGE}.deep.inner.first import VALUE as FIRST\nVALUE = FIRST + '-other'",
        "deep/inner/unsent.py": "class Unsent: pass",
        "deep/inner/lowest/last.py": "VALUE = 'last'",
        "deep/inner/lowest/late.py": "VALUE = 'late'",
    }
    for name, text in files.items():
        (room / name).parent.mkdir(parents=True, exist_ok=True)
        (room / name).write_text(textwrap.dedent(text))
    monkeypatch.setattr(subject, "_ROOM", room)
    subject._is_module.cache_clear()
    return room


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_imports_of_a_module_are_those_that_python_sees(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    needed = NeededModules()
    needed.visit(ast.parse(text))
    assert imports(text) == needed.names
    assert imports(text) <= NAMES


@pytest.mark.parametrize("version", ["3.6", "3.9", ""])
def test_modules_at_any_depth_travel_and_are_imported(
    deep_room: Path, interpreter: Callable[[str], str], version: str
) -> None:
    data, nonce = stream.envelope(("deep.top", "half"), {}, {"timeout": 5, "state_dir": str(deep_room)}, {})
    command = stream.command(interpreter(version) if version else sys.executable)
    done = subprocess.run(["sh", "-c", command], input=data, capture_output=True, check=False)
    assert stream.parse(done.stdout.decode(), nonce, {})["msg"] == "first first-other last late"


def test_what_only_a_type_checker_reads_stays_behind(deep_room: Path) -> None:
    packed = sources("deep.top").envelope["sources"]
    sent = set(json.loads(zlib.decompress(base64.b64decode(packed))))
    assert {name for name in sent if ".deep." in name} == {
        f"{PACKAGE}.deep.{name}"
        for name in ("top", "inner.first", "inner.other", "inner.lowest.last", "inner.lowest.late")
    }


def test_an_import_that_no_module_answers_is_an_error(deep_room: Path) -> None:
    (deep_room / "deep/top.py").write_text(f"from {PACKAGE}.deep.inner import missing\n")
    with pytest.raises(FileNotFoundError, match="missing"):
        sources("deep.top")


def test_a_half_takes_along_what_it_needs_of_its_room_and_no_more(fresh: Path) -> None:
    alone = json.loads(stream.envelope(("host.record", "worst"), {}, {}, {})[0])
    assert len(alone["code"]) < len(sources("backup.run").envelope["code"]) / 3
    assert sources("backup.run").digest != sources("backup.proofs.proof").digest


def test_the_digest_of_the_sources_is_the_same_each_time() -> None:
    first = sources("health.prober").digest
    sources.cache_clear()
    assert sources("health.prober").digest == first


def test_a_python_of_our_bytecode_is_given_it(fresh: Path) -> None:
    assert str(worst_of(sys.executable, sources="broken")["msg"]).startswith(
        "The program of egov.ops on the host broke"
    )
    assert list(fresh.rglob("record.*.pyc"))


@pytest.mark.parametrize("version", ["3.6", "3.9", "3.13"])
def test_any_other_python_is_given_the_sources(fresh: Path, interpreter: Callable[[str], str], version: str) -> None:
    result = worst_of(interpreter(version), code="broken")
    assert str(result["msg"]).startswith("The program of egov.ops on the host broke: TypeError in ")
    assert str(result["python"]).startswith(version)


def test_what_was_packed_before_is_taken_as_long_as_it_is_of_the_same_sources(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sources("host.record")
    (kept,) = fresh.rglob("record.*.stream.pyc")
    assert [path.name for path in fresh.rglob("*.stream*.pyc")] == [kept.name]
    monkeypatch.setattr(subject, "_packed", lambda content: pytest.fail("packed again"))
    sources.cache_clear()
    assert sources("host.record") == first
    monkeypatch.undo()
    monkeypatch.setattr(sys, "pycache_prefix", str(fresh))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    whole = kept.read_bytes()
    for damaged in (
        b"",
        whole[:-9],
        b"\0" * len(whole),
        b"[]",
        b'{"digest":1}',
        whole.replace(b'"digest": "', b'"digest": "0'),
    ):
        kept.write_bytes(damaged)
        sources.cache_clear()
        again = sources("host.record")
        assert (again.digest, again.envelope["sources"]) == (first.digest, first.envelope["sources"])
        assert json.loads(kept.read_bytes()) == {**json.loads(whole), "envelope": again.envelope}


def test_where_nothing_compiled_can_be_kept_the_sources_travel_alone(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert sources("host.record").envelope["code"] == ""
    assert worst_of(sys.executable)["python"]


def test_a_run_compiles_none_of_our_modules_that_an_earlier_one_has_compiled(tmp_path: Path) -> None:
    tree = next(parent for parent in Path(subject.__file__).parents if parent.name == "ansible_collections").parent
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONPYCACHEPREFIX"] = str(tmp_path)

    def compiled(**more: str) -> list[str]:
        command = [sys.executable, "-c", START, str(tree)]
        done = subprocess.run(command, env={**environment, **more}, capture_output=True, text=True, check=True)
        return [str(Path(name).relative_to(tree)) for name in json.loads(done.stdout)]

    assert compiled(PYTHONDONTWRITEBYTECODE="1")
    compiled()
    ours = "ansible_collections/egov/ops/plugins/plugin_utils/"
    assert [name for name in compiled() if name != f"{ours}__init__.py"] == []
