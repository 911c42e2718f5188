# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a person restores with the engine alone when controller and ledger are lost: commands, without any secret.

They are printed, and lie beside each repository on the host itself, as a script that runs as it stands.
"""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.registry import open_engine
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import shown, to_bytes
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import SetArguments, Sets
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host


def of_sets(sets, arguments, host):
    # type: (Sets, SetArguments, Host) -> dict[str, list[str]]
    """Return the commands for each set by name, from its own repository and from each copy."""
    found = {}
    for name in sorted(sets):
        places = [sets[name]["repository"]] + list(sets[name].get("copies") or ())
        found[name] = [line for place in places for line in _from(place, name, arguments, host)]
    return found


def _from(repository, name, arguments, host):
    # type: (str, str, SetArguments, Host) -> list[str]
    try:
        engine = open_engine(repository, arguments["repositories"], host)
        commands = engine.recovery_commands(arguments["host_name"], [name])
    except HalfError as error:
        return ["# %s: %s" % (repository, error)]
    return ["# from %s; set and export %s" % (repository, ", ".join(engine.needs)), *commands]


def keep(engine, host_name, sets, host):
    # type: (Engine, str, list[str], Host) -> str
    """Let the script lie beside a repository on the host itself, where it is not there yet; return what went wrong."""
    if "recovery" not in engine.CAN or not engine.path or not sets:
        return ""
    path = to_bytes(os.path.normpath(engine.location)) + b".restore-" + to_bytes(host_name) + b".sh"
    text = to_bytes(engine.recovery_script(shown(path), host_name, sets))
    try:
        with open(path, "rb") as stream:
            if stream.read() == text:
                return ""
    except OSError:
        pass  # it is not there, or is written anew
    try:
        host.files.write(os.fsdecode(path), text)
    except OSError as error:
        return "The commands for a restore without us cannot lie beside repository %s: %s." % (
            engine.name,
            error.strerror,
        )
    return ""
