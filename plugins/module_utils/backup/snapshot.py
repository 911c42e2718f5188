# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One snapshot of the catalogue."""


class Snapshot:
    """One snapshot of the catalogue."""

    def __init__(self, identity, time, backup_set, kind, paths, original=""):
        # type: (str, str, str, str, list[str], str) -> None
        """Take id, time (UTC, to the second, with Z), set, kind (full, incremental, change) and the paths backed up.

        original is the id of the snapshot that this one is a copy of, without it its own.
        """
        self.id = identity
        self.time = time
        self.set = backup_set
        self.kind = kind
        self.paths = paths
        self.original = original or identity
        #: Bytes of the files, and how many of them one byte stored holds; None where the engine does not tell.
        self.size = None  # type: int | None
        self.ratio = None  # type: float | None
