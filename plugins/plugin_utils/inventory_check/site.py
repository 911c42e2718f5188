# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An inventory that is loaded from a path as a run would load it, but without any vault password."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import jinja2.meta
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.manager import VariableManager
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.source_lines import (
    ENCRYPTED,
    Fault,
    Finding,
    Place,
    Places,
    shown_path,
)
from ansible_collections.egov.ops.plugins.plugin_utils.plan import PREFIX, InventoryPlan, Opaque, Problem, plain

if TYPE_CHECKING:
    from ansible.inventory.host import Host

#: The rules of faults with which nothing else of an inventory is checked.
UNREADABLE = ("syntax", "untrusted")
#: How the names of variables begin that stand in an encrypted file.
_VAULT = "vault_"
#: Names in a template that are functions of Ansible and Jinja, not variables.
_FUNCTIONS = {"dict", "lookup", "namespace", "now", "omit", "q", "query", "range", "undef"}


class Site:
    """An inventory and what its hosts' variables are. Where a file of it cannot be read there are no hosts."""

    def __init__(self, path: str) -> None:
        """Load the inventory at a path, which must exist."""
        self.places = Places(path)
        self.faults = self.places.faults
        self.hosts: dict[str, Host] = {}
        self.groups: list[str] = []
        if not self.is_loaded:
            return
        loader = _Loader()
        try:
            inventory = _Inventory(loader=loader, sources=[path])
        except AnsibleError as error:
            self.faults.append(_unparsed(Path(path), [str(error)]))
            return
        encrypted = {str(Path(file).resolve()) for file in loader.encrypted}
        self.faults += [
            _unparsed(Path(source), reasons)
            for source, reasons in inventory.unparsed.items()
            if str(Path(source).resolve()) not in encrypted
        ]
        if not self.is_loaded:
            return
        self.hosts = {host.name: host for host in inventory.get_hosts()}
        self.groups = list(inventory.groups)
        self._reader = InventoryPlan(VariableManager(loader=loader, inventory=inventory), None)
        self._prepare(loader)

    def _prepare(self, loader: DataLoader) -> None:
        """Make ready what fills in templates."""
        self._templates = _Templates(Templar(loader=loader))

    @property
    def is_loaded(self) -> bool:
        """Return whether all files of the inventory could be read."""
        return not any(fault.problem.rule in UNREADABLE for fault in self.faults)

    def variables(self, host_name: str) -> tuple[Mapping[str, object], list[Problem]]:
        """Return a host's variables, those of the plan templated and the encrypted ones opaque, and what is wrong.

        A variable that cannot be templated is left out.
        """
        host, problems = self.hosts[host_name], []
        written = self._reader.written(host_name)
        variables = dict(written)
        hidden = self.places.may_be_encrypted(host)
        for name, value in written.items():
            if name.startswith(PREFIX):
                self._templates.doubtful.clear()
                try:
                    variables[name] = self._templates.render(host_name, written, value, hidden)
                except AnsibleError as error:
                    sentence = f"{name} cannot be templated: {' '.join(str(error).split()).rstrip('.')}."
                    problems.append(Problem(name, "", sentence, rule="template"))
                    del variables[name]
                if self._templates.doubtful:
                    needed = ", ".join(sorted(self._templates.doubtful))
                    sentence = (
                        f"{name} needs {needed}, which no file that can be read sets; it is taken to stand in an "
                        f"encrypted one, where such a name begins with {_VAULT}."
                    )
                    problems.append(Problem(name, "", sentence, fatal=False, rule="template"))
            elif is_vaulted(value):
                variables[name] = Opaque(str(value._ciphertext))
        return variables, problems

    def settled(self, findings: list[Finding], earlier: Any, in_present: Callable[[Any], Any]) -> Iterator[Finding]:
        """Yield findings once it is known what the earlier state is, None where nothing is compared."""
        yield from findings

    def unknown_values(self) -> dict[str, int]:
        """Return the variables with values that nobody has judged, each with how many."""
        return {}

    def read_text(self, path: str) -> str:
        """Return the text of a file that the plan names; raises OSError or UnicodeDecodeError."""
        return Path(path).read_text(encoding="utf-8")


class _Loader(DataLoader):  # type: ignore[misc]
    """Reads files, those that are encrypted as a whole as if they were empty."""

    def __init__(self) -> None:
        super().__init__()
        self.encrypted: set[str] = set()

    def load_from_file(self, file_name: str, *arguments: Any, **options: Any) -> Any:
        path = Path(self.path_dwim(file_name))
        with path.open("rb") as stream:
            if stream.read(len(ENCRYPTED)) == ENCRYPTED:
                self.encrypted.add(str(path))
                return {}
        return super().load_from_file(file_name, *arguments, **options)


class _Inventory(InventoryManager):  # type: ignore[misc]
    """Remembers the sources that no plugin could parse, and what the plugins said."""

    def __init__(self, loader: DataLoader, sources: list[str]) -> None:
        self.unparsed: dict[str, list[str]] = {}
        self._said: list[str] = []
        super().__init__(loader=loader, sources=sources)

    def parse_source(self, source: str, cache: bool = False) -> Any:
        self._said = []
        parsed = super().parse_source(source, cache=cache)
        if not parsed and not Path(source).is_dir():
            self.unparsed[source] = self._said
        return parsed

    def _fetch_inventory_plugins(self) -> Any:
        plugins = super()._fetch_inventory_plugins()
        for plugin in plugins:
            plugin.parse = self._listening(plugin.parse)
        return plugins

    def _listening(self, parse: Any) -> Any:
        def listen(*arguments: Any, **options: Any) -> Any:
            try:
                return parse(*arguments, **options)
            except Exception as error:
                self._said.append(str(error))
                raise

        return listen


class _Templates:
    """Templates values once for each text and what the variables in it stand for."""

    def __init__(self, templar: Any) -> None:
        self._templar = templar
        self.doubtful: set[str] = set()
        self._names: dict[str, frozenset[str]] = {}
        self._known: dict[tuple[str, str], Any] = {}
        self._constant: dict[int, Any] = {}

    def render(self, host: str, variables: Mapping[str, Any], value: Any, hidden: bool) -> Any:
        """Return a value with its templates filled in and its encrypted parts opaque.

        hidden tells that some variables cannot be seen: a template that would need one is opaque too. Values without
        either come back as they are. Raises AnsibleError.
        """
        if id(value) in self._constant:
            return value
        if is_vaulted(value):
            return Opaque(str(value._ciphertext))
        if isinstance(value, str):
            return self._text(host, variables, value, hidden) if _is_template(value) else value
        if isinstance(value, Mapping):
            found: Any = {key: self.render(host, variables, inner, hidden) for key, inner in value.items()}
            same = all(found[key] is inner for key, inner in value.items())
        elif isinstance(value, (list, tuple)):
            found = [self.render(host, variables, inner, hidden) for inner in value]
            same = all(new is old for new, old in zip(found, value, strict=True))
        else:
            return value
        if same:
            self._constant[id(value)] = value  # keeps it alive, so that no other takes its id
            return value
        return found

    def _text(self, host: str, variables: Mapping[str, Any], text: str, hidden: bool) -> Any:
        context = {"inventory_hostname": host, **variables}
        needed, secret = self._needed(text, context)
        missing = [name for name in needed if name not in context and name not in _FUNCTIONS]
        if secret or (missing and hidden):
            self.doubtful.update(name for name in missing if not name.startswith(_VAULT))
            return Opaque(f"{text} {secret}")
        whole = not needed <= set(context)
        key = (str(text), host if whole else repr([(name, plain(context[name])) for name in sorted(needed)]))
        if key not in self._known:
            self._templar.available_variables = context
            self._known[key] = self._templar.template(text)
        return self._known[key]

    def _needed(self, text: str, context: Mapping[str, Any]) -> tuple[set[str], str]:
        """Return the names that a template needs, also by way of others, and the ciphertext of those encrypted."""
        needed: set[str] = set()
        secret = ""
        waiting = [text]
        while waiting:
            names = self._names_in(waiting.pop()) - needed
            needed |= names
            for name in names:
                for inner in _leaves(context.get(name)):
                    if is_vaulted(inner):
                        secret += str(inner._ciphertext)
                    elif isinstance(inner, str) and _is_template(inner):
                        waiting.append(inner)
        return needed, secret

    def _names_in(self, text: str) -> frozenset[str]:
        key = str(text)
        if key not in self._names:
            try:
                names = jinja2.meta.find_undeclared_variables(jinja2.Environment().parse(key))
            except jinja2.TemplateError:
                names = {"lookup"}  # let Ansible say what is wrong with it
            self._names[key] = frozenset(names)
        return self._names[key]


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    if isinstance(value, (list, tuple)):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [value]


def _is_template(text: str) -> bool:
    return "{{" in text or "{%" in text


def is_vaulted(value: Any) -> bool:
    """Return whether a value is encrypted."""
    return hasattr(type(value), "_ciphertext") or "_ciphertext" in getattr(value, "__dict__", ())


def _unparsed(path: Path, reasons: list[str]) -> Fault:
    """Return what is said of an inventory that no plugin could parse: the words of the last one that tried."""
    file = shown_path(path)
    why = " ".join(reasons[-1].split()).rstrip(".") if reasons else "no inventory plugin takes it"
    section = re.search(r"\[.*?\]", why)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if section and path.is_file() else []
    line = next((number for number, text in enumerate(lines, 1) if section and section[0] in text), 0)
    return Fault(Place(file, line), Problem("", "", f"{file} cannot be parsed as an inventory: {why}.", rule="syntax"))
