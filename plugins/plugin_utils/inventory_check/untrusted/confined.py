# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The validation of a change that nobody trusts: Ansible never reads it, and a process of its own judges a copy."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check import output
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.check import Wanted, refuse_missing
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.earlier_state import Base, earlier_state
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.source_lines import Finding
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.untrusted.limits import (
    ASKED_WRONGLY,
    BROKE,
    NO_MEMORY,
    READING,
    RESULT,
    Limits,
    Refusal,
    Request,
    refused,
)

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.types import Validation

#: What the process runs: an isolated Python takes no module from the working directory or the environment.
_START = """
import json, sys
request = json.load(sys.stdin)
sys.path[:] = request["modules"]
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader(request["collections"])
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.untrusted.child import main
main(request)
"""
#: The folder that holds `ansible_collections`, by which this file was imported.
_COLLECTIONS = Path(__file__).parents[7]


def validate_untrusted(
    wanted: Wanted, sources: Iterable[str], settings: str | None, limits: Limits | None = None
) -> Validation:
    """Return what is wrong with an inventory of YAML and INI as data; raises OpsError.

    sources and settings are the inventories and the configuration file with which this Ansible process was started.
    """
    refuse_missing(wanted.inventory)
    inventory = os.path.normpath(Path(wanted.inventory).absolute())  # a copy below another root has no place for `..`
    top = tree_of(inventory)
    _refuse_reading(top, inventory, sources, settings)
    with tempfile.TemporaryDirectory(prefix="egov-ops-") as name:
        folder = Path(name).resolve()
        with earlier_state(wanted.base, inventory) if wanted.base else nullcontext() as base:
            return _run(folder, wanted, inventory, top, base, limits or Limits())


def refuse_linked_folder(inventory: str, folder: str) -> None:
    """Refuse a folder of results to which a link of the change leads; raises OpsError."""
    top, path = tree_of(inventory), Path(folder).absolute()
    links = [part for part in (path, *path.parents) if part.is_relative_to(top) and part != top and part.is_symlink()]
    if links:
        raise OpsError(f"{links[0]} is a link of the change, and results are not written by way of it; name another.")


def tree_of(inventory: str) -> Path:
    """Return the top of the tree that an inventory belongs to: of its git checkout, or else its own folder."""
    path = Path(os.path.normpath(Path(inventory).absolute()))
    folder = path if path.is_dir() else path.parent
    return next((parent for parent in (folder, *folder.parents) if os.path.lexists(parent / ".git")), folder)


def _refuse_reading(top: Path, inventory: str, sources: Iterable[str], settings: str | None) -> None:
    """Refuse to go on where Ansible has read something of the tree already, or runs from it; raises OpsError."""
    real = top.resolve()
    used = [*sources, *([settings] if settings else []), str(_COLLECTIONS / "ansible_collections/egov/ops"), sys.prefix]
    inside = [path for path in used if os.path.lexists(path) and Path(path).resolve().is_relative_to(real)]
    inside += [path for path in sources if os.path.lexists(path) and real.is_relative_to(Path(path).resolve())]
    if settings and Path(settings).parent == Path.cwd() and Path(inventory).absolute().is_relative_to(Path.cwd()):
        inside.append(settings)  # Ansible takes it because it lies in the working directory, beside the change
    if inside:
        raise OpsError(
            f"{inside[0]} belongs to the change in {top} and is in use by this very run, which may have run its code; "
            "start with -i /dev/null, ANSIBLE_CONFIG as a file outside of the change, and an installed collection."
        )


def _run(folder: Path, wanted: Wanted, inventory: str, top: Path, base: Base | None, limits: Limits) -> Validation:
    settings = folder / "ansible.cfg"
    settings.touch()
    real = top.resolve()
    request: Request = {
        "folder": str(folder),
        "inventory": inventory,
        "limits": limits._asdict(),
        "wanted": wanted._asdict(),
        "top": str(top),
        "here": str(Path.cwd()),
        "base": [str(part) for part in base] if base else [],
        "modules": [path for path in sys.path if path and not Path(path).resolve().is_relative_to(real)],
        "collections": [str(_COLLECTIONS)],
    }
    environment = {
        "ANSIBLE_CONFIG": str(settings),
        "ANSIBLE_INVENTORY_ENABLED": "yaml,ini",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "PATH": os.defpath,
    }
    with (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
    try:
        process.communicate(json.dumps(request).encode(), timeout=limits.wall)
    except subprocess.TimeoutExpired:
        return _given_up(folder, wanted, f"did not end within its limit of {limits.wall} s")
    finally:
        process.kill()
        process.wait()
    code = process.returncode
    if code == 0:
        data: Validation = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        return data
    if code == ASKED_WRONGLY:
        raise OpsError((folder / RESULT).read_text(encoding="utf-8"))
    if code == BROKE:
        return _given_up(folder, wanted, f"ended with {(folder / RESULT).read_text(encoding='utf-8').rstrip('.')}")
    if code in (NO_MEMORY, -signal.SIGSEGV):
        return _given_up(folder, wanted, f"reached its limit of {limits.memory // 1024**2} MiB of memory")
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return _given_up(folder, wanted, f"reached its limit of {limits.cpu} s of CPU")
    reason = (folder / "errors").read_bytes()[-1000:].decode("utf-8", "replace").strip().splitlines()
    raise OpsError(f"The process that judges an untrusted change ended with {code}: {(reason or ['no text'])[-1]}")


def _given_up(folder: Path, wanted: Wanted, why: str) -> Validation:
    """Return the data of a change whose judgement was given up at some file."""
    reading = folder / READING
    file = reading.read_text(encoding="utf-8") if reading.exists() else wanted.inventory
    fault = refused(file, Refusal(f"cannot be judged: the validation {why} there; make it smaller and simpler."))
    data = output.blank(wanted.inventory, wanted.base)
    data["problems"] = [output.problem_data(Finding(*fault))]
    return data
