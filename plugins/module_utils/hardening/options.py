# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules over this room's halves; the controller reads them without loading the halves."""

AUDIT = {"controls": {"type": "dict", "default": {}}, "timeout": {"type": "float", "default": 30.0}}
