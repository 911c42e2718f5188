# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An inventory of YAML and INI in which no template is filled in: what one would give is unknown."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.site import Site, is_vaulted
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.source_lines import (
    Finding,
    Place,
    shown_path,
)
from ansible_collections.egov.ops.plugins.plugin_utils.plan import (
    PREFIX,
    Opaque,
    Problem,
    load_schema,
    plain,
    vaulted,
)

#: What Ansible may take for the beginning of a template.
_TEMPLATE = re.compile(r"\{\{|\{%|\{#|\A#jinja2:")
_WORD = re.compile(r"\w+")
#: Variables of a connection that are judged beside the plan.
_ADDRESS = ("ansible_connection", "ansible_host", "ansible_port")
#: Words of a template that reach what is no variable of its host.
_FAR = vaulted.DYNAMIC | {"groups", "group_names", "hostvars", "undef"}
#: A lookup in the environment of the controller, which no change reaches.
_ENVIRONMENT = re.compile(r"""\b(?:lookup|query|q)\(\s*(['"])(?:ansible\.builtin\.)?env\1\s*,\s*(['"])\w+\2\s*\)""")

#: Where a value stands: the variable and the keys below it.
_Key = tuple[str, tuple[str, ...]]


class UntrustedSite(Site):
    """A site of copies that were looked at; `unknown` holds the texts of each host's unknown values by their keys."""

    #: Below it lie the copies of all files that may be read.
    root = Path(os.devnull)
    #: The top of the tree that the change belongs to.
    top = Path(os.devnull)

    def __init__(self, path: str) -> None:
        """Load the copy of an inventory."""
        self._hidden: dict[int, tuple[Any, Any, dict[tuple[str, ...], str]]] = {}
        self.unknown: dict[str, dict[_Key, str]] = {}
        super().__init__(path)

    def _prepare(self, loader: DataLoader) -> None:
        """Make nothing ready: no template is filled in."""

    def variables(self, host_name: str) -> tuple[Mapping[str, object], list[Problem]]:
        """Return a host's variables, the unknown parts of its plan opaque, and a problem for each of these."""
        variables = self._reader.written(host_name)
        unknown = self.unknown[host_name] = {}
        problems = []
        for name, value in variables.items():
            if not name.startswith(PREFIX) and name not in _ADDRESS:
                if is_vaulted(value):
                    variables[name] = Opaque(str(value._ciphertext))
                continue
            variables[name], texts = self._hide(value)
            if not texts and _names_signers(name) and isinstance(value, str) and self._is_in_tree(value):
                texts = {(): str(value)}
            for path, text in texts.items():
                unknown[name, path] = text
                problems.append(_unknown(name, path, text))
        return variables, problems

    def inputs(self, host_name: str, key: _Key) -> Mapping[str, object] | None:
        """Return the variables that an unknown value may be made of, None where it may be made of more than these."""
        variables = self._reader.written(host_name)
        words: set[str] = set()
        waiting = [self.unknown[host_name][key]]
        while waiting:
            found = set(_WORD.findall(_ENVIRONMENT.sub("", waiting.pop()))) - words
            words |= found
            hidden = (self._hide(variables[word])[0] for word in found & variables.keys())
            leaves = (leaf for value in hidden for leaf in vaulted.leaves(value))
            waiting += (leaf.ciphertext if isinstance(leaf, Opaque) else str(leaf) for leaf in leaves)
        if words & _FAR:
            return None
        return {word: plain(self._hide(variables[word])[0]) for word in words & variables.keys()}

    def settled(
        self, findings: list[Finding], earlier: UntrustedSite | None, in_present: Callable[[Any], Any]
    ) -> Iterator[Finding]:
        """Yield findings and the encrypted files; what is as unknown in the earlier state is a warning.

        in_present gives a value of the earlier state as it would be in the present one.
        """
        then = {
            shown_path(Path(in_present(str(Path(file).absolute())))): digest for file, digest in _encrypted(earlier)
        }
        for file, digest in _encrypted(self):
            sentence = f"{file} is encrypted, so that nobody has judged it; a person who has the password must."
            problem = Problem("", "", sentence, fatal=then.get(file) != digest, rule="unknown")
            yield Finding(Place(file), problem)
        for finding in findings:
            if finding.problem.rule == "unknown" and earlier and self._is_older(finding, earlier, in_present):
                yield finding._replace(problem=finding.problem._replace(fatal=False))
            else:
                yield finding

    def _is_older(self, finding: Finding, earlier: UntrustedSite, in_present: Callable[[Any], Any]) -> bool:
        """Return whether an unknown value was the same on all its hosts, and all that it may be made of too."""
        key = (finding.problem.variable, finding.problem.path)
        if _names_signers(key[0]):
            return False  # the file that it names may have changed
        for host in finding.hosts:
            text = earlier.unknown.get(host, {}).get(key)
            if text is None or in_present(text) != self.unknown[host][key]:
                return False
            now, then = self.inputs(host, key), earlier.inputs(host, key)
            if now is None or then is None or now != in_present(then):
                return False
        return True

    def unknown_values(self) -> dict[str, int]:
        """Return the variables with unknown values, each with how many such values the hosts have."""
        names = sorted(name for unknown in self.unknown.values() for name, _path in unknown)
        return dict(Counter(names))

    def read_text(self, path: str) -> str:
        """Return the text of a file that was copied; raises OSError for any other."""
        real = Path(path).resolve()
        if not real.is_relative_to(self.root):
            raise FileNotFoundError(path)
        return super().read_text(str(real))

    def _is_in_tree(self, path: str) -> bool:
        return Path(path).is_absolute() and Path(os.path.realpath(path)).is_relative_to(self.top.resolve())

    def _hide(self, value: Any) -> tuple[Any, dict[tuple[str, ...], str]]:
        """Return a value with its unknown parts opaque, and their texts by the keys that lead to them.

        A value that hosts share is looked at once.
        """
        if isinstance(value, (Mapping, list, tuple)):
            if id(value) not in self._hidden:
                self._hidden[id(value)] = (value, *self._hide_inner(value))  # value stays alive: no other takes its id
            return self._hidden[id(value)][1:]
        if is_vaulted(value):
            return Opaque(str(value._ciphertext)), {(): str(value._ciphertext)}
        if isinstance(value, str) and _TEMPLATE.search(value):
            return Opaque(str(value)), {(): str(value)}
        return value, {}

    def _hide_inner(self, value: Any) -> tuple[Any, dict[tuple[str, ...], str]]:
        is_mapping = isinstance(value, Mapping)
        items = list(value.items() if is_mapping else enumerate(value))
        hidden = [(key, *self._hide(inner)) for key, inner in items]
        texts = {(str(key), *path): text for key, _inner, found in hidden for path, text in found.items()}
        if not texts:
            return value, {}
        if is_mapping:
            return {key: inner for key, inner, _texts in hidden}, texts
        return [inner for _key, inner, _texts in hidden], texts


def _encrypted(site: Site | None) -> Iterable[tuple[str, str]]:
    return site.places.encrypted.items() if site else ()


def _names_signers(name: str) -> bool:
    """Return whether a variable names a file of keys, of which none may come without being noticed."""
    variable = load_schema().find(name)[0]
    return bool(variable and variable.weaker == "signers")


def _unknown(name: str, path: tuple[str, ...], text: str) -> Problem:
    where = ".".join((name, *path))
    what = "encrypted" if text.startswith("$ANSIBLE_VAULT") else "a template" if _TEMPLATE.search(text) else "a file"
    sentence = f"{where} is {what}, which is not opened for an untrusted change: unknown; a person must judge it."
    return Problem(name, "", sentence, path=path, rule="unknown")
