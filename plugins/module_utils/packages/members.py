# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The members of the findings about packages: what makes each of them a finding, by name."""

from ansible_collections.egov.ops.plugins.module_utils.host.members import members_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.egov.ops.plugins.module_utils.host.types import Fact
    from ansible_collections.egov.ops.plugins.module_utils.packages.listing import Update
    from ansible_collections.egov.ops.plugins.module_utils.packages.restarts import Outdated


def of_updates(updates):
    # type: (Iterable[Update]) -> dict[str, Fact]
    """Return pending updates, by package and new version: a newer update of the same package is another one."""
    return members_of("%s:%s %s" % (update.name, update.arch, update.candidate) for update in updates)


def of_processes(processes, hidden):
    # type: (Iterable[Outdated], int) -> dict[str, Fact]
    """Return processes by name and pid; the hidden ones are there, and nobody knows which."""
    return members_of(["%s (%d)" % (process.name, process.pid) for process in processes], hidden)
