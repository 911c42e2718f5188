# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages of the controller: what each offers, what each may import, and no way round in a circle."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import environment
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils import offering
from ansible_collections.egov.ops.plugins.plugin_utils.transport.module_bundle import imports

PLUGINS = environment.ROOT / "plugins"
ROOM = PLUGINS / "plugin_utils"
OWN = "ansible_collections.egov.ops.plugins."
PREFIX = f"{OWN}plugin_utils"

#: From the top down: a package imports those after it alone.
PACKAGES = (
    "actions",
    "inventory_check",
    "runs",
    "backup",
    "gates",
    "machines",
    "report",
    "plan",
    "operations",
    "ledger",
    "schedule",
    "transport",
    "common",
)

#: Of the host half of backups, likewise; neighbours may import each other.
BACKUP = (
    {"run"},
    {"restores", "proofs", "repositories"},
    {"engines", "fs_snapshots", "history"},
    {"sets"},
    {"options", "types"},
)

MODULES = sorted(path for path in ROOM.rglob("*.py") if path.name != "__init__.py")
USERS = sorted([*PLUGINS.rglob("*.py"), *environment.ROOT.glob("tools/*.py")])
#: The longest file that a reader takes in.
LONGEST = 350


def name_of(path: Path) -> str:
    """Return a file's name below `plugins`, dotted."""
    return ".".join(path.relative_to(PLUGINS).with_suffix("").parts).removesuffix(".__init__")


def relative(path: Path) -> str:
    return str(path.relative_to(environment.ROOT))


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (origin, name) of all that a file imports of the controller's packages, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"{PREFIX}."):
            yield from ((str(node.module).removeprefix(OWN), alias.name) for alias in node.names)


def offered(package: str) -> dict[str, str]:
    """Return {name: module} of what a package offers to type checkers; a module that it offers is its own."""
    names = {}
    for origin, name in imported(ROOM / package / "__init__.py"):
        if name != "offering":
            is_module = (PLUGINS / origin.replace(".", "/") / f"{name}.py").exists()
            names[name] = f"{origin}.{name}" if is_module else origin
    return names


def table_of(package: str) -> dict[str, tuple[str, ...]]:
    """Return {module: names} of what a package offers when it runs."""
    for node in ast.walk(ast.parse((ROOM / package / "__init__.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == offering.__name__:
            table: dict[str, tuple[str, ...]] = ast.literal_eval(node.args[1])
            return table
    return {}


def home_of(origin: str, name: str) -> str:
    """Return the module that an import loads."""
    if (PLUGINS / f"{origin}.{name}".replace(".", "/")).with_suffix(".py").exists():
        return f"{origin}.{name}"
    return offered(origin.partition(".")[2]).get(name, origin) if origin.count(".") == 1 else origin


def test_each_folder_is_a_package_of_the_list() -> None:
    assert sorted(path.name for path in ROOM.iterdir() if path.is_dir() and path.name != "__pycache__") == sorted(
        PACKAGES
    )
    assert [path.name for path in ROOM.glob("*.py")] == ["__init__.py"]


@pytest.mark.parametrize("path", USERS, ids=relative)
def test_a_package_is_imported_through_the_names_that_it_offers(path: Path) -> None:
    inside = ".".join(name_of(path).split(".")[:2]) if ROOM in path.parents else ""
    for origin, name in imported(path):
        package = ".".join(origin.split(".")[:2])
        if package != inside and origin != "plugin_utils":
            assert origin == package, f"{origin} is inside {package}"
            assert name in offered(package.partition(".")[2]), f"{package} does not offer {name}"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_offers_the_same_to_programs_and_to_type_checkers(package: str) -> None:
    module = import_module(f"{PREFIX}.{package}")
    for name, home in offered(package).items():
        there = import_module(f"{OWN}{home}")
        assert getattr(module, name) is (there if home == f"plugin_utils.{package}.{name}" else getattr(there, name))
    of_definitions = {name: home for name, home in offered(package).items() if home != f"plugin_utils.{package}.{name}"}
    table = {name: f"plugin_utils.{package}.{home}" for home, names in table_of(package).items() for name in names}
    assert table == of_definitions


@pytest.mark.parametrize("package", PACKAGES)
def test_no_name_that_a_package_offers_is_hidden_by_a_module(package: str) -> None:
    """Python sets a package's attribute to each module that it loads, and would hide what has the same name."""
    modules = {path.stem for path in (ROOM / package).glob("*.py")} | {
        path.name for path in (ROOM / package).glob("*/")
    }
    assert [name for names in table_of(package).values() for name in names if name in modules] == []


def test_what_a_package_does_not_offer_is_an_error() -> None:
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        exec(f"from {PREFIX}.ledger import nothing")


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_package_imports_those_below_it_alone(path: Path) -> None:
    package = name_of(path).split(".")[1]
    below = PACKAGES[PACKAGES.index(package) :]
    assert [origin for origin, _ in imported(path) if "." in origin and origin.split(".")[1] not in below] == []


@pytest.mark.parametrize("path", sorted((PLUGINS / "module_utils/backup").rglob("*.py")), ids=relative)
def test_a_package_of_the_host_half_imports_none_above_it(path: Path) -> None:
    """What only a type checker reads may name what is above, since it does not travel."""
    level = {name: number for number, names in enumerate(BACKUP) for name in names}
    own = level[path.relative_to(PLUGINS / "module_utils/backup").with_suffix("").parts[0]]
    for name in imports(path.read_text(encoding="utf-8")):
        if name.startswith("backup."):
            assert level[name.split(".")[1]] >= own, name


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {name_of(path): {home_of(*pair) for pair in imported(path)} for path in MODULES}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("path", sorted(PLUGINS.rglob("*.py")), ids=relative)
def test_no_file_is_longer_than_a_reader_takes_in(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_a_ledger_is_opened_in_one_place() -> None:
    opened = {
        relative(path)
        for path in USERS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Ledger", "sqlite.Ledger")
    }
    assert opened == {"plugins/plugin_utils/ledger/connection.py"}


def test_what_domains_share_on_a_host_knows_none_of_them() -> None:
    """A journal and an atomic swap serve each domain that changes a host."""
    for path in (PLUGINS / "module_utils/host").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(OWN):
                assert node.module.startswith(f"{OWN}module_utils.host"), relative(path)
