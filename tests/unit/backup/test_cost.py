# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What our own work costs beside restic's: CPU of a full, of an incremental and of a restore, and memory."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.manifest import CLOCK_TICK

from tests.support.backup_site import Site
from tests.support.restore_site import now, request

pytestmark = [pytest.mark.programs("restic"), pytest.mark.slow]

#: Files, their bytes on average, seconds of CPU by which a half may be over its share, and restores: a small set is
#: dominated by its start, the plan's size has no such room. For the same restore on the same machine restic takes 9 to
#: 16 s, as the system has memory at hand: of three restores, the one in the middle counts.
SIZES = [
    pytest.param(4000, 30_000, 0.3, 1, id="small"),
    pytest.param(50_000, 30_000, 0.0, 3, id="large", marks=pytest.mark.long),
]
#: Share of restic's CPU that our own may take of a full or of a restore.
SHARE = 0.15
#: CPU that a restore may take of ours, as a multiple of reading and hashing each restored byte once, its proof: this
#: tells of a change of ours, whatever restic takes.
PROOF = 1.5
#: Seconds of CPU that an incremental without changes may take outside restic, for each file of a set of 50,000.
UNCHANGED = 0.8 / 50_000
#: Bytes of memory that our own process may have at its highest.
MEMORY = 80 * 1024 * 1024

#: As a stream starts a half: without a search for cycles.
_DRIVER = """
import gc, json, resource, sys
gc.disable()
given = json.load(sys.stdin)
sys.path.insert(0, given["tree"])
from importlib import import_module
package = "ansible_collections.egov.ops.plugins.module_utils."
half = import_module(package + "host.half")
work = getattr(import_module(package + given["half"][0]), given["half"][1])
result = half.perform(work, given["arguments"], half.Host(given["context"], given["secrets"]))
ours, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
cpu = [use.ru_utime + use.ru_stime for use in (ours, theirs)]
# ru_maxrss knows of the process before exec, too
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
highest = int(status["VmHWM"].split()[0]) * 1024
print(json.dumps({"result": result, "ours": cpu[0], "theirs": cpu[1], "memory": highest}))
"""

_READ_ALL = """
import gc, hashlib, os, resource, sys
gc.disable()
place = memoryview(bytearray(128 * 1024))
for folder, folders, names in os.walk(sys.argv[1]):
    for name in names:
        descriptor = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NOFOLLOW)
        os.fstat(descriptor), os.listxattr(descriptor)
        digest, size = hashlib.sha256(), len(place)
        while size == len(place):
            size = os.readv(descriptor, [place])
            digest.update(place[:size])
        digest.hexdigest()
        os.close(descriptor)
use = resource.getrusage(resource.RUSAGE_SELF)
print(use.ru_utime + use.ru_stime)
"""


def cost(site: Site, half: tuple[str, str], arguments: dict[str, Any]) -> dict[str, Any]:
    """Run a half in a process of its own; return its result, the CPU of ours and of its tools, and our memory."""
    context = {"now": now(), "run": "test-run", "timeout": 900, "state_dir": str(site.state)}
    given = {
        "tree": os.environ["PYTHONPATH"].split(":")[0],
        "half": half,
        "arguments": arguments,
        "context": {**context, "tool_path": site.host().tool_path},
        "secrets": site.host().secrets,
    }
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _DRIVER], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    assert not found["result"].get("failed"), found
    print(half, {name: found[name] for name in ("ours", "theirs", "memory")})
    return found


def read_all(folder: Path) -> float:
    """Return the CPU seconds of reading and hashing each file below a folder once."""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", _READ_ALL, folder], capture_output=True, check=True)
    return float(done.stdout)


@pytest.mark.parametrize(("files", "mean", "room", "restores"), SIZES)
def test_our_own_share_of_a_backup_and_of_a_restore_is_small(
    tmp_path: Path, files: int, mean: int, room: float, restores: int
) -> None:
    site = Site(tmp_path)
    chance = random.Random(files)
    for number in range(files):
        path = site.source / f"{number % 200:03}" / f"{number}.bin"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(chance.randbytes(min(2_000_000, int(chance.expovariate(1 / mean)))))
    # What was written within a clock tick before the full is read again by the incremental, and would be a change.
    time.sleep(1.1 * CLOCK_TICK)
    site.sets["pages"].update(full_since="2020-01-01T00:00:00Z", incremental_since="2020-01-01T00:00:00Z")
    full = cost(site, ("backup.run", "run"), site.arguments())
    assert full["ours"] <= room + SHARE * full["theirs"]
    site.sets["pages"]["incremental_since"] = "2100-01-01T00:00:00Z"
    unchanged = cost(site, ("backup.run", "run"), site.arguments())
    assert unchanged["result"]["evidence"][0]["detail"]["backup"] == "incremental"
    assert unchanged["ours"] <= room + UNCHANGED * files
    wanted = {path: path.read_bytes() for path in site.source.rglob("*0.bin")}
    restored = []
    for turn in range(restores):
        asked = request(site, str(turn))
        for path in wanted:
            path.write_bytes(b"spoilt")
        restored.append({**cost(site, ("backup.restores.job", "work"), asked), "proof": read_all(site.source)})
        assert {path: path.read_bytes() for path in wanted} == wanted
    shares = [(found["ours"] - room) / found["theirs"] for found in restored]
    proofs = [(found["ours"] - room) / found["proof"] for found in restored]
    print("shares of restic's", shares, "multiples of reading and hashing all", proofs)
    assert median(proofs) <= PROOF
    assert median(shares) <= SHARE
    assert max(found["memory"] for found in (full, unchanged, *restored)) <= MEMORY
