# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a folder outlasts its container: by tables of mounts, and on real mounts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.lasting import transient

LOWER = "lowerdir=/l,upperdir=/u,workdir=/w"
POD = "/var/lib/kubelet/pods/1b4e/volumes"
CONTAINER = rf"""20 1 0:50 / / rw,relatime - overlay overlay rw,{LOWER}
21 20 0:51 / /dev rw - tmpfs tmpfs rw
22 20 0:52 / /run rw - tmpfs tmpfs rw
23 20 254:1 /srv/data /data rw - ext4 /dev/vda1 rw
24 20 254:1 /var/lib/docker/volumes/state/_data /var/lib/egov-ops rw - ext4 /dev/vda1 rw
25 23 0:53 / /data/tmp rw - ramfs none rw
26 20 254:1 {POD}/kubernetes.io~empty-dir/work /empty rw - ext4 /dev/vda1 rw
27 20 254:1 {POD}/kubernetes.io~csi/work /claim rw - ext4 /dev/vda1 rw
28 20 254:1 /srv/two\040words /two\040words rw - xfs /dev/vda1 rw
29 20 0:60 / /home rw - nfs4 server:/home rw
"""
MACHINE = """20 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw
21 20 0:51 / /tmp rw - tmpfs tmpfs rw
22 20 0:50 /merged /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
"""
ROOT_OF_VFS = "20 1 254:1 /var/lib/containers/storage/vfs/dir/3f9a / rw - ext4 /dev/vda1 rw\n"


@pytest.mark.parametrize(
    ("path", "table", "ends"),
    [
        ("/var/lib/egov-ops/controller", CONTAINER, ""),
        ("/data/state", CONTAINER, ""),
        ("/claim/state", CONTAINER, ""),
        ("/two words/state", CONTAINER, ""),
        ("/home/li/state", CONTAINER, ""),
        ("/var/lib/other", CONTAINER, "overlay (mounted on /)"),
        ("/run/state", CONTAINER, "tmpfs (mounted on /run)"),
        ("/data/tmp/state", CONTAINER, "ramfs (mounted on /data/tmp)"),
        ("/empty/state", CONTAINER, "ext4 (mounted on /empty)"),
        ("/var/lib/egov-ops/controller", MACHINE, ""),
        ("/tmp/state", MACHINE, "tmpfs (mounted on /tmp)"),
        ("/var/lib/egov-ops/controller", ROOT_OF_VFS, "ext4 (mounted on /)"),
    ],
)
def test_what_ends_with_a_container_is_told_from_what_lasts(path: str, table: str, ends: str) -> None:
    # Not Path.resolve of this machine: none of these paths is a link here.
    assert transient(Path(path), table).partition(",")[0] == ends


REAL = """
set -e
mount --make-rprivate /
mkdir -p {0}/lasting {0}/volume {0}/memory {0}/lower {0}/work {0}/layer
mount -t tmpfs none {0}/memory
mkdir {0}/memory/upper {0}/memory/work {0}/memory/bound
mount --bind {0}/lasting {0}/memory/bound
mount --bind {0}/memory/upper {0}/volume
mount -t overlay none -o lowerdir={0}/lower,upperdir={0}/memory/upper,workdir={0}/memory/work {0}/layer
exec {1} -c '
import sys
from pathlib import Path
from ansible_collections.egov.ops.plugins.plugin_utils.lasting import transient_here
for name in sys.argv[2:]:
    print(name, transient_here(Path(sys.argv[1], name, "controller")).split(" ")[0])
' {0} lasting memory memory/bound volume layer
"""


@pytest.mark.root
@pytest.mark.programs("unshare")
def test_real_mounts_are_told_apart(tmp_path: Path) -> None:
    script = REAL.format(tmp_path, sys.executable)
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = dict(line.split(" ") for line in done.stdout.splitlines())
    assert {name: kind for name, kind in answers.items() if name not in ("lasting", "memory/bound")} == {
        "memory": "tmpfs",
        "volume": "tmpfs",
        "layer": "overlay",
    }
    # A bind mount lasts as long as what it shows, whatever it is mounted on.
    assert answers["memory/bound"] == answers["lasting"]
