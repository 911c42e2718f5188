# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the plan out of a host's variables, and say in one sentence each what is wrong with it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.plan.layers import Entries, Entry, layer_names, merge_layers
from ansible_collections.egov.ops.plugins.plugin_utils.plan.problem import PlanError, Problem, Where
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import PREFIX, Key, Schema, Variable
from ansible_collections.egov.ops.plugins.plugin_utils.plan.values import TYPES, Opaque, Refused, list_of, plain, shown

DEFAULT = "default"

_ENTRY_NAME = re.compile(r"\w[\w.-]*")


class Plan(Mapping[str, Any]):
    """The merged plan of one host: each variable's value, in JSON types.

    origins tells where it comes from: for a variable, or `variable.entry` of a layered one, the names of the
    variables that made it, lowest first; "default" is the schema's own layer.
    """

    def __init__(self, values: Mapping[str, Any], origins: Mapping[str, tuple[str, ...]]) -> None:
        self._values = values
        self.origins = origins

    def __getitem__(self, name: str) -> Any:
        # A copy: the schema's own entries, which nothing of a site's changes, are those of all hosts.
        return plain(self._values[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def names(self) -> set[str]:
        """Return the names of all entries: of sets, repositories, probes and the like."""
        return {name for value in self._values.values() if isinstance(value, dict) for name in value}


def merge(
    variables: Mapping[str, Any],
    schema: Schema,
    extra_variables: Mapping[str, Any] | None = None,
    memory: Memory | None = None,
) -> Plan:
    """Return the plan that a host's inventory variables describe; run options among the extra variables count too.

    Of variables only those of the plan are read. Raises PlanError for values that the schema does not allow.
    """
    reading = Reading(variables, schema, extra_variables or {}, memory)
    if reading.problems:
        raise PlanError(reading.problems)
    return reading.plan


class Memory:
    """What was read of the values that hosts share, by the values' identity, so that each is read once."""

    def __init__(self) -> None:
        self.layers: dict[tuple[str, int], tuple[object, Entries, list[Problem], set[str]]] = {}
        self.entries: dict[int, tuple[Entry, Entry, list[Problem]]] = {}
        self.sound: dict[int, Any] = {}


class Reading:
    """One pass over a host's variables: the plan as far as it could be read, and the problems met."""

    def __init__(
        self, variables: Mapping[str, Any], schema: Schema, extra: Mapping[str, Any], memory: Memory | None = None
    ) -> None:
        self._memory = memory or Memory()
        self.problems: list[Problem] = []
        self._origins: dict[str, tuple[str, ...]] = {}
        self._opaque: set[str] = set()  # layered variables of which some layer cannot be seen
        self.values = values = dict[str, Any]()  # Any: of each variable the schema says the type
        self.plan = Plan(values, self._origins)
        names = [name for name in variables if name.startswith(PREFIX)]
        for variable in schema.variables.values():
            if variable.layered:
                layers = [(name, variables[name]) for name in layer_names(variable.name, names)]
                layers = [(name, entries) for name, entries in layers if entries is not None]
                values[variable.name] = self._layered(variable, layers)
            else:
                values[variable.name] = self._single(variable, self._given(variable, variables, extra))
        self._references(schema)

    def where(self, variable: str, entry: str) -> Where:
        """Return how a site would name an entry: by the highest layer that has it."""
        origin = self._origins[f"{variable}.{entry}"][-1]
        return (variable if origin == DEFAULT else origin, entry)

    def _refuse(self, where: Where, value: str, sentence: str, allowed: str = "", rule: str = "value") -> None:
        """Note a problem; the sentence is what follows the dotted name of the place."""
        message = f"{'.'.join(where)} {sentence}"
        self.problems.append(Problem(where[0], value, message, path=where[1:], allowed=allowed, rule=rule))

    def _given(self, variable: Variable, variables: Mapping[str, Any], extra: Mapping[str, Any]) -> Any:
        """Return the value of a variable that is not layered, from where it may stand; None where it is not given."""
        if variable.scope == "command" and variables.get(variable.name) is not None:
            sentence = "is set in the inventory, but must be given on the command line alone (-e)."
            self._refuse((variable.name,), "", sentence, rule="scope")
        elif variable.scope != "plan" and not _is_blank(extra.get(variable.name)):
            return extra[variable.name]
        return None if variable.scope == "command" else variables.get(variable.name)

    def _single(self, variable: Variable, given: Any) -> Any:
        self._origins[variable.name] = (DEFAULT,) if given is None else (variable.name,)
        if given is None:
            value, problems = _default_value(variable)
            self.problems += problems
            return value
        return self._convert((variable.name,), variable, plain(given))

    def _layered(self, variable: Variable, given: list[tuple[str, Any]]) -> Entries:
        default = _default_layer(variable)
        self.problems += default.problems
        if not given:
            self._origins.update(default.origins)
            return default.complete
        broken = set(default.broken)
        layers = [(name, self._remembered(name, variable, entries, broken)) for name, entries in given]
        merged, origins = merge_layers([(DEFAULT, default.entries), *layers])
        self._origins.update({f"{variable.name}.{entry}": names for entry, names in origins.items()})
        for entry, keys in merged.items():
            if origins[entry] == (DEFAULT,):
                merged[entry] = default.complete[entry]
            elif entry not in broken:
                merged[entry] = self._completed(self.where(variable.name, entry), variable, keys)
        self._floor(variable, {entry: keys for entry, keys in merged.items() if entry not in broken})
        return merged

    def _floor(self, variable: Variable, merged: Entries) -> None:
        """Refuse entries whose lists lack what no plan may leave out."""
        for entry, lists in variable.floor.items():
            for key, needed in lists.items():
                given = merged.get(entry, {}).get(key)
                missing = [item for item in needed if isinstance(given, list) and item not in given]
                if missing:
                    where = (*self.where(variable.name, entry), key)
                    sentence = f"lacks {' and '.join(missing)}, which no plan may leave out."
                    self._refuse(where, shown(given), sentence, f"a list with {', '.join(needed)}", rule="floor")

    def _remembered(self, name: str, variable: Variable, entries: Any, broken: set[str]) -> Entries:
        """Return what `_layer` returns of the same value, with what came of it."""
        key = (name, id(entries))
        if key not in self._memory.layers:
            before, own = len(self.problems), set[str]()
            layer = self._layer(name, variable, plain(entries), own)
            self._memory.layers[key] = (entries, layer, self.problems[before:], own)
            del self.problems[before:]
        _entries, layer, problems, own = self._memory.layers[key]
        if isinstance(entries, Opaque):
            self._opaque.add(variable.name)
        self.problems += problems
        broken |= own
        return layer

    def _layer(self, name: str, variable: Variable, entries: Any, broken: set[str]) -> Entries:
        """Return the entries of one layer with their keys converted; names of wrong ones are added to `broken`."""
        if isinstance(entries, Opaque):
            return {}
        if not isinstance(entries, dict):
            allowed = "a dictionary of entries by name"
            self._refuse((name,), shown(entries), f"is {shown(entries)}, but must be {allowed}.", allowed)
            return {}
        layer: dict[str, Entry] = {}
        for entry, keys in entries.items():
            before = len(self.problems)
            where = (name, entry)
            if not _ENTRY_NAME.fullmatch(entry):
                allowed = 'letters, digits, "_", "-" and "."'
                sentence = f"{name} has an entry {shown(entry)}; names are made of {allowed}."
                self.problems.append(Problem(name, shown(entry), sentence, path=(entry,), allowed=allowed, rule="name"))
            elif isinstance(keys, Opaque):
                layer[entry] = {}
                broken.add(entry)
            elif not isinstance(keys, dict):
                allowed = "a dictionary of keys"
                self._refuse(where, shown(keys), f"is {shown(keys)}, but must be {allowed}.", allowed)
            else:
                layer[entry] = {key: self._entry_key(where, variable, key, value) for key, value in keys.items()}
            if len(self.problems) > before:
                broken.add(entry)
        return layer

    def _entry_key(self, entry: Where, variable: Variable, name: str, value: Any) -> Any:
        where = (*entry, name)
        if name == "state":
            if value not in ("present", "absent"):
                allowed = "one of present, absent"
                self._refuse(where, shown(value), f"is {shown(value)}, but must be {allowed}.", allowed)
            return value
        key = variable.entry.get(name)
        if key is None and not variable.open:
            hint, known = suggestion(name, variable.entry), ", ".join(variable.entry)
            sentence = f"{'.'.join(entry)} has no key {shown(name)}; {hint}"
            self.problems.append(Problem(entry[0], "", sentence, path=where[1:], allowed=f"one of {known}", rule="key"))
        if key is None or value is None:
            return value
        return self._convert(where, key, value)

    def _completed(self, where: Where, variable: Variable, keys: Entry) -> Entry:
        """Return what `_complete` returns of the same keys, with what came of it."""
        key = id(keys)
        if key not in self._memory.entries:
            before = len(self.problems)
            entry = self._complete(where, variable, keys)
            self._memory.entries[key] = (keys, entry, self.problems[before:])
            del self.problems[before:]
        _keys, entry, problems = self._memory.entries[key]
        self.problems += problems
        return entry

    def _complete(self, where: Where, variable: Variable, keys: Entry) -> Entry:
        """Return a merged entry with its defaults; a key without a value is one that is not given."""
        entry = {name: value for name, value in keys.items() if value is not None}
        for key in variable.entry.values():
            if key.name in entry:
                continue
            default = key.default_in(entry)
            if default is not None:
                entry[key.name] = self._convert((*where, key.name), key, default)
            elif key.required and not any(isinstance(value, Opaque) for value in entry.values()):
                self._refuse(where, "", f"lacks {key.name}; it must be {_allowed(key)}.", _allowed(key), "required")
        return entry

    def _convert(self, where: Where, key: Key, value: Any) -> Any:
        """Return a value in the key's type; one that is refused, or that cannot be seen, comes back as it is."""
        if value == "" == key.default or isinstance(value, Opaque):
            return value
        try:
            return _converted(key, value)
        except Refused as error:
            found = shown(value, key.secret)
            self._refuse(where, found, f"is {found}, but must be {error}.", str(error))
            return value

    def _references(self, schema: Schema) -> None:
        for variable in schema.variables.values():
            for key in variable.entry.values():
                if not key.refers_to or key.refers_to in self._opaque:
                    continue
                known = self.values[key.refers_to]
                for entry, keys in self.values[variable.name].items():
                    named = keys.get(key.name)
                    if isinstance(named, list) != bool(key.elements):
                        continue  # that its type is another is told already
                    for target in named if isinstance(named, list) else [named]:
                        if not isinstance(target, str) or target in known:
                            continue
                        where = (*self.where(variable.name, entry), key.name)
                        hint = suggestion(target, known)
                        sentence = f"is {shown(target)}, which {key.refers_to} does not have; {hint}"
                        self._refuse(where, shown(target), sentence, f"an entry of {key.refers_to}", "reference")


class _DefaultLayer(NamedTuple):
    """The schema's own layer of a variable: its entries as they are given, and complete; what is wrong with it."""

    entries: Entries
    complete: Entries
    problems: list[Problem]
    broken: set[str]
    origins: Mapping[str, tuple[str, ...]]


@functools.cache
def _default_layer(variable: Variable) -> _DefaultLayer:
    """Return a variable's own layer, read once in a process: it is long, and the same for all hosts."""
    reading, broken = Reading({}, Schema({}), {}), set[str]()
    entries = reading._layer(variable.name, variable, plain(variable.default), broken)
    complete = {
        entry: keys if entry in broken else reading._complete((variable.name, entry), variable, keys)
        for entry, keys in entries.items()
    }
    reading._floor(variable, {entry: keys for entry, keys in complete.items() if entry not in broken})
    origins = {f"{variable.name}.{entry}": (DEFAULT,) for entry in complete}
    return _DefaultLayer(entries, complete, reading.problems, broken, origins)


@functools.cache
def _default_value(variable: Variable) -> tuple[Any, list[Problem]]:  # Any: the schema says the type
    """Return the default of a variable that is not layered in its type, read once in a process, and its problems."""
    reading = Reading({}, Schema({}), {})
    return reading._convert((variable.name,), variable, plain(variable.default)), reading.problems


def _is_blank(value: Any) -> bool:
    """Return whether an extra variable says nothing, as the empty answer of a survey does."""
    return value is None or (isinstance(value, str) and not value.strip())


def _converted(key: Key, value: Any) -> Any:
    # The secret lists are commands, of which a text does not say where a word ends.
    found = TYPES[key.type](list_of(value) if key.elements and not key.secret else value)
    if key.elements:
        if key.required and not found:
            raise Refused("a list with at least one element")
        convert = TYPES[key.elements]
        elements = [_element(convert, inner) for inner in found]
        if key.choices and any(isinstance(inner, str) and inner not in key.choices for inner in elements):
            raise Refused(f"a list of some of {', '.join(key.choices)}")
        return elements
    if key.choices and found not in key.choices:
        raise Refused(_allowed(key))
    if key.minimum is not None and found < key.minimum:
        raise Refused(f"at least {key.minimum:.12g} {key.unit}".rstrip())
    if key.maximum is not None and found > key.maximum:
        raise Refused(f"at most {key.maximum:.12g} {key.unit}".rstrip())
    return found


def _element(convert: Any, value: Any) -> Any:
    if isinstance(value, Opaque):
        return value
    try:
        return convert(value)
    except Refused as error:
        raise Refused(f"a list whose elements are each {error}, which {shown(value)} is not") from None


def _allowed(key: Key) -> str:
    if key.choices:
        return f"one of {', '.join(key.choices)}"
    try:
        TYPES[key.type](None)
    except Refused as error:
        return str(error)
    return key.type


def suggestion(name: str, known: Iterable[str]) -> str:
    import difflib  # only a plan with a mistake in it needs this

    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(names) or 'none'}."
