# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clauses that a control may name: of GB/T 22239-2019, level 3, secure computing and beyond, and of the plan."""

#: Items of each clause of GB/T 22239-2019 that a host can give evidence for; "" where the clause has no items.
_STANDARD = {
    "8.1.3.1": "abcd",
    "8.1.3.2": "abcde",
    "8.1.3.3": "abcd",
    "8.1.3.4": "ab",
    "8.1.3.5": "abcd",
    "8.1.3.6": "",
    "8.1.4.1": "abcd",
    "8.1.4.2": "abcdefg",
    "8.1.4.3": "abcd",
    "8.1.4.4": "abcdef",
    "8.1.4.5": "",
    "8.1.4.6": "",
    "8.1.4.7": "ab",
    "8.1.4.8": "ab",
    "8.1.4.9": "abc",
    "8.1.4.10": "ab",
    "8.1.4.11": "ab",
    "8.1.5.1": "ab",
    "8.1.5.2": "ab",
    "8.1.5.3": "ab",
    "8.1.5.4": "abcdef",
    "8.1.10.5": "ab",
    "8.1.10.6": "abcdefghij",
    "8.1.10.7": "ab",
    "8.1.10.8": "ab",
    "8.1.10.9": "ab",
    "8.1.10.10": "abcd",
}
#: Clauses of the plan on security measures: authentication, encryption, detection, repair, firewall, audit, malware.
_PLAN = ("S5.1-3", "S5.1-5") + tuple("S5.2-%d" % number for number in range(1, 9)) + ("S5.3-1a", "S5.3-2b", "S5.3-2c")

CLAUSES = frozenset(_PLAN) | frozenset(
    clause + item for clause, items in _STANDARD.items() for item in (items or ("",))
)
