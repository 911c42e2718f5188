# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an action keeps secret: the values it knows, and Ansible's own ways of showing a module's options."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ansible import constants
from ansible.errors import AnsibleError
from ansible_collections.egov.ops.plugins.module_utils.host.half import NAMED
from ansible_collections.egov.ops.plugins.module_utils.host.public import public_text
from ansible_collections.egov.ops.plugins.module_utils.host.scrub import Scrubber

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.types import Outcome

#: Settings that would show or keep a module's options, by the variable that sets each.
_SHOWING = {"DEFAULT_DEBUG": "ANSIBLE_DEBUG", "DEFAULT_KEEP_REMOTE_FILES": "ANSIBLE_KEEP_REMOTE_FILES"}
#: How the secrets of a half are named that are only to be taken out of what it says.
HIDDEN = "hidden:"


def with_hidden(
    secrets: Mapping[str, str], known: Scrubber, arguments: Mapping[str, Any], names: Collection[str] = ()
) -> dict[str, str]:
    """Return a half's secrets with those known values that its arguments bring to the host anyway, and no others.

    Which of its own secrets stand in a name, so that a record without them would be of something else, it is told.
    """
    brought = known.contained_in([*arguments.values()])
    named = [value for value in secrets.values() if _is_named(value, names)]
    return {
        **secrets,
        **{f"{HIDDEN}{number}": value for number, value in enumerate(brought)},
        **{f"{NAMED}{number}": value for number, value in enumerate(named)},
    }


def _is_named(value: str, names: Iterable[str]) -> bool:
    return any(value in name for name in names)


def logins(connection: Any) -> set[str]:
    """Return the passwords that a connection and its become plugin were given, wherever they come from."""
    found = set()
    plugins: list[tuple[Any, str]] = [(connection, "password"), (getattr(connection, "become", None), "become_pass")]
    for plugin, option in plugins:
        with suppress(KeyError, AttributeError, AnsibleError):  # one that takes none
            found.add(str(plugin.get_option(option) or ""))
    return found - {""}


def scrubbed(outcome: Outcome, known: Scrubber) -> Outcome:
    """Return what came of a half without the secrets that are known; without any, its message alone is looked at."""
    if known.values:
        return known.result(outcome)
    return {**outcome, "msg": public_text(str(outcome["msg"]))}


def scrubber(values: Iterable[str], names: Iterable[str] = ()) -> Scrubber:
    """Return what takes values out of texts, but for those that stand in names, which are shown anyway."""
    names = [*names]
    return Scrubber(value for value in values if not _is_named(value, names))


def showing() -> list[str]:
    """Return the variables that are set and would show or keep the options of a module."""
    return [variable for setting, variable in _SHOWING.items() if getattr(constants, setting, False)]


@contextmanager
def concealed(task: Any) -> Iterator[None]:
    """Keep Ansible from showing, logging or keeping the options of the modules that are run inside.

    What was left in the temporary folder is removed when the task ends, after this: so nothing is kept from here on,
    which concerns this task alone, since a worker lives for one.
    """
    before = constants.DEFAULT_DEBUG, task.no_log
    constants.DEFAULT_DEBUG = constants.DEFAULT_KEEP_REMOTE_FILES = False
    task.no_log = True
    try:
        yield
    finally:
        constants.DEFAULT_DEBUG, task.no_log = before
