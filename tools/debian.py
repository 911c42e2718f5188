# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How this site reaches Debian's packages: what mmdebstrap is given to make a root as this machine would."""

from __future__ import annotations

import subprocess
from pathlib import Path

SUITE = "bookworm"


def sources() -> list[str]:
    """Return the files of this machine's package sources that serve the suite; none: mmdebstrap's own default."""
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    return [str(file) for file in files if file.suffix in (".list", ".sources") and _serves_suite(file)]


def _serves_suite(file: Path) -> bool:
    return file.is_file() and any(SUITE in line for line in file.read_text().splitlines() if not line.startswith("#"))


def settings() -> bytes:
    """Return apt's settings for fetching, its proxies among them, as the text of a configuration file."""
    argv = ["apt-config", "dump", "--no-empty", "--format", '%F "%v";%n', "Acquire"]
    return subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout
