# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change the code in small ways, one at a time, and see whether the unit tests of its room notice.

cosmic-ray makes the changes (mutants), from an environment of its own, in copies of the checkout: one for each worker.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import environment

#: Where file systems are in memory: most of what the ledger's tests wait for is the disk.
MEMORY = Path("/dev/shm")


def copy_checkout(target: Path) -> None:
    """Copy the files of the checkout to a folder, with the interpreters that its tests start."""
    for name in environment.checkout_files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(environment.ROOT / name, target / name)
    (target / ".cache").mkdir()
    (target / ".cache/interpreters").symlink_to(environment.link_interpreters())


def main(workers: int, arguments: list[str]) -> int:
    """Run it with a number of workers; return its exit code. Raise SetupError if cosmic-ray cannot be had."""
    folder = environment.CACHE / "mutation"
    environment.create(folder, environment.ROOT / "requirements/mutation.txt", environment.find_python())
    seed = os.environ.setdefault("EGOV_OPS_SEED", str(secrets.randbits(32)))
    print(f"EGOV_OPS_SEED={seed}", flush=True)
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="egov-ops-", dir=place) as home:
        original, *copies = [Path(home) / f"copy{number}" for number in range(workers + 1)]
        for copy in (original, *copies):
            copy_checkout(copy)
        command = [str(folder / "bin/python"), str(Path(__file__).with_name("mutants.py")), "--python", sys.executable]
        command += [*arguments, "--original", str(original), "--copies", *map(str, copies)]
        env = {**os.environ, "TMPDIR": home}
        env.pop("EGOV_OPS_TEST_COMPLETE", None)  # with it a skipped test is a failed one, and would kill each mutant
        return subprocess.run(command, env=env, check=False).returncode


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="how many mutants are tested side by side")
    options, rest = parser.parse_known_args()
    try:
        sys.exit(main(options.workers, rest))
    except environment.SetupError as error:
        sys.exit(str(error))
