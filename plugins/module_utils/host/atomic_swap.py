# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put data in place so that a crash at any moment leaves the old or the new whole, and the rest can be told from disk.

A swap puts what lies at `source` to `place`, and keeps what was there at `kept`. All three are on one file system.
Which moves are left is decided by what is at the three names alone; the source is known by its inode.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.files import Files

#: The moves of a swap.
EXCHANGE, KEEP, SET_ASIDE, PUT = "exchange", "keep", "set aside", "put"


class Swap:
    """Three names, and the inode by which the source is known."""

    def __init__(self, source, place, kept, inode):
        # type: (bytes, bytes, bytes, int) -> None
        self.source = source
        self.place = place
        self.kept = kept
        self.inode = inode

    @property
    def begun(self):
        # type: () -> bool
        """Tell whether anything was moved."""
        return inode(self.source) != self.inode or os.path.lexists(self.kept)

    def complete(self, files):
        # type: (Files) -> None
        """Make the moves that are left; files is the host's Files. Raises OSError; calling again goes on."""
        can_exchange = True
        while True:
            move = next_move(inode(self.source), self.inode, os.path.lexists(self.place), os.path.lexists(self.kept))
            if not move:
                return
            if move == EXCHANGE:
                if can_exchange and files.exchange(self.source, self.place):
                    continue
                can_exchange, move = False, SET_ASIDE
            if move == SET_ASIDE:
                files.move(self.place, self.kept)
            elif move == PUT:
                files.move(self.source, self.place)
            else:
                files.move(self.source, self.kept)


def next_move(found, wanted, place_taken, kept_taken):
    # type: (int, int, bool, bool) -> str
    """Return the next move of a swap, "" when it is done.

    found is the inode at the source (0 for nothing), wanted that of the data that shall go to its place. EXCHANGE may
    be replaced by SET_ASIDE where the file system cannot exchange two names.
    """
    if not found:
        return ""
    if found != wanted:
        return KEEP  # the exchange was made; what was in place now lies at the source
    if place_taken and not kept_taken:
        return EXCHANGE
    return PUT


def inode(path):
    # type: (bytes) -> int
    """Return the inode of a path, 0 where there is nothing."""
    try:
        return os.lstat(path).st_ino
    except FileNotFoundError:
        return 0
