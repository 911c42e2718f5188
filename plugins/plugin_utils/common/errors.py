# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The root of the controller's errors."""

from __future__ import annotations


class OpsError(Exception):
    """What a user reads: one sentence that says what failed, on what, and what to do next."""
