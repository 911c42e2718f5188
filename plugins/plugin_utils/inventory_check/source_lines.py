# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a site wrote what: the files of an inventory, parsed by ourselves for the sake of their lines."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from ansible.constants import YAML_FILENAME_EXTENSIONS
from ansible.errors import AnsibleError
from ansible.inventory.helpers import sort_groups
from ansible.plugins.inventory import detect_range, expand_hostname_range
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check import ini
from ansible_collections.egov.ops.plugins.plugin_utils.plan import PREFIX, Problem
from ansible_collections.egov.ops.plugins.plugin_utils.runs import source_files

ENCRYPTED = b"$ANSIBLE_VAULT;"
_EXTENSIONS = ("", *YAML_FILENAME_EXTENSIONS)
_SOURCES = (".yml", ".yaml", ".json")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: What a group of an inventory may hold.
_PARTS = ("hosts", "vars", "children")


class Place(NamedTuple):
    """A line of a file; line 0 is the file as a whole, and no file is a variable of a dynamic source."""

    file: str = ""
    line: int = 0


class Fault(NamedTuple):
    """Something wrong with a file itself."""

    place: Place
    problem: Problem


class Finding(NamedTuple):
    """A problem, where it stands, and the hosts that it concerns: none where it is one of the inventory itself."""

    place: Place
    problem: Problem
    hosts: tuple[str, ...] = ()


class Document:
    """A file as YAML nodes with their lines; `root` is None for what is no YAML, or encrypted as a whole.

    encrypted is the digest of an encrypted file's content, "" for any other.
    """

    def __init__(self, path: Path, is_yaml: bool) -> None:
        self.file = shown_path(path)
        self.encrypted = ""
        self.faults: list[Fault] = []
        self.root: yaml.Node | None = None
        try:
            content = path.read_bytes()
        except OSError as error:
            self._fault(0, f"{self.file} cannot be read ({error.strerror}); make it readable for this user.")
            return
        self.encrypted = hashlib.sha256(content).hexdigest() if content.startswith(ENCRYPTED) else ""
        if self.encrypted or not is_yaml:
            return
        try:
            self.root = yaml.compose(content, Loader=_Loader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            why = " ".join(str(getattr(error, "problem", None) or error).split())
            self._fault(mark.line + 1 if mark else 0, f"{self.file} is no YAML: {why}; correct it there.")
            return
        self._repeated(self.root, set())

    def _fault(self, line: int, sentence: str, rule: str = "syntax", fatal: bool = True, variable: str = "") -> None:
        self.faults.append(Fault(Place(self.file, line), Problem(variable, "", sentence, fatal=fatal, rule=rule)))

    def _repeated(self, node: yaml.Node | None, seen: set[int], top: str = "") -> None:
        """Note the keys that stand twice in one dictionary: YAML takes the last one and forgets the others."""
        if node is None or id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for item in node.value:
                self._repeated(item, seen, top)
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                name, line = str(key.value), key.start_mark.line + 1
                if name in lines and name != "<<":
                    below = top or name
                    sentence = (
                        f"{self.file} has {name} twice, in lines {lines[name]} and {line}, and only the last counts; "
                        "remove one."
                    )
                    ours = below.startswith(PREFIX)
                    self._fault(line, sentence, "repeated", fatal=ours, variable=below if ours else "")
                lines[name] = line
                self._repeated(value, seen, top if top.startswith(PREFIX) else name)


class Places:
    """The files of an inventory, and which of them gives a host its variables."""

    def __init__(self, source: str) -> None:
        """Parse the files that an inventory's path leads to; what is wrong with one stands in `faults`."""
        self._base = Path(source) if Path(source).is_dir() else Path(source).parent
        self._documents: dict[str, Document] = {}
        self._hosts: dict[str, list[tuple[Document, yaml.Node, yaml.Node]]] = {}
        self._groups: dict[str, list[tuple[Document, yaml.Node]]] = {}
        self._vars_files: dict[str, dict[str, list[Path]]] = {}
        for path in source_files(Path(source)):
            document = self._parse(path, path.suffix in _SOURCES)
            if document.root is not None:
                self._inventory_file(document)
            elif path.suffix not in _SOURCES and not document.encrypted and not os.access(path, os.X_OK):
                self._without_extension(document, path)
        for folder in ("group_vars", "host_vars"):
            self._vars_files[folder] = dict(_vars_files(self._base / folder))
            for paths in self._vars_files[folder].values():
                for path in paths:
                    if path.suffix in _EXTENSIONS:
                        self._parse(path, True)

    @property
    def faults(self) -> list[Fault]:
        """What is wrong with the files themselves."""
        return [fault for document in self._documents.values() for fault in document.faults]

    @property
    def files(self) -> list[str]:
        """All files that were read."""
        return [document.file for document in self._documents.values()]

    @property
    def encrypted(self) -> dict[str, str]:
        """The files that are encrypted as a whole, and were not checked, each with the digest of its content."""
        return {document.file: document.encrypted for document in self._documents.values() if document.encrypted}

    def without_owner(self, folder: str, names: Iterable[str]) -> list[Path]:
        """Return what stands in `group_vars` or `host_vars` and none of some groups or hosts reads."""
        read = {f"{name}{extension}" for name in names for extension in _EXTENSIONS}
        entries = [entry for entry in self._vars_files[folder] if entry not in read]
        return [self._base / folder / entry for entry in entries if Path(entry).suffix in _EXTENSIONS]

    def may_be_encrypted(self, host: Any) -> bool:
        """Return whether some of a host's variables stand in a file that is encrypted as a whole."""
        owners = [("host_vars", host.name), *(("group_vars", group.name) for group in host.get_groups())]
        return any(bool(document.encrypted) for owner in owners for document in self._documents_of(*owner))

    def find(self, host: Any, variable: str, path: Sequence[str] = ()) -> Place:
        """Return where a host's value of a variable stands, as near to the keys below it as they are written."""
        for document, node in self._holders(host):
            pair = _pair(node, variable)
            if pair:
                return Place(document.file, _line(*pair, path))
        return Place()

    def find_host(self, name: str) -> Place:
        """Return where a host stands in a YAML inventory."""
        return next((Place(document.file, _start(key)) for document, key, _node in self._hosts.get(name, ())), Place())

    def find_entry(self, host: Any, variable: str, path: Sequence[str]) -> Place:
        """Return where a value of the merged plan stands: in the highest layer that has its entry, and its keys if any.

        An entry that no layer has is nowhere.
        """
        best, depth = Place(), min(len(path), 1) - 1
        for document, node in self._holders(host):
            if not isinstance(node, yaml.MappingNode):
                continue
            names = sorted({str(key.value) for key, _value in node.value}, reverse=True)
            for name in names:
                if name == variable or name.startswith(f"{variable}__"):
                    pair = _pair(node, name)
                    found = _depth(pair[1], path) if pair else -1
                    if pair and found > depth:
                        best, depth = Place(document.file, _line(*pair, path)), found
        return best

    def _holders(self, host: Any) -> Iterator[tuple[Document, yaml.Node]]:
        """Yield what gives a host its variables, in Ansible's order of precedence, the highest first."""
        groups = [group.name for group in reversed(sort_groups(host.get_groups())) if group.name != "all"]
        yield from self._of_files("host_vars", [host.name])
        yield from ((document, node) for document, _key, node in reversed(self._hosts.get(host.name, [])))
        yield from self._of_files("group_vars", [*groups, "all"])
        for name in (*groups, "all"):
            yield from reversed(self._groups.get(name, []))

    def _of_files(self, folder: str, names: Iterable[str]) -> Iterator[tuple[Document, yaml.Node]]:
        for name in names:
            for document in reversed(self._documents_of(folder, name)):
                if document.root is not None:
                    yield document, document.root

    def _documents_of(self, folder: str, name: str) -> list[Document]:
        """Return the files of variables of a host or group, the lowest first; Ansible takes one extension alone."""
        entries = self._vars_files[folder]
        found = next((f"{name}{extension}" for extension in _EXTENSIONS if f"{name}{extension}" in entries), "")
        return [self._parse(path, True) for path in entries.get(found, ())]

    def _parse(self, path: Path, is_yaml: bool) -> Document:
        key = str(path)
        if key not in self._documents:
            self._documents[key] = Document(path, is_yaml)
        return self._documents[key]

    def _without_extension(self, document: Document, path: Path) -> None:
        """Note the hosts and groups of a file that Ansible takes for YAML if it can, and else for INI."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return
        try:
            document.root = yaml.compose(text, Loader=_Loader)
        except yaml.YAMLError:
            document.root = None
        if isinstance(document.root, yaml.MappingNode):
            self._inventory_file(document)
            return
        for entry in ini.entries(text):
            if not entry.is_host:
                self._groups.setdefault(entry.name, []).append((document, entry.variables))
                continue
            for host in _expanded(entry.name):
                self._hosts.setdefault(host, []).append((document, entry.key, entry.variables))

    def _inventory_file(self, document: Document) -> None:
        """Note the hosts and groups of a YAML inventory, and what Ansible would leave out of it without an error."""
        root = document.root
        if not isinstance(root, yaml.MappingNode):
            document._fault(1, f"{document.file} is no inventory: it must be a dictionary of groups, such as all.")
            return
        if _pair(root, "plugin"):
            return
        for key, group in root.value:
            self._group(document, str(key.value), key, group)

    def _group(self, document: Document, name: str, key: yaml.Node, group: yaml.Node) -> None:
        if _is_null(group):
            return
        if not isinstance(group, yaml.MappingNode):
            document._fault(
                key.start_mark.line + 1,
                f"{document.file} gives the group {name} no dictionary; it must have {', '.join(_PARTS)}.",
            )
            return
        for part, inner in group.value:
            line = part.start_mark.line + 1
            if part.value not in _PARTS:
                known = ", ".join(_PARTS)
                sentence = f"{document.file} gives the group {name} a key {part.value!r}; known are {known}."
                document._fault(line, sentence)
            elif not isinstance(inner, yaml.MappingNode) and not _is_null(inner):
                sentence = f"{document.file} gives {part.value} of the group {name} no dictionary; write `name:` lines."
                document._fault(line, sentence)
            elif part.value == "vars":
                self._groups.setdefault(name, []).append((document, inner))
            elif isinstance(inner, yaml.MappingNode):
                for child, below in inner.value:
                    if part.value == "children":
                        self._group(document, str(child.value), child, below)
                    else:
                        for host in _expanded(str(child.value)):
                            self._hosts.setdefault(host, []).append((document, child, below))


def shown_path(path: Path) -> str:
    """Return a path as messages show it: from the working directory where it lies below it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _vars_files(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """Yield each entry of a folder of variables with its files, the lowest first."""
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            yield path.name, list(_nested(path)) if path.is_dir() else [path]


def _nested(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue
        if path.is_dir() and not path.suffix:
            yield from _nested(path)
        elif path.is_file() and path.suffix in _EXTENSIONS:
            yield path


def _expanded(name: str) -> list[str]:
    try:
        return list(expand_hostname_range(name)) if detect_range(name) else [name]
    except (AnsibleError, ValueError):
        return []  # Ansible says what is wrong with it when it loads the inventory


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _pair(node: yaml.Node, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    """Return the key and the value of a dictionary's entry, the last one of its name."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return next(((key, value) for key, value in reversed(node.value) if str(key.value) == name), None)


def _depth(value: yaml.Node, path: Sequence[str]) -> int:
    """Return how many keys of a path are written below a value."""
    for number, name in enumerate(path):
        pair = _pair(value, name)
        if pair is None:
            return number
        value = pair[1]
    return len(path)


def _line(key: yaml.Node, value: yaml.Node, path: Sequence[str]) -> int:
    """Return the line of a key below another, or of the nearest one above it that is written."""
    for name in path:
        pair = _pair(value, name)
        if pair is None:
            break
        key, value = pair
    return _start(key)


def _start(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
