# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fresh machines: minimal Debian 12 roots that have a way to this site's package sources and nothing else of it."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import debian

PACKAGES = "make,python3,git,ca-certificates"

#: What says how this site reaches packages: carried over where it exists.
_SITE_FILES = ("/etc/pip.conf", "/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt")
_SITE_VARIABLES = ("PIP_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT", "http_proxy", "https_proxy", "no_proxy")

# A root of its own, not a chroot: in that, no container could be started.
_ENTER = """
mount --make-rprivate /
mount --bind "$0" "$0"
mount -t proc proc "$0/proc"
mount --rbind /sys "$0/sys"
mount --rbind /dev "$0/dev"
cd "$0"
pivot_root . mnt
python3 -c 'import ctypes; ctypes.CDLL(None).umount2(b"/mnt", 2)'
exec chroot --userspec="$1" / /usr/bin/env -i "${@:2}"
"""


class Machine:
    """An unpacked root, with one ordinary user `clerk` beside root."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def command(self, user: str, script: str) -> list[str]:
        """Return the command line that runs a shell script in this machine, as root or clerk, in an empty environment.

        The script's mounts and processes are its own and end with it.
        """
        home = "/root" if user == "root" else f"/home/{user}"
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        site = [f"{name}={os.environ[name]}" for name in _SITE_VARIABLES if name in os.environ]
        enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-euc", _ENTER, str(self.root)]
        identity = "0:0" if user == "root" else "1000:1000"
        return [*enter, identity, f"HOME={home}", f"PATH={path}", *site, "sh", "-euc", f"cd\n{script}"]

    def run(self, user: str, script: str) -> subprocess.CompletedProcess[str]:
        """Run a shell script in this machine; given back with its two outputs in one."""
        return subprocess.run(
            self.command(user, script),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def files(self, without: str) -> dict[str, tuple[int, int, int, int]]:
        """Return owner, mode, size and time of each file of the machine but those below one folder."""
        found = {}
        skipped = {self.root / name for name in ("proc", "sys", "dev", without.lstrip("/"))}
        for folder, subfolders, names in os.walk(self.root):
            subfolders[:] = [name for name in subfolders if Path(folder, name) not in skipped]
            for path in (Path(folder, name) for name in [*subfolders, *names]):
                status = path.lstat()
                found[str(path)] = (status.st_uid, status.st_mode, status.st_size, status.st_mtime_ns)
        return found


def archive() -> Path:
    """Return the archive of a fresh root, made once a month.

    Raised CalledProcessError where mmdebstrap cannot make it.
    """
    settings = debian.settings()
    key = hashlib.sha256(settings + repr((PACKAGES, debian.sources())).encode()).hexdigest()[:12]
    month = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m")
    cache = Path("/var/cache/egov-ops")
    kept = cache / f"{debian.SUITE}-{month}-{key}.tar"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        options, made = cache / "apt.conf", kept.with_suffix(".new.tar")
        options.write_bytes(settings)
        make = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", f"--aptopt={options}"]
        subprocess.run([*make, debian.SUITE, str(made), *debian.sources()], stdin=subprocess.DEVNULL, check=True)
        made.rename(kept)
    return kept


@contextlib.contextmanager
def fresh_machine(folder: Path) -> Iterator[Machine]:
    """Give a fresh machine below an empty folder, and remove it afterwards."""
    root = folder / "root"
    root.mkdir()
    subprocess.run(["tar", "-xf", str(archive()), "-C", str(root), "--exclude=./dev/*"], check=True)
    for file in _SITE_FILES:
        if Path(file).exists():
            shutil.copy(file, root / file.lstrip("/"))
    machine = Machine(root)
    made = machine.run("root", "useradd --create-home --uid 1000 clerk")
    assert made.returncode == 0, made.stdout
    try:
        yield machine
    finally:
        shutil.rmtree(root)
