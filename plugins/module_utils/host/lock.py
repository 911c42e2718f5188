# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of an open file, which the kernel frees when it is closed or its process dies."""

import time

_PAUSE = 0.1


def lock(descriptor, seconds=0.0):
    # type: (int, float) -> bool
    """Take the exclusive lock of an open file; tell whether that was possible within so many seconds."""
    until = time.monotonic() + seconds
    while not _locked(descriptor):
        if time.monotonic() >= until:
            return False
        time.sleep(_PAUSE)
    return True


def _locked(descriptor):
    # type: (int) -> bool
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
