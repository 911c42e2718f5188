# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules over this room's halves; the controller reads them without loading the halves."""

_SETS = {
    "sets": {"type": "dict", "default": {}},
    "repositories": {"type": "dict", "default": {}},
    "host_name": {"type": "str", "default": ""},
}

RUN = dict(_SETS, timeout={"type": "float", "default": 3600.0})

PROVE = dict(
    _SETS,
    seed={"type": "str", "default": ""},
    snapshot={"type": "str", "default": ""},
    files={"type": "int", "default": 0},
    max_bytes={"type": "int", "default": 0},
    timeout={"type": "float", "default": 1800.0},
)
