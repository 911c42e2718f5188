# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract of the engines as it is written down: in CONTRIBUTING, and in what the rest of the room may know."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import environment
import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup import prune, registry
from ansible_collections.egov.ops.plugins.module_utils.backup.engine import CAPABILITIES, Engine, NotSupported
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError, Host

ROOM = environment.ROOT / "plugins/module_utils/backup"
SECTION = (environment.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("**An engine**")[2]

#: Where the name of an engine may stand: the files of restic, and the registry.
OF_RESTIC = ("registry.py", "restic*.py", "unfinished.py", "upkeep.py")


def others(*patterns: str) -> list[Path]:
    """Return the files of the room that belong to no engine."""
    own = {path for pattern in patterns for path in ROOM.glob(pattern)}
    assert len(own) >= len(patterns)
    return sorted(set(ROOM.glob("*.py")) - own)


@pytest.mark.parametrize("engine", sorted(registry.ENGINES))
def test_no_other_file_of_the_room_names_an_engine(engine: str) -> None:
    for path in others(*OF_RESTIC, f"{engine}.py"):
        text = path.read_text(encoding="utf-8").lower()
        assert not re.search(rf"\b{engine}(\b|_)", text), f"{path.name} knows {engine}"


def test_no_other_file_of_the_room_imports_a_file_of_an_engine() -> None:
    names = "|".join(path.stem for pattern in OF_RESTIC[1:] for path in ROOM.glob(pattern))
    for path in others(*OF_RESTIC):
        assert not re.search(rf"backup\.({names}) import|backup import .*\b({names})\b", path.read_text()), path.name


def test_contributing_names_each_capability_with_its_methods() -> None:
    rows = re.findall(r"^\s*\| `(\w+)` \| ([^|]*) \|", SECTION, re.MULTILINE)
    written = {capability: re.findall(r"`(\w+)`", methods) for capability, methods in rows}
    assert written == {name: list(methods) for name, (methods, _lacking) in CAPABILITIES.items()}


def test_contributing_names_what_each_engine_must_have() -> None:
    (words,) = re.findall(r"must have ([^.]*)\.", " ".join(SECTION.split()))
    assert set(re.findall(r"`(\w+)`", words)) == {"ENGINE", "CAN", *Engine.__abstractmethods__}


def test_each_method_of_the_contract_belongs_to_a_capability_or_needs_none() -> None:
    of_capabilities = {method for methods, _lacking in CAPABILITIES.values() for method in methods}
    public = {
        name for name, value in vars(Engine).items() if inspect.isfunction(value) and not name.startswith("_")
    } - Engine.__abstractmethods__
    #: What has an answer for every engine.
    general = {"by_hand", "check_location", "is_whole", "new_packs", "part_of", "require"}
    assert public == of_capabilities | general


class Bare(Engine):
    """An engine that can do nothing."""

    ENGINE = "bare"

    def create(self, lock: int) -> None:
        """Make nothing."""


def test_each_lack_is_one_sentence_that_names_engine_repository_and_capability() -> None:
    host = Host({"state_dir": "/nonexistent"})
    for capability in CAPABILITIES:
        with pytest.raises(NotSupported, match=rf"^Engine bare of repository far does not support {capability}: .*\.$"):
            Bare("far", "/x", "", "", host).require(capability)


def test_who_uses_a_repository_is_not_known_of_an_engine_without_locks() -> None:
    bare = Bare("far", "/x", "", "", Host({"state_dir": "/nonexistent"}))
    assert prune._users(bare) == "engine bare does not say who"


def test_an_engine_that_is_not_there_is_refused_with_those_that_are() -> None:
    host = Host({"state_dir": "/nonexistent"})
    with pytest.raises(HalfError, match=r"^Engine pigeon of repository far is none of restic"):
        registry.open_engine("far", {"far": {"location": "/x", "engine": "pigeon"}}, host)


def test_a_repository_of_one_engine_imports_no_other(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from ansible_collections.egov.ops.plugins.module_utils.backup import registry\n"
        "assert not [name for name in sys.modules if name.endswith('backup.restic')]\n"
        "registry.ENGINES['other'] = lambda: sys.exit('imported')\n"
        "from ansible_collections.egov.ops.plugins.module_utils.host.half import Host\n"
        "host = Host({'state_dir': sys.argv[1]}, {'repository:far': 'x'})\n"
        "print(registry.open_engine('far', {'far': {'location': 'here'}}, host).location)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout == f"{tmp_path}/here\n", done.stderr
