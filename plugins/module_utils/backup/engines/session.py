# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The repositories that this host reaches, each opened once, and the first of some that holds a set."""

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import NotSupported
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.registry import open_engine
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import mounts
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine, Repository
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

#: Seconds in which a repository must answer: an engine may try one that is away for a quarter of an hour.
OPEN_SECONDS = 60.0


class Reach:
    """Repositories with the snapshots of one inventory host."""

    def __init__(self, repositories, host_name, host):
        # type: (Mapping[str, Repository], str, Host) -> None
        self._repositories = repositories
        self._host_name = host_name
        self._host = host
        self._opened = {}  # type: dict[str, tuple[Engine, list[Snapshot]]]

    def snapshots(self, repository):
        # type: (str) -> list[Snapshot]
        """Return a repository's snapshots, oldest first; raises HalfError."""
        if repository not in self._opened:
            with self._host.within(OPEN_SECONDS):
                engine = open_engine(repository, self._repositories, self._host)
                engine.check_location(mounts.mounted())
                self._opened[repository] = engine, engine.snapshots(self._host_name)
        return self._opened[repository][1]

    def engine(self, repository):
        # type: (str) -> Engine
        """Return a repository whose snapshots were asked for."""
        return self._opened[repository][0]

    def first(self, set_name, repositories):
        # type: (str, list[str]) -> str
        """Return the first repository that holds a snapshot of a set; raise HalfError with what each lacks."""
        troubles = []  # type: list[HalfError]
        for repository in repositories:
            trouble = self._trouble(set_name, repository)
            if not trouble:
                return repository
            troubles.append(trouble)
        words = " ".join(map(str, troubles))
        raise NotSupported(words) if all(isinstance(each, NotSupported) for each in troubles) else HalfError(words)

    def _trouble(self, set_name, repository):
        # type: (str, str) -> HalfError | None
        try:
            if any(snapshot.set == set_name for snapshot in self.snapshots(repository)):
                return None
        except HalfError as error:
            return error
        return HalfError("Repository %s has no snapshot of set %s: back it up first." % (repository, set_name))
