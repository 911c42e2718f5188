# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A virtual machine for what a container cannot show: a kernel of its own, block devices, audit rules, a real start.

QEMU emulates the processor, which takes no right and no device of the machine, and ten times as long.
"""

from __future__ import annotations

import fcntl
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import images
from .system import LabError, run

if TYPE_CHECKING:
    from .lab import Lab

RECIPE = Path(__file__).parent / "disk"
PACKAGES = [*images.IMAGES["base"], "auditd", "initramfs-tools", "kmod", "linux-image-cloud-amd64", "udev"]
PACKAGES += ["lvm2", "thin-provisioning-tools", "xfsprogs"]

#: Only what the disk hangs on: a small initramfs is unpacked sooner.
_INITRAMFS = (
    'cd "$1"; mkdir -p etc/initramfs-tools/conf.d usr/share/initramfs-tools/modules.d; '
    "echo MODULES=list >etc/initramfs-tools/conf.d/lab; "
    "printf 'virtio_pci\\nvirtio_blk\\n' >usr/share/initramfs-tools/modules.d/lab"
)
_MACHINE = ["-accel", "tcg,thread=multi", "-machine", "q35", "-cpu", "max", "-smp", "2", "-m", "1024"]
_MACHINE += ["-display", "none", "-monitor", "none", "-device", "virtio-rng-pci"]


def provide() -> Path:
    """Return the folder with the guest's disk, kernel and initramfs, made if need be."""
    folder = images.cache() / f"guest-{images.digest(PACKAGES, RECIPE)}"
    images.cache().mkdir(parents=True, exist_ok=True)
    with (images.cache() / "guest.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            for former in images.cache().glob("guest-*"):
                shutil.rmtree(former)
            with tempfile.TemporaryDirectory(dir=images.cache(), prefix="new-") as new:
                _make(Path(new))
                Path(new).rename(folder)
    return folder


def _make(folder: Path) -> None:
    root = folder / "root"
    hooks = [f"--essential-hook={_INITRAMFS}", f'--customize-hook=chroot "$1" sh -s <{RECIPE / "customize.sh"}']
    with images.mmdebstrap(PACKAGES, hooks, str(root)) as make:
        run(make, "The guest's disk could not be made.")
    for name in ("vmlinuz", "initrd.img"):
        (kernel,) = (root / "boot").glob(f"{name}-*")
        shutil.copy(kernel, folder / name)
    disk = folder / "disk"
    with disk.open("wb") as file:
        file.truncate(3 << 30)
    run(["mke2fs", "-q", "-t", "ext4", "-d", str(root), str(disk)], "The guest's disk could not be filled.")
    shutil.rmtree(root)


class Guest:
    """A virtual machine that is a helper of a lab, and ends with it; what it writes to its disk is not kept."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.config = lab.folder / "guest_config"

    def up(self, seconds: float = 400) -> None:
        """Start it and return when it answers by ssh; raise LabError when it has not after so many seconds."""
        folder = provide()
        key = self.lab.folder / "guest_key"
        self.lab.folder.mkdir(parents=True, exist_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], "No key could be made for the guest.")
        public = key.with_suffix(".pub").read_text().split()[1]
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._write_config(port, key)
        console = self.lab.folder / "guest_console"
        words = ["-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initrd.img")]
        words += ["-append", f"root=/dev/vda rw net.ifnames=0 console=ttyS0 quiet lab.key={public}"]
        words += ["-drive", f"file={folder / 'disk'},format=raw,if=virtio,snapshot=on"]
        words += ["-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"]
        words += ["-device", "virtio-net-pci,netdev=net", "-serial", f"file:{console}"]
        self.lab.spawn("guest", ["qemu-system-x86_64", *_MACHINE, *words])
        deadline = time.monotonic() + seconds
        while subprocess.run(self.ssh("true"), capture_output=True, check=False).returncode:
            if time.monotonic() > deadline or not self.lab.helpers("guest"):
                log = (self.lab.folder / "guest.log").read_text().strip()
                raise LabError(f"The guest does not answer by ssh: see {console}. {log}")
            time.sleep(1)

    def _write_config(self, port: int, key: Path) -> None:
        """Its host key is believed the first time, and must be the same afterwards."""
        options = {
            "HostName": "127.0.0.1",
            "Port": port,
            "User": "ops",
            "IdentityFile": f'"{key}"',
            "IdentitiesOnly": "yes",
            "StrictHostKeyChecking": "accept-new",
            "UserKnownHostsFile": f'"{self.lab.folder}/guest_known_hosts"',
            "ConnectTimeout": 10,
            "LogLevel": "ERROR",
        }
        lines = [f"  {name} {value}\n" for name, value in options.items()]
        self.config.write_text("Host guest\n" + "".join(lines))

    def ssh(self, command: str) -> list[str]:
        """Return the command line of ssh that runs a command in the guest."""
        return ["ssh", "-F", str(self.config), "guest", command]

    def shell(self, script: str) -> str:
        """Run a script as root in the guest and return what it prints; raise LabError if it fails."""
        words = self.ssh("sudo sh -eu")
        return run(words, f"A command in the guest failed: {script}", input=script, stdin=None, timeout=120)
