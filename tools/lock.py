# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make lock`: write requirements/*.txt again from requirements/*.in, with the hash of each file on the index."""

from __future__ import annotations

import sys

import environment
from environment import CACHE, ROOT, SetupError

#: The oldest Python that each lock file serves, where it is not the oldest of the environment.
OLDEST = {"core-2.21": "3.12"}


def main() -> int:
    """Write the lock files; return the exit code."""
    tool = CACHE / "lock"
    environment.create(tool, ROOT / "requirements/lock.txt", environment.find_python())
    for source in sorted((ROOT / "requirements").glob("*.in")):
        options = ["--universal", "--generate-hashes", "--no-annotate", "--upgrade", "--quiet"]
        options += ["--python-version", OLDEST.get(source.stem, "3.11"), "--custom-compile-command", "make lock"]
        target = source.with_suffix(".txt")
        argv = [str(tool / "bin/uv"), "pip", "compile", *options, str(source), "--output-file", str(target)]
        environment.call(argv, f"uv could not lock {source.name}.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SetupError as error:
        sys.exit(str(error))
