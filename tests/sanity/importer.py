# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the collection's archive and have galaxy-importer read it, as Ansible Galaxy and Automation Hub do.

It fails where the importer refuses the archive, and where it accepts it with a warning. The importer brings an
ansible-lint of its own, so it has an environment of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import environment

#: How the importer begins a line about what Galaxy would hold against the archive.
COMPLAINT = re.compile(r"^(?:ERROR|WARNING|CRITICAL): ", re.MULTILINE)


def main(source: Path) -> int:
    """Build the archive of a checkout and judge it; return the exit code."""
    folder = environment.CACHE / "importer"
    environment.create(folder, environment.ROOT / "requirements/importer.txt", environment.find_python())
    # The importer installs the collection for its ansible-lint, below HOME, and leaves its result where it is started.
    with tempfile.TemporaryDirectory(prefix="egov-ops-") as home:
        env = {"HOME": home, "LC_ALL": "C.UTF-8", "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "NO_COLOR": "1"}
        build = ["ansible-galaxy", "collection", "build", "--output-path", home]
        subprocess.run(build, cwd=source, env=env, stdout=subprocess.DEVNULL, check=True)
        (archive,) = Path(home).glob("*.tar.gz")
        judge = [str(folder / "bin/python"), "-m", "galaxy_importer.main", str(archive)]
        done = subprocess.run(
            judge, cwd=home, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    print(done.stdout, end="")
    return done.returncode or int(bool(COMPLAINT.search(done.stdout)))


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else environment.ROOT))
    except environment.SetupError as error:
        sys.exit(str(error))
