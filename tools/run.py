# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make run`: prepare this machine, run the daily procedure on it, and say where the evidence is."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import environment
import programs
from environment import CACHE, ROOT, SetupError

VENV = ROOT / ".venv"
STATE = ROOT / "var"
REPORT = STATE / "reports/latest.json"


def check_folders() -> None:
    """Raise SetupError where the checkout, or something an earlier run left in it, belongs to somebody else."""
    if ":" in str(ROOT):
        raise SetupError(f"The path {ROOT} has a colon, which search paths cannot hold: move the checkout.")
    for folder in (VENV, CACHE, STATE):
        if folder.exists() and folder.stat().st_uid != os.geteuid():
            owner, me = _user(folder.stat().st_uid), _user(os.geteuid())
            raise SetupError(
                f"{folder} belongs to {owner} and you are {me}: go on as {owner}, or have root give it all over "
                f"(chown -R {me} .venv .cache var)."
            )
    if not os.access(str(ROOT), os.W_OK):
        raise SetupError(f"{_user(os.geteuid())} may not write in {ROOT}: clone it to a folder of your own.")


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def prepare() -> None:
    """Make .venv with all that the daily procedure needs; raise SetupError where it cannot go on without."""
    python = environment.find_python()
    lock = ROOT / "requirements/core-2.19.txt"
    current = environment.is_current(VENV, lock, python)
    if current and find_restic():
        return
    get_programs(pip=not current and not environment.pip_wheel(python))
    if not current:
        print(f"Installing ansible-core into .venv (Python {python}).", flush=True)
        environment.create(VENV, lock, python)
    link_restic()


def get_programs(pip: bool) -> None:
    """Get restic, and pip where it is wanted: as root by the system's package manager, else below .cache.

    Raised SetupError where pip cannot be had. Without restic the other domains still run, and backup says `failed`.
    """
    missing = ([] if find_restic() else ["restic"]) + (["python3-pip-whl"] if pip else [])
    try:
        if os.geteuid() == 0:
            programs.install()
        elif missing:
            programs.unpack(missing)
    except SetupError as error:
        if pip:
            raise
        print(error, flush=True)


def find_restic() -> str | None:
    """Return the path of restic: the system's, or the one unpacked below .cache; None where there is neither."""
    return shutil.which("restic") or shutil.which("restic", path=str(programs.UNPACKED / "usr/bin"))


def link_restic() -> None:
    """Put restic beside ansible in .venv/bin, which the local inventory names as a folder of tools."""
    restic = find_restic()
    if restic:
        environment.link(VENV / "bin/restic", Path(restic))


def run_daily(arguments: list[str]) -> int:
    """Run the daily procedure against this machine and return its exit code."""
    env = environment.variables()
    env.update(
        ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"),  # not a site's own, found by working directory or home
        ANSIBLE_COLLECTIONS_PATH=str(environment.link_collection(VENV / "collections")),
        ANSIBLE_HOME=str(CACHE / "ansible"),
        ANSIBLE_LOCAL_TEMP=str(CACHE / "ansible/tmp"),
        ANSIBLE_REMOTE_TEMP=str(CACHE / "ansible/tmp"),
    )
    command = [str(VENV / "bin/python"), str(VENV / "bin/ansible-playbook"), "egov.ops.daily"]
    playbook = subprocess.Popen([*command, "-i", "inventories/local", *arguments], cwd=ROOT, env=env)
    while playbook.returncode is None:
        with contextlib.suppress(KeyboardInterrupt):  # the playbook has been told too, and ends by itself
            playbook.wait()
    return playbook.returncode


def report_time() -> int:
    """Return when the latest report was written, in nanoseconds; 0 where there is none."""
    return REPORT.stat().st_mtime_ns if REPORT.exists() else 0


def closing_words() -> str:
    """Return where the evidence is and how to go on with one's own hosts."""
    return f"""
Report    {STATE}/reports/latest.html
Data      {STATE}/reports/latest.json
Ledger    {STATE}/ledger.sqlite3

The same for your own hosts:
  . .venv/bin/activate
  cp -r inventories/example inventories/site    # and put your hosts into it
  ansible-playbook egov.ops.daily -i inventories/site
"""


def main(arguments: list[str]) -> int:
    """Do all of it; return the exit code."""
    try:
        check_folders()
        CACHE.mkdir(exist_ok=True)
        with (CACHE / "setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two first runs at once would write the same environment
            prepare()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    before = report_time()
    code = run_daily(arguments)
    if {"--check", "-C"} & set(arguments):  # writes no evidence
        return code
    if report_time() == before:
        print(f"The run left no evidence: nothing newer than before in {STATE}/reports.", file=sys.stderr)
        return code or 1
    print(closing_words(), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
