# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the plan out of a host's variables, and say in one sentence each what is wrong with it."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.plan import password
from ansible_collections.egov.ops.plugins.plugin_utils.plan.layers import layer_names, merge_layers
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import PREFIX, Key, Schema, Variable
from ansible_collections.egov.ops.plugins.plugin_utils.plan.values import TYPES, Refused, plain, shown

DEFAULT = "default"

_ENTRY_NAME = re.compile(r"\w[\w.-]*")


class Problem(NamedTuple):
    """Something wrong in the plan: the variable as the site wrote it, its value fit to show, and one sentence."""

    variable: str
    value: str
    message: str
    fatal: bool = True


class PlanError(OpsError):
    """The plan cannot be followed; the text is the first problem's sentence."""

    def __init__(self, problems: list[Problem]) -> None:
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(problems[0].message + more)
        self.problems = problems


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


def merge(variables: Mapping[str, Any], schema: Schema, extra_variables: Mapping[str, Any] | None = None) -> Plan:
    """Return the plan that a host's inventory variables describe; run options among the extra variables count too.

    Of variables only those of the plan are read. Raises PlanError for values that the schema does not allow.
    """
    reading = _Reading(variables, schema, extra_variables or {})
    if reading.problems:
        raise PlanError(reading.problems)
    return reading.plan


def check(
    variables: Mapping[str, Any],
    schema: Schema,
    extra_variables: Mapping[str, Any] | None = None,
    role_options: Mapping[str, Collection[str]] | None = None,
) -> list[Problem]:
    """Return all that is wrong with a host's plan, including what `merge` would raise.

    role_options gives the option names of each role, by which a site's own variable that looks like one is noticed.
    """
    extra = extra_variables or {}
    reading = _Reading(variables, schema, extra)
    problems = [*_names(variables, schema, extra), *reading.problems]
    if not reading.problems:
        problems += [*_empty_layers(reading.plan, schema), *_passwords(reading)]
    return problems + list(_lookalikes(variables, role_options or {}))


class _Reading:
    """One pass over a host's variables: the plan as far as it could be read, and the problems met."""

    def __init__(self, variables: Mapping[str, Any], schema: Schema, extra: Mapping[str, Any]) -> None:
        self.problems: list[Problem] = []
        self._origins: dict[str, tuple[str, ...]] = {}
        self._values = values = dict[str, Any]()
        self.plan = Plan(values, self._origins)
        names = [name for name in variables if name.startswith(PREFIX)]
        for variable in schema.variables.values():
            if variable.layered:
                layers = [(name, variables[name]) for name in layer_names(variable.name, names)]
                layers = [(name, entries) for name, entries in layers if entries is not None]
                values[variable.name] = self._layered(variable, layers)
            else:
                source = extra if variable.scope == "run" and variable.name in extra else variables
                values[variable.name] = self._single(variable, source.get(variable.name))
        self._references(schema)

    def where(self, variable: str, entry: str) -> str:
        """Return how a site would name an entry: by the highest layer that has it."""
        origin = self._origins[f"{variable}.{entry}"][-1]
        return f"{variable if origin == DEFAULT else origin}.{entry}"

    def _refuse(self, path: str, value: Any, sentence: str, secret: bool = False) -> None:
        self.problems.append(Problem(path.partition(".")[0], shown(value, secret), sentence))

    def _single(self, variable: Variable, given: Any) -> Any:
        self._origins[variable.name] = (DEFAULT,) if given is None else (variable.name,)
        return self._convert(variable.name, variable, plain(variable.default if given is None else given))

    def _layered(self, variable: Variable, given: list[tuple[str, Any]]) -> dict[str, dict[str, Any]]:
        default = _default_layer(variable)
        self.problems += default.problems
        broken = set(default.broken)
        layers = [(name, self._layer(name, variable, plain(entries), broken)) for name, entries in given]
        merged, origins = merge_layers([(DEFAULT, default.entries), *layers])
        self._origins.update({f"{variable.name}.{entry}": names for entry, names in origins.items()})
        for entry, keys in merged.items():
            if origins[entry] == (DEFAULT,):
                merged[entry] = default.complete[entry]
            elif entry not in broken:
                merged[entry] = self._complete(self.where(variable.name, entry), variable, keys)
        return merged

    def _layer(self, name: str, variable: Variable, entries: Any, broken: set[str]) -> dict[str, dict[str, Any]]:
        """Return the entries of one layer with their keys converted; names of wrong ones are added to `broken`."""
        if not isinstance(entries, dict):
            self._refuse(name, entries, f"{name} is {shown(entries)}, but must be a dictionary of entries by name.")
            return {}
        layer = {}
        for entry, keys in entries.items():
            before = len(self.problems)
            path = f"{name}.{entry}"
            if not _ENTRY_NAME.fullmatch(entry):
                sentence = f'{name} has an entry {shown(entry)}; names are made of letters, digits, "_", "-" and ".".'
                self._refuse(name, entry, sentence)
            elif not isinstance(keys, dict):
                self._refuse(path, keys, f"{path} is {shown(keys)}, but must be a dictionary of keys.")
            else:
                layer[entry] = {key: self._entry_key(path, variable, key, value) for key, value in keys.items()}
            if len(self.problems) > before:
                broken.add(entry)
        return layer

    def _entry_key(self, path: str, variable: Variable, name: str, value: Any) -> Any:
        if name == "state":
            if value not in ("present", "absent"):
                self._refuse(path, value, f"{path}.state is {shown(value)}, but must be one of present, absent.")
            return value
        key = variable.entry.get(name)
        if key is None and not variable.open:
            self._refuse(path, None, f"{path} has no key {shown(name)}; {_suggest(name, variable.entry)}")
        if key is None or value is None:
            return value
        return self._convert(f"{path}.{name}", key, value)

    def _complete(self, path: str, variable: Variable, keys: dict[str, Any]) -> dict[str, Any]:
        """Return a merged entry with its defaults; a key without a value is one that is not given."""
        entry = {name: value for name, value in keys.items() if value is not None}
        for key in variable.entry.values():
            if key.name in entry:
                continue
            default = key.default_in(entry)
            if default is not None:
                entry[key.name] = self._convert(f"{path}.{key.name}", key, default)
            elif key.required:
                self._refuse(path, None, f"{path} lacks {key.name}; it must be {_allowed(key)}.")
        return entry

    def _convert(self, path: str, key: Key, value: Any) -> Any:
        """Return a value in the key's type; one that is refused comes back as it is."""
        if value == "" == key.default:
            return value
        try:
            return _converted(key, value)
        except Refused as error:
            sentence = f"{path} is {shown(value, key.secret)}, but must be {error}."
            self._refuse(path, value, sentence, key.secret)
            return value

    def _references(self, schema: Schema) -> None:
        for variable in schema.variables.values():
            for key in variable.entry.values():
                if not key.refers_to:
                    continue
                known = self._values[key.refers_to]
                for entry, keys in self._values[variable.name].items():
                    target = keys.get(key.name)
                    if isinstance(target, str) and target not in known:
                        path = f"{self.where(variable.name, entry)}.{key.name}"
                        sentence = f"{path} is {shown(target)}, which {key.refers_to} does not have; "
                        self._refuse(path, target, f"{sentence}{_suggest(target, known)}")


class _DefaultLayer(NamedTuple):
    """The schema's own layer of a variable: its entries as they are given, and complete; what is wrong with it."""

    entries: dict[str, dict[str, Any]]
    complete: dict[str, dict[str, Any]]
    problems: list[Problem]
    broken: set[str]


@functools.cache
def _default_layer(variable: Variable) -> _DefaultLayer:
    """Return a variable's own layer, read once in a process: it is long, and the same for all hosts."""
    reading, broken = _Reading({}, Schema({}), {}), set[str]()
    entries = reading._layer(variable.name, variable, plain(variable.default), broken)
    complete = {
        entry: keys if entry in broken else reading._complete(f"{variable.name}.{entry}", variable, keys)
        for entry, keys in entries.items()
    }
    return _DefaultLayer(entries, complete, reading.problems, broken)


def _converted(key: Key, value: Any) -> Any:
    found = TYPES[key.type](value)
    if key.elements:
        if key.required and not found:
            raise Refused("a list with at least one element")
        convert = TYPES[key.elements]
        return [_element(convert, inner) for inner in found]
    if key.choices and found not in key.choices:
        raise Refused(_allowed(key))
    if key.minimum is not None and found < key.minimum:
        raise Refused(f"at least {key.minimum:.12g} {key.unit}".rstrip())
    if key.maximum is not None and found > key.maximum:
        raise Refused(f"at most {key.maximum:.12g} {key.unit}".rstrip())
    return found


def _element(convert: Any, value: Any) -> Any:
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


def _suggest(name: str, known: Iterable[str]) -> str:
    import difflib  # only a plan with a mistake in it needs this

    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(names) or 'none'}."


def _names(variables: Mapping[str, Any], schema: Schema, extra: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the names that no variable of the plan has, and plan variables that came as extra variables."""
    for name in sorted({name for name in (*variables, *extra) if name.startswith(PREFIX)}):
        variable, layer = schema.find(name)
        if variable is None:
            hint = _suggest(name.partition("__")[0], schema.variables)
            yield Problem(name, "", f"{name} is not a variable of the plan; {hint}")
        elif layer and not variable.layered:
            yield Problem(name, "", f"{name} looks like a layer, but {variable.name} takes none; set {variable.name}.")
        elif name in extra and variable.scope == "plan":
            sentence = f"{name} belongs to the plan and is refused as an extra variable; set it in the inventory."
            yield Problem(name, "", sentence)


def _empty_layers(plan: Plan, schema: Schema) -> Iterator[Problem]:
    """Yield the layers of the plan that no probe watches."""
    layers = schema.variables["egov_ops_probes"].entry["layer"].choices
    watched = {probe["layer"] for probe in plan["egov_ops_probes"].values()}
    for layer in layers:
        if layer not in watched:
            sentence = f"egov_ops_probes has no probe of the layer {layer}; the plan wants one of each (S3.1-2)."
            yield Problem("egov_ops_probes", "", sentence)


def _passwords(reading: _Reading) -> Iterator[Problem]:
    """Yield what is wrong with the password files on the controller."""
    repositories = "egov_ops_backup_repositories"
    for name, repository in reading.plan[repositories].items():
        file = repository["password_file"]
        path = f"{reading.where(repositories, name)}.password_file"
        if not file:
            continue
        try:
            password.read(Path(file))
        except password.PasswordMissing:
            if not repository["create"]:
                sentence = f"{path} is {file}, which does not exist on the controller; create it, or set create: true."
                yield Problem(path.partition(".")[0], file, sentence)
        except password.PasswordError as error:
            yield Problem(path.partition(".")[0], file, f"{path}: {error}")


def _lookalikes(names: Iterable[str], role_options: Mapping[str, Collection[str]]) -> Iterator[Problem]:
    """Yield warnings for variables that start like a role's options and are none."""
    for name in names:
        for role, options in role_options.items():
            if name.startswith(f"{role}_") and name not in options:
                sentence = f"{name} is not an option of the role {role}, though it looks like one"
                yield Problem(name, "", f"{sentence}; {_suggest(name, options)}", fatal=False)
