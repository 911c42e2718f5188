# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Order versions as rpm does; kernel releases of each family are ordered by it as well."""

import re

_PIECE = re.compile(r"[0-9]+|[a-zA-Z]+|~|\^")


def compare(one, other):
    # type: (str, str) -> int
    """Return -1, 0 or 1 for two versions without epoch and release (rpmvercmp)."""
    left, right = _PIECE.findall(one), _PIECE.findall(other)
    for place in range(max(len(left), len(right))):
        order = _order(left[place] if place < len(left) else "", right[place] if place < len(right) else "")
        if order:
            return order
    return 0


def _order(left, right):
    # type: (str, str) -> int
    if left == right:
        return 0
    # "~" sorts before the end, "^" right after it, and digits after letters.
    ranks = [
        0 if piece == "~" else 1 if not piece else 2 if piece == "^" else 4 if piece.isdigit() else 3
        for piece in (left, right)
    ]
    if ranks[0] != ranks[1]:
        return -1 if ranks[0] < ranks[1] else 1
    if ranks[0] == 4:
        return (int(left) > int(right)) - (int(left) < int(right))
    return -1 if left < right else 1


def compare_evr(one, other):
    # type: (str, str) -> int
    """Return -1, 0 or 1 for two full versions [epoch:]version[-release]; a missing release equals any."""
    (epoch, version, release), (other_epoch, other_version, other_release) = _split(one), _split(other)
    order = (epoch > other_epoch) - (epoch < other_epoch) or compare(version, other_version)
    if order or not release or not other_release:
        return order
    return compare(release, other_release)


def _split(evr):
    # type: (str) -> tuple[int, str, str]
    epoch, colon, rest = evr.partition(":")
    version, _dash, release = (rest if colon else evr).partition("-")
    return int(epoch) if colon and epoch.isdigit() else 0, version, release
