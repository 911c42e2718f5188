# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of the platform by name, as `inventories/lab` has them in the plan's layers."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Host:
    """A host of the platform: the last number of its address and the image that it is started from."""

    number: int
    image: str = "full"


PLATFORM = {
    "lb1": Host(11),
    "web1": Host(21),
    "web2": Host(22),
    "db1": Host(31),
    "db2": Host(32),
    "db3": Host(33),
    "cache1": Host(41),
    "file1": Host(51, "base"),
    "backup1": Host(61),
    "mon1": Host(71, "base"),
    "rpm1": Host(81),
}
