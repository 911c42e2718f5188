# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How wide the terminal is on which a summary is read; a worker of Ansible's has none, and inherits the answer."""

from __future__ import annotations

import os

#: Narrower ones are taken for this: a summary in two columns of words is none.
_LEAST = 60

_columns = [0]


def remember_width() -> None:
    """Note the columns of this process's terminal for the workers that it will fork; 0 for a pipe or a file."""
    try:
        _columns[:] = [max(os.get_terminal_size(1).columns, _LEAST)]
    except OSError:
        _columns[:] = [0]


def width() -> int:
    """Return the columns into which a summary is folded, 0 for no folding."""
    return _columns[0]
