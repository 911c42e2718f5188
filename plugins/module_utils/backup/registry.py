# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engines by name. A new one is a file with a class below `engine.Engine`, and a line here.

Each is imported where a repository of it is opened: a host that uses one does not pay for the others.
"""

from ansible_collections.egov.ops.plugins.module_utils.backup.state import folder
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Mapping

    from ansible_collections.egov.ops.plugins.module_utils.backup.engine import Engine, Repository
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

DEFAULT = "restic"


def _restic():
    # type: () -> type[Engine]
    from ansible_collections.egov.ops.plugins.module_utils.backup.restic import Restic

    return Restic


ENGINES = {"restic": _restic}  # type: dict[str, Callable[[], type[Engine]]]


def open_engine(name, repositories, host):
    # type: (str, Mapping[str, Repository], Host) -> Engine
    """Return the engine of a repository of the plan; raise HalfError where there is none."""
    if name not in repositories:
        raise HalfError("Repository %s is not in the plan: add it to egov_ops_backup_repositories." % name)
    repository = repositories[name]
    if repository.get("trouble"):
        raise HalfError(repository["trouble"])
    engine = repository.get("engine") or DEFAULT
    if engine not in ENGINES:
        raise HalfError("Engine %s of repository %s is none of %s." % (engine, name, ", ".join(sorted(ENGINES))))
    kind = ENGINES[engine]()
    start = "credentials:%s:" % name
    credentials = {key[len(start) :]: value for key, value in host.secrets.items() if key.startswith(start)}
    password = host.secrets.get("repository:%s" % name, "")
    return kind(name, kind.resolve(repository["location"], host.state_dir), password, folder(host), host, credentials)
