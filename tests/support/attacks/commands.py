# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attacks by a person who starts a run: options that would loosen the plan, or hide what is not done."""

from __future__ import annotations

from tests.support.attacks import Attack

_LOOSENED = "belongs to the plan and is refused as an extra variable"

_OPTIONS = {
    "retention from the command line": ("-e egov_ops_ledger_retention_days=3000", _LOOSENED),
    "time zone from the command line": ("-e egov_ops_timezone=UTC", _LOOSENED),
    "signers from the command line": ('-e {"egov_ops_signers":{}}', _LOOSENED),
    "people from the command line": ('-e {"egov_ops_people":{}}', _LOOSENED),
    "hosts that are not looked after": ("-e egov_ops_managed=false", _LOOSENED),
    "another state folder": ("-e egov_ops_state_dir=/tmp/elsewhere", _LOOSENED),
    "a tag that leaves the work out": ("--tags nothing", "--tags nothing is refused"),
    "no beginning": ("--skip-tags always", "--skip-tags always is refused"),
    "a start past the beginning": ("--start-at-task Probe", "No run has begun"),
    "a limit that leaves no host": ("--limit nobody", "leaves us with no hosts to target"),
}

ATTACKS = [
    Attack("command line", "person who starts a run", name, options, outcome)
    for name, (options, outcome) in _OPTIONS.items()
]
