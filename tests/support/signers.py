# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""People with keys, for sites whose changes are asked for and approved."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any


def make_key(folder: Path, name: str, passphrase: str = "") -> None:
    """Make an SSH key in a folder."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", str(folder / name)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def people() -> dict[str, Any]:
    """Return people: li may ask and approve, wang may approve."""
    return {
        "li": {"team": "DATA", "may_request": ["restore"], "may_approve": ["restore"]},
        "wang": {"team": "SEC", "may_approve": ["restore"]},
    }


def signers(folder: Path, *names: str) -> dict[str, Any]:
    """Return the keys of people, each by its owner's name."""
    return {name: {"person": name, "key": (folder / f"{name}.pub").read_text()} for name in names}
