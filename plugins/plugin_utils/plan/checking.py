# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that is wrong with a plan, by itself and against itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.egov.ops.plugins.plugin_utils.plan import password
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import Memory, Plan, Reading, suggestion
from ansible_collections.egov.ops.plugins.plugin_utils.plan.problem import Problem
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import PREFIX, Schema
from ansible_collections.egov.ops.plugins.plugin_utils.plan.values import (
    RSA_BITS,
    Opaque,
    read_moment,
    shown,
    weakness_of,
)

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.plan.vocabulary import Vocabulary

#: The plan's prefix with one slip in it: a character wrong, too many or missing, or two that have changed places.
_SLIP = re.compile(
    "(?:{})(?=.)".format(
        "|".join(
            PREFIX[:at] + slip
            for at in range(len(PREFIX))
            for slip in (
                "." + PREFIX[at + 1 :],
                "." + PREFIX[at:],
                PREFIX[at + 1 :],
                PREFIX[at : at + 2][::-1] + PREFIX[at + 2 :],
            )
        )
    ),
    re.IGNORECASE,
)


def check(
    variables: Mapping[str, Any],
    schema: Schema,
    extra_variables: Mapping[str, Any] | None = None,
    role_options: Mapping[str, Collection[str]] | None = None,
    memory: Memory | None = None,
) -> list[Problem]:
    """Return all that is wrong with a host's plan, including what `merge` would raise.

    role_options gives the option names of each role, by which a site's own variable that looks like one is noticed.
    """
    reading = Reading(variables, schema, extra_variables or {}, memory)
    problems = _problems(reading, variables, schema, extra_variables or {}, role_options or {})
    return [*problems, *(() if reading.problems else _passwords(reading))]


def inspect(
    variables: Mapping[str, Any],
    schema: Schema,
    role_options: Mapping[str, Collection[str]],
    words: Vocabulary,
    memory: Memory,
) -> tuple[Plan | None, list[Problem]]:
    """Return a host's plan, None where it cannot be followed, and all that is wrong, far from where it will be run.

    The controller's files that it names are not looked at; the words in it are, which else a run would find out.
    """
    reading = Reading(variables, schema, {}, memory)
    problems = [
        *_problems(reading, variables, schema, {}, role_options),
        *_misnomers(reading, schema, words, memory),
        *(() if reading.problems else _backups(reading, schema, validating=True)),
        *_weak_keys(reading),
    ]
    return None if reading.problems else reading.plan, problems


def _problems(
    reading: Reading,
    variables: Mapping[str, Any],
    schema: Schema,
    extra: Mapping[str, Any],
    role_options: Mapping[str, Collection[str]],
) -> list[Problem]:
    problems = [*_names(variables, schema, extra), *_misspelt((*variables, *extra), schema), *reading.problems]
    if not reading.problems:
        problems += [*_empty_layers(reading.plan, schema), *_contradictions(reading), *_backups(reading, schema)]
    return [*problems, *_lookalikes(variables, role_options)]


def _names(variables: Mapping[str, Any], schema: Schema, extra: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the names that no variable of the plan has, and plan variables that came as extra variables."""
    for name in sorted({name for name in (*variables, *extra) if name.startswith(PREFIX)}):
        variable, layer = schema.find(name)
        if variable is None:
            hint = suggestion(name.partition("__")[0], schema.variables)
            yield Problem(name, "", f"{name} is not a variable of the plan; {hint}", allowed=hint, rule="name")
        elif layer and not variable.layered:
            sentence = f"{name} looks like a layer, but {variable.name} takes none; set {variable.name}."
            yield Problem(name, "", sentence, allowed=variable.name, rule="name")
        elif name in extra and variable.scope == "plan":
            sentence = f"{name} belongs to the plan and is refused as an extra variable; set it in the inventory."
            yield Problem(name, "", sentence, rule="name")


def _misspelt(names: Iterable[str], schema: Schema) -> Iterator[Problem]:
    """Yield warnings for names whose beginning is one slip away from the plan's prefix: nobody would read them."""
    for name in sorted(set(names)):
        slip = None if name.startswith(PREFIX) else _SLIP.match(name)
        if slip:
            allowed = PREFIX + name[slip.end() :].lower()
            hint = f"did you mean {allowed}?" if schema.find(allowed)[0] else f"the plan's names begin with {PREFIX}."
            sentence = f"{name} is not a variable of the plan, though it looks like one; {hint}"
            yield Problem(name, "", sentence, fatal=False, allowed=hint, rule="name")


def _weak_keys(reading: Reading) -> Iterator[Problem]:
    """Yield the keys of people that are too weak to sign with; one that is revoked only tells whose it was."""
    for name, entry in reading.values["egov_ops_signers"].items():
        key = entry.get("key")
        weakness = weakness_of(key) if isinstance(key, str) and not entry.get("revoked") else ""
        if weakness:
            where = (*reading.where("egov_ops_signers", name), "key")
            allowed = f"an Ed25519 or ECDSA key, or one of RSA with at least {RSA_BITS} bits"
            sentence = f"{'.'.join(where)} is {weakness}, which is too weak to sign with; it must be {allowed}."
            yield Problem(where[0], shown(key), sentence, path=where[1:], allowed=allowed, rule="weakening")


def _empty_layers(plan: Plan, schema: Schema) -> Iterator[Problem]:
    """Yield the layers of the plan that no probe watches."""
    layers = schema.variables["egov_ops_probes"].entry["layer"].choices
    watched = {probe.get("layer") for probe in plan["egov_ops_probes"].values()}
    if any(layer is None or isinstance(layer, Opaque) for layer in watched):
        return
    for layer in layers:
        if layer not in watched:
            sentence = f"egov_ops_probes has no probe of the layer {layer}; the plan wants one of each (S3.1-2)."
            yield Problem("egov_ops_probes", "", sentence, allowed=f"a probe of the layer {layer}", rule="layer")


def _contradictions(reading: Reading) -> Iterator[Problem]:
    """Yield freezes that end before they begin, and keys of people that stand in the plan twice."""
    for name, entry in reading.values["egov_ops_freezes"].items():
        ends = [entry.get("from"), entry.get("to")]
        if all(isinstance(end, str) for end in ends) and read_moment(ends[0]) >= read_moment(ends[1]):
            where = (*reading.where("egov_ops_freezes", name), "to")
            sentence = f"{'.'.join(where)} is {shown(ends[1])}, but must be later than from, {shown(ends[0])}."
            yield Problem(where[0], shown(ends[1]), sentence, path=where[1:], allowed="a moment later than from")
    owners: dict[str, str] = {}
    for name, entry in reading.values["egov_ops_signers"].items():
        key = entry.get("key")
        if isinstance(key, str) and owners.setdefault(key, name) != name:
            where = (*reading.where("egov_ops_signers", name), "key")
            sentence = f"{'.'.join(where)} is the key of {owners[key]} too; whose signature it makes could not be told."
            yield Problem(where[0], shown(key), sentence, path=where[1:], allowed="a key that no other entry has")


def _backups(reading: Reading, schema: Schema, validating: bool = False) -> Iterator[Problem]:
    """Yield what the plan's backups say against each other, or when it is validated what they leave out."""
    from ansible_collections.egov.ops.plugins.plugin_utils.plan import contradictions

    sets = contradictions.SETS
    if sets in reading._opaque:
        return
    classes = tuple(schema.variables[sets].entry["class"].choices)
    values = reading.values
    for found in contradictions.uncovered(values) if validating else contradictions.contradictions(values, classes):
        where = reading.where(found.variable, found.entry) if found.entry else (found.variable,)
        where = (*where, *filter(None, [found.key]))
        sentence = f"{'.'.join(where)} {found.sentence}"
        yield Problem(where[0], shown(found.value), sentence, True, where[1:], found.allowed, found.rule)


def _misnomers(reading: Reading, schema: Schema, words: Vocabulary, memory: Memory) -> Iterator[Problem]:
    """Yield the words that there are not, by the highest layer that has their entry."""
    # Only who validates a plan far from its hosts needs them.
    from ansible_collections.egov.ops.plugins.plugin_utils.plan.vocabulary import misnomers

    for found in misnomers(reading.values, schema, words, memory.sound):
        where = (*reading.where(found.variable, found.path[0]), *found.path[1:])
        value = "" if found.value is None else shown(found.value)
        sentence = f"{'.'.join(where)} {found.sentence}"
        yield Problem(where[0], value, sentence, path=where[1:], allowed=found.allowed, rule=found.rule)


def _passwords(reading: Reading) -> Iterator[Problem]:
    """Yield what is wrong with the password files on the controller."""
    repositories = "egov_ops_backup_repositories"
    for name, repository in reading.plan[repositories].items():
        file = repository["password_file"]
        where = (*reading.where(repositories, name), "password_file")
        path = ".".join(where)
        if not file or repository["password"] or repository["password_command"]:
            continue
        try:
            password.read(Path(file))
        except password.PasswordMissing:
            if not repository["create"]:
                sentence = f"{path} is {file}, which does not exist on the controller; create it, or set create: true."
                yield Problem(where[0], file, sentence, path=where[1:], rule="file")
        except password.PasswordError as error:
            yield Problem(where[0], file, f"{path}: {error}", path=where[1:], rule="file")


def _lookalikes(names: Iterable[str], role_options: Mapping[str, Collection[str]]) -> Iterator[Problem]:
    """Yield warnings for variables that start like a role's options and are none."""
    for name in names:
        for role, options in role_options.items():
            if name.startswith(f"{role}_") and name not in options:
                sentence = f"{name} is not an option of the role {role}, though it looks like one"
                hint = suggestion(name, options)
                yield Problem(name, "", f"{sentence}; {hint}", fatal=False, allowed=hint, rule="option")
