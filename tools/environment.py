# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Python environment of the checkout: a virtual environment made from one lock file, with the collection visible.

It runs on whatever python3 the machine has, so the file keeps to what Python 3.9 understands.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"

#: The versions of Python that run the pinned ansible-core.
PYTHONS = ((3, 11), (3, 12), (3, 13))
#: The versions of Python that run each ansible-core that the collection is tested with.
CORES = {"2.16": ((3, 10), (3, 11), (3, 12)), "2.19": PYTHONS, "2.21": ((3, 12), (3, 13), (3, 14))}

# In an activated environment the answer is the interpreter below it: the environment may be the one to be replaced.
_DESCRIBE = """
import importlib.util, os, sys, sysconfig
ensurepip = importlib.util.find_spec("ensurepip")
print(*sys.version_info[:2])
print(getattr(sys, "_base_executable", sys.executable))
print(sys.version.split()[0])
print(os.path.dirname(ensurepip.origin) if ensurepip else "")
print(sysconfig.get_config_var("WHEEL_PKG_DIR") or "")
"""


class SetupError(Exception):
    """What could not be prepared, as one sentence that says what to do next."""


class Python:
    """An interpreter of this machine: its path, its version, and where it keeps the wheel of pip, if anywhere."""

    def __init__(self, description: str) -> None:
        version, self.path, self.release, ensurepip, wheels = description.split("\n")[:5]
        self.version = tuple(int(number) for number in version.split())
        self.wheel_folders = [Path(folder) for folder in (wheels, ensurepip and ensurepip + "/_bundled") if folder]

    def __str__(self) -> str:
        return f"{self.release} ({self.path})"


def describe(command: str) -> Python | None:
    """Ask an interpreter about itself.

    Given its name or path; returned None where it is missing or does not start (a shim without a version behind it).
    """
    try:
        question = [command, "-I", "-c", _DESCRIBE]
        asked = subprocess.run(question, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return None
    return Python(asked.stdout.decode()) if asked.returncode == 0 else None


def find_python(versions: tuple[tuple[int, int], ...] = PYTHONS) -> Python:
    """Return the interpreter to build on: the one that runs this if it serves, else one found by name.

    Raised SetupError where none of the versions is installed.
    """
    own = describe(sys.executable)
    if own and own.version in versions:
        return own
    for major, minor in reversed(versions):
        found = describe(f"python{major}.{minor}")
        if found and found.version in versions:
            return found
    wanted = " or ".join(f"{major}.{minor}" for major, minor in versions)
    raise SetupError(
        f"Python {wanted} is needed and this machine has {own}: install one of them "
        "and run the same command with PYTHON=/path/to/python3 behind it."
    )


def link(path: Path, target: Path) -> None:
    """Make a path a symbolic link to a target, whatever link it was before and whoever else does the same meanwhile."""
    if path.is_symlink() and path.readlink() == target:
        return
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.symlink_to(target)
    new.replace(path)


def link_interpreters() -> Path:
    """Return a folder for PATH with the interpreters that pyenv has installed, each by its name with the version.

    pyenv's own commands of these names start only the versions that are switched on.
    """
    folder = CACHE / "interpreters"
    folder.mkdir(parents=True, exist_ok=True)
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    for installed in sorted(pyenv.glob("versions/*/bin/python3.*")):
        if installed.name[len("python3.") :].isdigit():
            link(folder / installed.name, installed)
    return folder


def pip_wheel(python: Python) -> Path | None:
    """Return the wheel of pip that came with the interpreter or was unpacked below .cache, None where there is none."""
    for folder in [*python.wheel_folders, CACHE / "packages/usr/share/python-wheels"]:
        for wheel in sorted(folder.glob("pip-*.whl")):
            return wheel
    return None


def call(argv: list[str], failure: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a tool quietly; raise SetupError with the tool's own last words and the given sentence if it fails."""
    done = subprocess.run(
        argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        words = done.stdout.decode(errors="replace").strip().splitlines()[-15:]
        raise SetupError("\n".join([*words, failure]))


def variables() -> dict[str, str]:
    """Return the environment of every tool that is started here: whatever it keeps, it keeps below the checkout."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    env.update(
        LC_ALL="C.UTF-8",
        PIP_CACHE_DIR=str(CACHE / "pip"),
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        RESTIC_CACHE_DIR=str(CACHE / "restic"),
        TMPDIR=str(CACHE / "tmp"),
        XDG_CACHE_HOME=str(CACHE),
    )
    (CACHE / "tmp").mkdir(parents=True, exist_ok=True)
    return env


def link_collection(base: Path) -> Path:
    """Make the checkout visible below a folder as the collection egov.ops; return that folder for a search path."""
    (base / "ansible_collections/egov").mkdir(parents=True, exist_ok=True)
    link(base / "ansible_collections/egov/ops", ROOT)
    return base


def checkout_files() -> list[str]:
    """Return the names of the files that git tracks here, or would."""
    # Without the option git refuses root in a checkout of another user.
    git = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "-co", "--exclude-standard"]
    names = subprocess.run(git, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
    return [name for name in names if (ROOT / name).is_file()]


def _stamp(folder: Path, lock: Path, python: Python) -> str:
    # The folder is part of it because the scripts of a virtual environment name their interpreter by full path.
    # The real path, because one interpreter has several names (python3, python3.11).
    parts = [str(folder), os.path.realpath(python.path), python.release, lock.read_text()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def is_current(folder: Path, lock: Path, python: Python) -> bool:
    """Say whether the environment is there, whole, and made from this lock file by this interpreter at this place."""
    stamp = folder / ".made-from"
    return stamp.is_file() and stamp.read_text() == _stamp(folder, lock, python)


def create(folder: Path, lock: Path, python: Python) -> None:
    """Make the virtual environment from a lock file with hashes, unless it is current.

    PIP_INDEX_URL and pip's own settings are honoured; EGOV_OPS_WHEELS names a folder of wheels to use instead of an
    index. Raised SetupError with the tool's own words where a package cannot be had.
    """
    if is_current(folder, lock, python):
        return
    wheel = pip_wheel(python)
    if not wheel:
        raise SetupError(f"Python {python} comes without pip: install the package python3-venv and try again.")
    shutil.rmtree(folder, ignore_errors=True)
    make = [python.path, "-m", "venv", "--without-pip", str(folder)]
    call(make, f"No virtual environment could be made in {folder}.")
    wheels = os.environ.get("EGOV_OPS_WHEELS")
    source = ["--no-index", "--find-links", str(Path(wheels).expanduser())] if wheels else []
    install = [str(folder / "bin/python"), str(wheel / "pip"), "install", "--quiet", "--no-input", "--no-user"]
    call(
        [*install, *source, "--require-hashes", "--requirement", str(lock)],
        f"pip could not install {lock.name} (its own words are above): set PIP_INDEX_URL to an index that "
        "this machine reaches, or EGOV_OPS_WHEELS to a folder that holds the wheels.",
        env=variables(),
    )
    _extend_activate(folder)
    (folder / ".made-from").write_text(_stamp(folder, lock, python))


def create_core(version: str) -> Path:
    """Return the folder of an environment with an ansible-core ("2.16"), made on first use.

    Raised SetupError where no Python that runs it is installed, or its packages cannot be had.
    """
    folder = CACHE / f"core-{version}"
    create(folder, ROOT / f"requirements/core-{version}.txt", find_python(CORES[version]))
    return folder


def _extend_activate(folder: Path) -> None:
    """Let `. bin/activate` show the collection too, so that a person's own commands work as `make run` does."""
    collections = link_collection(folder / "collections")
    with (folder / "bin/activate").open("a") as script:
        script.write(f"export ANSIBLE_COLLECTIONS_PATH={shlex.quote(str(collections))} LC_ALL=C.UTF-8\n")
