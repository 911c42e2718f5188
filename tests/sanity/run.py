# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run `ansible-test sanity` on a copy of the checkout.

ansible-test wants the path ansible_collections/egov/ops, follows no link to it, and skips what an ignored folder
holds: so the copy lies in the system's folder for temporary files. Its own environments are kept below .cache.

`--core 2.16` as the first words takes another ansible-core than that of the environment; the rest goes to ansible-test.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import environment

HOME = environment.CACHE / "ansible-test"

#: ansible-test fetches this script from a server of its project; the wheel of pip on this machine does the same.
GET_PIP = """\
import subprocess, sys
subprocess.check_call([sys.executable, {pip!r}, "install", "--quiet", "--disable-pip-version-check", "pip=={version}"])
"""


def provide_get_pip(environment_root: Path) -> None:
    """Put the script where ansible-test looks before it fetches, for the version of pip that it names."""
    source = next(environment_root.glob("lib/python*/site-packages/ansible_test/_internal/python_requirements.py"))
    version = re.search(r"pip='([\d.]+)'", source.read_text())
    if not version:
        sys.exit("ansible-test no longer names the version of pip that it fetches: see tests/sanity/run.py.")
    script = HOME / f".ansible/test/cache/get_pip_{version[1].replace('.', '_')}.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    wheel = environment.pip_wheel(environment.find_python())
    script.write_text(GET_PIP.format(pip=f"{wheel}/pip", version=version[1]))


def copy_checkout(target: Path) -> None:
    """Copy the files of the collection to a folder, not the tests and tools, whose rules are others."""
    for name in environment.checkout_files():
        if name.startswith(("tests/sanity/", "tests/config.yml")) or not name.startswith(("tests/", "tools/")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(environment.ROOT / name, target / name)


def main(arguments: list[str]) -> int:
    """Run it; return its exit code."""
    commands = Path(sys.executable).parent
    if arguments[:1] == ["--core"]:
        commands = environment.create_core(arguments[1]) / "bin"
        arguments = arguments[2:]
    provide_get_pip(commands.parent)
    with tempfile.TemporaryDirectory(prefix="egov-ops-") as folder:
        collection = Path(folder) / "ansible_collections/egov/ops"
        copy_checkout(collection)
        env = {**os.environ, "HOME": str(HOME), "LC_ALL": "C.UTF-8", "PATH": f"{commands}:{os.environ['PATH']}"}
        command = [str(commands / "ansible-test"), "sanity", "--local", "--requirements", "--color", "no", *arguments]
        return subprocess.run(command, cwd=collection, env=env, stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except environment.SetupError as error:
        sys.exit(str(error))
