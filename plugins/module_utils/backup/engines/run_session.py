# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The repositories of one run over the sets of a host: each opened once, and made where that is due."""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.local_repository import RepositoryMissing
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.registry import open_engine
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import mounts
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.set_state import WAIT_SECONDS, Memory, hold, refusal
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.public import public_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.snapshot import Snapshot
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import SetArguments
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host


class Shelf:
    """The sets of a host and the repositories that they lie in."""

    def __init__(self, arguments, host):
        # type: (SetArguments, Host) -> None
        """Raises HalfError for a set whose name cannot be a file's."""
        self.sets = {name: entry for name, entry in arguments["sets"].items() if entry.get("state") != "absent"}
        self.memories = {name: Memory(name, arguments["host_name"], host) for name in self.sets}
        self.mounted = mounts.mounted()
        #: Whether anything was changed, and how many snapshots were made.
        self.changed = False
        self.made = 0
        self._host = host
        self._host_name = arguments["host_name"]
        self._repositories = arguments["repositories"]
        self._catalogues = {}  # type: dict[str, tuple[Engine, list[Snapshot]] | HalfError]

    def engine(self, repository):
        # type: (str) -> Engine
        """Return a repository as it is, even one that was not made yet; raises HalfError."""
        return open_engine(repository, self._repositories, self._host)

    def newest(self, repository):
        # type: (str) -> tuple[Engine, list[Snapshot]]
        """Return a repository and its snapshots of this host, those of this run among them; raises HalfError."""
        engine, snapshots = self.catalogue(repository)
        return (engine, engine.snapshots(self._host_name)) if self.made else (engine, snapshots)

    def catalogue(self, repository):
        # type: (str) -> tuple[Engine, list[Snapshot]]
        """Return a repository, made where that is due, and its snapshots of this host at first; raises HalfError."""
        if repository not in self._catalogues:
            try:
                self._catalogues[repository] = self._open(repository)
            except HalfError as error:
                self._catalogues[repository] = error
        found = self._catalogues[repository]
        if isinstance(found, HalfError):
            raise found
        return found

    def opened(self):
        # type: () -> list[tuple[str, Engine]]
        """Return the repositories that could be opened, by name."""
        found = sorted(self._catalogues.items())
        return [(name, catalogue[0]) for name, catalogue in found if not isinstance(catalogue, HalfError)]

    def _open(self, repository):
        # type: (str) -> tuple[Engine, list[Snapshot]]
        engine = self.engine(repository)
        may_create = bool(self._repositories[repository].get("create"))
        try:
            return engine, self._look(engine)
        except RepositoryMissing as error:
            if any(self._had_snapshots(name, repository, engine.public) for name in self.sets):
                raise HalfError(
                    "%s It held snapshots of this host before: bring it back, or take the set out of the plan and give "
                    "it a new name." % error,
                    error.reason,
                )
            if not may_create:
                raise HalfError("%s Make it, or let it be made with create: true." % error, error.reason)
            if self._host.check_mode:
                return engine, []
        except HalfError as error:
            # While another run makes a repository, its folder looks like one of something else.
            if error.reason != "not_ours" or not may_create or self._host.check_mode:
                raise
        return engine, self._create(engine)

    def _look(self, engine):
        # type: (Engine) -> list[Snapshot]
        engine.check_location(self.mounted)
        return engine.snapshots(self._host_name)

    def _create(self, engine):
        # type: (Engine) -> list[Snapshot]
        """Make the repository, once: two inventory names of one machine may come here together."""
        lock = hold(self._host, "repository of %s" % engine.name, WAIT_SECONDS)
        if lock < 0:
            raise refusal(self._host, "repository of %s" % engine.name, "Repository %s is not made" % engine.name)
        try:
            return self._look(engine)
        except RepositoryMissing:
            engine.create(lock)
            self.changed = True
            return []
        finally:
            os.close(lock)

    def _had_snapshots(self, name, repository, location):
        # type: (str, str, str) -> bool
        """Tell whether the ledger or this host knows that a set has been backed up to this very place."""
        if self.sets[name].get("repository") != repository:
            return repository in self.sets[name].get("known_copies", ())
        return (
            bool(self.sets[name].get("known"))
            or public_url(self.memories[name].load().get("location") or "") == location
        )
