# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules over this room's halves; the controller reads them without loading the halves."""

SCAN = {
    "refresh": {"type": "bool", "default": False},
    "max_lists_age": {"type": "float"},
    "security_origins": {"type": "list", "elements": "str", "default": []},
    "deadlines": {"type": "dict", "default": {}},
    "timeout": {"type": "float", "default": 120.0},
}
