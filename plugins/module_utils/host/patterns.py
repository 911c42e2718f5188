# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names compared with patterns as a shell has them."""


def matches(name, pattern):
    # type: (str, str) -> bool
    """Return what fnmatchcase does; most patterns of a plan are plain names, and it would compile each of them."""
    if not ("*" in pattern or "?" in pattern or "[" in pattern):
        return name == pattern
    from fnmatch import fnmatchcase

    return fnmatchcase(name, pattern)
