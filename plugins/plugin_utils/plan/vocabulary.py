# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words that a plan may use beside the schema: kinds of probes, primitives of controls, clauses, steps."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import Schema, read_yaml
from ansible_collections.egov.ops.plugins.plugin_utils.plan.step_options import PROCEDURES

PROBES, CONTROLS = "egov_ops_probes", "egov_ops_controls"


class Kind(NamedTuple):
    """A kind of probe or a primitive of controls: what else its entry takes, what it needs, and whether a limit too."""

    parameters: Collection[str]
    required: Collection[str]
    limit: bool = False


class Vocabulary(NamedTuple):
    """What may be named."""

    kinds: Mapping[str, Kind]
    primitives: Mapping[str, Kind]
    clauses: Collection[str]
    expected: re.Pattern[str]


class Misnomer(NamedTuple):
    """A word that there is not: where it stands, the value, the sentence after the place, and what may stand there."""

    variable: str
    path: tuple[str, ...]
    value: Any
    sentence: str
    allowed: str
    rule: str


@functools.cache
def load_vocabulary(folder: Path = Path(__file__).parent) -> Vocabulary:
    """Return the words that stand in a folder, read once in a process. Raises SchemaError."""
    made = read_yaml(folder / "vocabulary.yml")
    chapters = read_yaml(folder / "clauses.yml")
    return Vocabulary(
        kinds={name: Kind(**kind) for name, kind in made["kinds"].items()},
        primitives={name: Kind(**primitive) for name, primitive in made["primitives"].items()},
        clauses={*made["standard"], *(clause for clauses in chapters.values() for clause in clauses)},
        expected=re.compile("".join(made["expected"])),
    )


def misnomers(plan: Mapping[str, Any], schema: Schema, words: Vocabulary, sound: dict[int, Any]) -> Iterator[Misnomer]:
    """Yield the words of a plan that there are not; values that are wrong otherwise are passed over.

    sound holds entries without a fault, by their identity, and is added to: they are not looked at again.
    """
    for variable, misnamed in _CHECKS.items():
        for name, entry in plan[variable].items():
            if id(entry) not in sound:
                found = list(misnamed(name, entry, schema, words))
                yield from found
                if not found:
                    sound[id(entry)] = entry


def _probe(name: str, entry: Mapping[str, Any], schema: Schema, words: Vocabulary) -> Iterator[Misnomer]:
    yield from _parameters(PROBES, name, "kind", entry, words.kinds, schema)


def _control(name: str, entry: Mapping[str, Any], schema: Schema, words: Vocabulary) -> Iterator[Misnomer]:
    yield from _parameters(CONTROLS, name, "primitive", entry, words.primitives, schema)
    yield from _expected(name, entry, words)
    yield from _clauses(CONTROLS, (name, "clauses"), entry, words)


def _procedure(name: str, entry: Mapping[str, Any], schema: Schema, words: Vocabulary) -> Iterator[Misnomer]:
    catalogue = schema.variables[PROCEDURES].default
    steps = {step["module"]: step["domain"] for known in catalogue.values() for step in known.get("steps", ())}
    yield from _clauses(PROCEDURES, (name, "clauses"), entry, words)
    for step in entry.get("steps") or ():
        if isinstance(step, dict) and "module" in step:
            yield from _step(name, step, steps)
            yield from _clauses(PROCEDURES, (name, "steps"), step, words)


_CHECKS = {PROBES: _probe, CONTROLS: _control, PROCEDURES: _procedure}


def _parameters(
    variable: str, name: str, selector: str, entry: Mapping[str, Any], known: Mapping[str, Kind], schema: Schema
) -> Iterator[Misnomer]:
    """Yield what is wrong with the keys of an entry, which one of them decides upon."""
    word = entry.get(selector)
    if not isinstance(word, str):
        return
    kind = known.get(word)
    if kind is None:
        sentence = f"is {word!r}, which there is not; {_hint(word, known)}"
        yield Misnomer(variable, (name, selector), word, sentence, f"one of {', '.join(sorted(known))}", "word")
        return
    taken = {*kind.parameters, *schema.variables[variable].entry}
    for key in entry:
        if key not in taken:
            sentence = f"is no parameter of {word}; {_hint(key, taken)}"
            yield Misnomer(variable, (name, key), None, sentence, f"one of {', '.join(sorted(taken))}", "key")
    overrides = {key for family in ("deb", "rpm") if isinstance(entry.get(family), dict) for key in entry[family]}
    for key in kind.required:
        if key not in entry and key not in overrides:
            yield Misnomer(variable, (name,), None, f"lacks {key}, which {word} needs.", key, "required")
    if kind.limit and not {"warning", "critical"} & set(entry):
        sentence = f"lacks warning and critical, and {word} only measures; give one of them."
        yield Misnomer(variable, (name,), None, sentence, "warning or critical", "required")


def _expected(name: str, control: Mapping[str, Any], words: Vocabulary) -> Iterator[Misnomer]:
    """Yield the expectations that are not of the grammar."""
    for path, holder in (((), control), (("deb",), control.get("deb")), (("rpm",), control.get("rpm"))):
        wanted = holder.get("expected") if isinstance(holder, dict) else None
        parts = [part.split() for part in wanted.split(" or ")] if isinstance(wanted, str) else [["set"]]
        if not all(terms and all(map(words.expected.fullmatch, terms)) for terms in parts):
            allowed = "such as =no, <=4, 1..90, set, none or has:a|b"
            sentence = f"is {wanted!r}, but must be of the grammar of expected values, {allowed}."
            yield Misnomer(CONTROLS, (name, *path, "expected"), wanted, sentence, allowed, "value")


def _clauses(variable: str, path: tuple[str, ...], holder: Mapping[str, Any], words: Vocabulary) -> Iterator[Misnomer]:
    listed = holder.get("clauses")
    for clause in listed if isinstance(listed, list) else ():
        if isinstance(clause, str) and clause not in words.clauses:
            sentence = f"names {clause!r}, which is no clause of the plan or of GB/T 22239-2019; "
            allowed = "clauses such as S6.1.2-1 or 8.1.4.1a"
            yield Misnomer(variable, path, clause, sentence + _hint(clause, words.clauses), allowed, "clause")


def _step(name: str, step: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[Misnomer]:
    module, domain = step["module"], step.get("domain")
    path = (name, "steps")
    if module not in known:
        sentence = f"has a step {module!r}, which there is not; {_hint(module, known)}"
        yield Misnomer(PROCEDURES, path, module, sentence, f"one of {', '.join(sorted(known))}", "step")
    elif domain != known[module]:
        sentence = f"has {module} in the domain {domain!r}, but it belongs to {known[module]}."
        yield Misnomer(PROCEDURES, path, domain, sentence, known[module], "step")


def _hint(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"known are {', '.join(names)}." if len(names) <= 20 else "see docs/plan-variables.md."
