# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change of the plan means: what each host gains and loses, told once for all hosts that it concerns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.egov.ops.plugins.module_utils.host.public import program_of, public_url
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import canonical
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import Key, Schema, Variable
from ansible_collections.egov.ops.plugins.plugin_utils.plan.strength import OVERRIDE, is_weaker
from ansible_collections.egov.ops.plugins.plugin_utils.plan.values import SECONDS, Opaque, shown, without_credentials

#: The plan of each host: its values by variable, or None for a host that is not looked after.
Plans = Mapping[str, Mapping[str, Any] | None]

#: What a rule's weakening is called.
VERBS = {
    "earlier": "comes earlier",
    "empty": "is emptied",
    "fewer": "loses something",
    "higher": "rises",
    "later": "comes later, or never",
    "looser": "is loosened",
    "lower": "falls",
    "milder": "counts for less",
    "more": "gains something",
    "narrower": "is narrowed",
    "nearer": "comes onto the host",
    "rarer": "becomes rarer",
    "signers": "is no longer the same list of signers",
    "switched_off": "is switched off",
    "wider": "is loosened",
    "wider_list": "is widened",
}


class Change(NamedTuple):
    """An effect of a change: of a host as a whole (no variable), of an entry, or of a value."""

    effect: str
    variable: str
    path: tuple[str, ...]
    before: Any
    after: Any
    weakens: bool
    hosts: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Return what a person names who accepts this change: it is another one for other hosts or values."""
        body = [self.effect, self.variable, self.path, self.before, self.after, self.hosts]
        return hashlib.sha256(canonical(body).encode()).hexdigest()

    @property
    def sentence(self) -> str:
        """Return the change in words, without the hosts."""
        place = ".".join((self.variable, *self.path))
        if not self.variable or self.effect in ("is lost", "is new"):
            return f"{place or 'host'} {self.effect}"
        return f"{place} {self.effect}: {_words(self.before)}, now {_words(self.after)}"


def difference(before: Plans, after: Plans, schema: Schema) -> list[Change]:
    """Return what a change means for the hosts, weakenings first; nothing for plans that are the same."""
    hosts: dict[str, list[str]] = {}
    changes: dict[str, Change] = {}
    for host in sorted({*before, *after}):
        for change in _of_host(host, before, after, schema):
            key = canonical([*change])
            changes[key] = change
            hosts.setdefault(key, []).append(host)
    found = [change._replace(hosts=tuple(hosts[key])) for key, change in changes.items()]
    return sorted(found, key=lambda change: (not change.weakens, change.variable, change.path, change.hosts))


def _of_host(host: str, before: Plans, after: Plans, schema: Schema) -> Iterator[Change]:
    if host not in after:
        yield Change("no longer in the inventory", "", (), None, None, before[host] is not None)
        return
    if host not in before:
        yield Change("new in the inventory", "", (), None, None, False)
        return
    old, new = before[host], after[host]
    if old is None or new is None:
        if old is not None:
            yield Change("no longer looked after", "", (), None, None, True)
        elif new is not None:
            yield Change("now looked after", "", (), None, None, False)
        return
    for variable in schema.variables.values():
        if variable.scope != "plan":
            continue
        if variable.layered:
            yield from _of_entries(variable, old, new)
        else:
            yield from _of_value(variable, variable.name, (), old[variable.name], new[variable.name])


def _of_entries(variable: Variable, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    earlier, later = old[variable.name], new[variable.name]
    if earlier == later and not any(key.refers_to for key in variable.entry.values()):
        return
    for name in {**earlier, **later}:
        if name not in later:
            yield Change("is lost", variable.name, (name,), None, None, variable.weaker == "fewer")
        elif name not in earlier:
            yield Change("is new", variable.name, (name,), None, None, variable.weaker == "more")
        else:
            resolved = (_resolved(variable, earlier[name], old), _resolved(variable, later[name], new))
            yield from _of_keys(variable, (name,), *resolved)


def _of_keys(
    variable: Variable, path: tuple[str, ...], earlier: Mapping[str, Any], later: Mapping[str, Any]
) -> Iterator[Change]:
    for name in {**earlier, **later}:
        before, after = earlier.get(name), later.get(name)
        secret = name in variable.secret_others
        key = variable.entry.get(name) or Key(name, "str", {}, secret=secret, weaker=_rule_of_other(variable, name))
        if key.weaker == OVERRIDE:
            yield from _of_override(variable, path, name, earlier, later)
        else:
            yield from _of_value(key, variable.name, (*path, name), before, after)


def _of_override(
    variable: Variable, path: tuple[str, ...], name: str, earlier: Mapping[str, Any], later: Mapping[str, Any]
) -> Iterator[Change]:
    """Yield what changes in an entry by the keys that replace others: compared is what holds in the end."""
    before, after = earlier.get(name) or {}, later.get(name) or {}
    if isinstance(before, Opaque) or isinstance(after, Opaque):
        yield from _of_value(Key(name, "dict", {}, weaker="changed"), variable.name, (*path, name), before, after)
        return
    keys = {**before, **after}
    yield from _of_keys(
        variable,
        (*path, name),
        {key: before.get(key, earlier.get(key)) for key in keys},
        {key: after.get(key, later.get(key)) for key in keys},
    )


def _of_value(key: Key, variable: str, path: tuple[str, ...], before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    weakens = is_weaker(key.weaker, before, after)
    effect = VERBS.get(key.weaker, "changes") if weakens else "changes"
    yield Change(effect, variable, path, _told(key, before), _told(key, after), weakens)


def _resolved(variable: Variable, entry: Mapping[str, Any], plan: Mapping[str, Any]) -> Mapping[str, object]:
    """Return an entry with what its references lead to: a copy is where its repository is."""
    found: dict[str, object] = dict(entry)
    for key in variable.entry.values():
        if key.refers_to and isinstance(found.get(key.name), str):
            target = plan[key.refers_to].get(found[key.name], {})
            if "location" in target:
                found[key.name] = {"name": found[key.name], "location": target["location"]}
    return found


def _rule_of_other(variable: Variable, name: str) -> str:
    return variable.others.get(name, variable.others.get("*", ""))


def _told(key: Key, value: Any) -> Any:
    """Return a value as it may be shown and stored: in JSON's types, without secrets."""
    if isinstance(value, Opaque):
        return f"encrypted, {hashlib.sha256(value.ciphertext.encode()).hexdigest()[:16]}"
    if key.refers_to and isinstance(value, Mapping):
        return f"{value['name']} at {public_url(str(value['location']))}"
    if key.secret and value:
        return _told_secret(key, value)
    if isinstance(value, Mapping):
        return {name: _told(key, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_told(key, inner) for inner in value]
    if key.type == "duration" and value is not None:
        unit = next((unit for unit in ("d", "h", "m") if value and value % SECONDS[unit] == 0), "s")
        return f"{value / SECONDS[unit]:.12g}{unit}"
    if key.type == "location" and isinstance(value, str):
        return public_url(value)
    return without_credentials(value) if isinstance(value, str) else value


def _told_secret(key: Key, value: Any) -> str:
    """Return of a value that may be a secret what may be shown: an address, a command's program, or that it is not."""
    if isinstance(value, list) and (key.elements or key.name == "command"):
        return f"{program_of(value)}, arguments not shown"
    return public_url(value) if isinstance(value, str) and key.name == "url" else shown(value, secret=True)


def _words(value: Any) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else canonical(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
