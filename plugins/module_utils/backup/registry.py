# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engines by name. A new one is a file beside restic.py with the same methods, and a line here."""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup.restic import Restic
from ansible_collections.egov.ops.plugins.module_utils.backup.state import folder
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ENGINES = {"restic": Restic}


def open_engine(name, repositories, host):
    # type: (str, dict[str, Any], Any) -> Restic
    """Return the engine of a repository of the plan; raise HalfError where there is none."""
    if name not in repositories:
        raise HalfError("Repository %s is not in the plan: add it to egov_ops_backup_repositories." % name)
    repository = repositories[name]
    if repository.get("trouble"):
        raise HalfError(repository["trouble"])
    engine = repository.get("engine") or "restic"
    if engine not in ENGINES:
        raise HalfError("Engine %s of repository %s is none of %s." % (engine, name, ", ".join(sorted(ENGINES))))
    location = repository["location"]
    if ":" not in location.split("/")[0]:  # a path of the host, not "scheme:..."
        location = os.path.join(host.state_dir, location)
    password = host.secrets.get("repository:%s" % name, "")
    start = "credentials:%s:" % name
    credentials = {key[len(start) :]: value for key, value in host.secrets.items() if key.startswith(start)}
    if credentials:
        return ENGINES[engine](name, location, password, folder(host), host, credentials)
    return ENGINES[engine](name, location, password, folder(host), host)
