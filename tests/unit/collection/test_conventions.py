# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The conventions of the collection, checked on its own files."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import environment
import pytest
import yaml

ROOT = environment.ROOT
FILES = environment.checkout_files()
MODULES = sorted((environment.ROOT / "plugins/modules").glob("*.py"))
ROLES = sorted(path.parent.parent for path in ROOT.glob("roles/*/meta/argument_specs.yml"))
HOST_CODE = sorted([*(environment.ROOT / "plugins/module_utils").rglob("*.py"), *MODULES])
CONTROLLER_CODE = sorted((environment.ROOT / "plugins/plugin_utils").rglob("*.py"))
#: The lab is a program too, which finds its own folder.
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if path.name != "__main__.py")
COLLECTION = "ansible_collections.egov.ops"
OWN = f"{COLLECTION}.plugins."
#: The bindings of the system's package managers have no other home than the system's Python.
BINDINGS = ("apt_pkg", "dnf", "hawkey")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def constant(module: Path, name: str) -> str:
    """Return the text that a module's file assigns to a name."""
    for statement in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and [ast.unparse(target) for target in statement.targets] == [name]:
            return str(ast.literal_eval(statement.value))
    raise AssertionError(f"{relative(module)} has no {name}")


def fragment_of(path: Path) -> Any:
    """Return what a fragment adds to a module's documentation."""
    (fragment,) = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
    (text,) = [ast.literal_eval(node.value) for node in fragment.body if isinstance(node, ast.Assign)]
    return yaml.safe_load(text)


def imports(path: Path) -> Iterator[str]:
    """Yield the full names that a file imports when it runs: not what it names for the type checker alone."""
    nodes: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)} imports by a relative name"
            yield str(node.module)
        nodes += ast.iter_child_nodes(node)


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith((".py", ".yml", ".yaml"))])
def test_each_file_names_its_licence(name: str) -> None:
    generated = name.startswith("changelogs/")
    head = (environment.ROOT / name).read_text(encoding="utf-8").splitlines()[:6]
    assert generated or not head or "# SPDX-License-Identifier: GPL-3.0-or-later" in head


def test_the_action_group_names_each_module() -> None:
    group = load(environment.ROOT / "meta/runtime.yml")["action_groups"]["ops"]
    assert sorted(group) == [module.stem for module in MODULES]


def test_each_module_has_an_action_and_each_action_a_module() -> None:
    actions = sorted(path.stem for path in (environment.ROOT / "plugins/action").glob("*.py"))
    assert actions == [module.stem for module in MODULES]


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_each_module_says_what_check_mode_and_diff_do(module: Path) -> None:
    documentation = yaml.safe_load(constant(module, "DOCUMENTATION"))
    attributes: dict[str, Any] = {}
    for name in documentation.get("extends_documentation_fragment", ()):
        fragment = environment.ROOT / f"plugins/doc_fragments/{name.rpartition('.')[2]}.py"
        attributes = {**attributes, **fragment_of(fragment).get("attributes", {})}
    for name, entry in documentation.get("attributes", {}).items():
        attributes[name] = {**attributes.get(name, {}), **entry}
    assert {"check_mode", "diff_mode"} <= set(attributes)
    assert all(
        entry.get("description") or entry.get("details")
        for entry in attributes.values()
        if entry.get("support") == "none"
    )


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_each_module_shows_how_it_is_called_and_what_it_returns(module: Path) -> None:
    calls = yaml.safe_load(constant(module, "EXAMPLES"))
    returned = yaml.safe_load(constant(module, "RETURN"))
    assert any(f"egov.ops.{module.stem}" in call for call in calls)
    assert returned
    assert all({"description", "type", "returned"} <= set(value) for value in returned.values())


@pytest.mark.parametrize("role", ROLES, ids=relative)
def test_a_roles_defaults_are_those_of_its_argument_spec(role: Path) -> None:
    options = load(role / "meta/argument_specs.yml")["argument_specs"]["main"].get("options", {})
    defaults = role / "defaults/main.yml"
    expected = {name: option["default"] for name, option in options.items() if "default" in option}
    assert ((load(defaults) or {}) if defaults.exists() else {}) == expected


@pytest.mark.parametrize("role", ROLES, ids=relative)
def test_a_roles_variables_start_with_its_name_or_that_of_the_plan(role: Path) -> None:
    options = load(role / "meta/argument_specs.yml")["argument_specs"]["main"].get("options", {})
    assert [name for name in options if not name.startswith((f"{role.name}_", "egov_ops_"))] == []


def test_each_role_has_an_argument_spec() -> None:
    assert [path.name for path in sorted(ROOT.glob("roles/*")) if path.is_dir()] == [role.name for role in ROLES]


@pytest.mark.parametrize("path", HOST_CODE, ids=relative)
def test_host_code_keeps_to_the_grammar_of_python_3_6(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_host_code_compiles_on_python_3_6(interpreter: Callable[[str], str]) -> None:
    check = "import sys\nfor name in sys.argv[1:]: compile(open(name, encoding='utf-8').read(), name, 'exec')"
    files = [str(path) for path in HOST_CODE]
    done = subprocess.run([interpreter("3.6"), "-c", check, *files], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", HOST_CODE, ids=relative)
def test_host_code_imports_its_own_room_and_the_standard_library_alone(path: Path) -> None:
    room = path.parts[path.parts.index("module_utils") + 1] if "module_utils" in path.parts else None
    known = {*sys.stdlib_module_names, *BINDINGS, "_sha2"}  # which is _sha256 from Python 3.12 on
    outside = {name for name in imports(path) if name.split(".")[0] not in known}
    if room is None:
        own = {name for name in outside if name.startswith(f"{OWN}module_utils.")}
        assert outside - own <= {"ansible.module_utils.basic", "ansible.module_utils.common.respawn"}
    else:
        rooms = (f"{OWN}module_utils.host.", f"{OWN}module_utils.{room}.")
        assert [name for name in sorted(outside) if not f"{name}.".startswith(rooms)] == []
        assert "typing" not in set(imports(path)), "typing costs each host 5 ms: import it under TYPE_CHECKING"


@pytest.mark.parametrize("path", CONTROLLER_CODE, ids=relative)
def test_controller_code_reaches_into_no_domain_of_the_host_half(path: Path) -> None:
    allowed = (f"{OWN}plugin_utils", f"{OWN}module_utils.host.")
    assert [name for name in imports(path) if name.startswith(OWN) and not name.startswith(allowed)] == []


@pytest.mark.parametrize("front", ["README.md", "README.zh-CN.md"])
def test_each_page_can_be_reached_from_the_readme(front: str) -> None:
    reached = set(ROOT.glob("README*.md"))  # not by way of the other language
    waiting = {ROOT / front}
    while waiting:
        page = waiting.pop()
        reached.add(page)
        links = re.findall(r"\]\(([^):#]+\.md)", page.read_text(encoding="utf-8"))
        waiting |= {(page.parent / link).resolve() for link in links} - reached
    assert set((ROOT / "docs").glob("*.md")) <= reached


def test_each_change_is_in_the_changelog_or_waits_there() -> None:
    waiting = [name for name in FILES if name.startswith("changelogs/fragments/")]
    assert waiting or load(environment.ROOT / "changelogs/changelog.yaml")["releases"]


def test_a_role_with_handlers_is_flushed_inside_the_block_of_its_procedures() -> None:
    notified = [path.parent.name for path in (environment.ROOT / "roles").glob("*/handlers")]
    for playbook in (environment.ROOT / "playbooks").glob("*.yml"):
        text = playbook.read_text()
        if any(f"egov.ops.{role}" in text for role in notified):
            assert "flush_handlers" in text, playbook.name


@pytest.mark.parametrize("path", TESTS, ids=relative)
def test_what_a_test_shares_is_imported_from_tests_support(path: Path) -> None:
    files = {other.stem for other in TESTS} - {other.stem for other in ROOT.glob("tools/*.py")}
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    assert [name for name in names if name.split(".")[0] in files] == [], "a test's file has no name of its own"
    shared = [name.partition("tests.")[2] for name in names if name.startswith(("tests.", f"{COLLECTION}.tests."))]
    assert [name for name in shared if not name.startswith(("support.", "browser.", "suite"))] == []
