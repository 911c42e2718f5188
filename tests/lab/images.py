# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images of the lab's hosts: made from Debian packages, once a month or when their recipe changes.

They are kept in one store for all labs of the user, which each lab's own store reads from.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import debian

from .system import LabError, run

RECIPE = Path(__file__).parent / "image"

PACKAGES = {
    "base": """
        acl ca-certificates cron curl dbus e2fsprogs faketime iproute2 iputils-ping less libpam-systemd logrotate
        nftables openssh-server procps python3 python3-apt restic rsync sudo systemd-sysv
    """,
    "services": """
        chrony createrepo-c dnf haproxy mariadb-server nginx-light postgresql python3-psycopg2 rclone redis-server rpm
    """,
}
IMAGES = {"base": PACKAGES["base"].split(), "full": (PACKAGES["base"] + PACKAGES["services"]).split()}
UNITS = [f"{name}.service" for name in ("chrony", "haproxy", "mariadb", "nginx", "postgresql", "redis-server")]

OPTIONS = [
    "--quiet",
    "--variant=minbase",
    "--aptopt=APT::Install-Recommends false",
    "--aptopt=Acquire::Languages none",
    *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "locale", "man")),
    "--skip=essential/unlink",
    "--skip=download/empty",
]

CONTAINERS_CONF = """
[containers]
pids_limit = 0
# not above the machine's own, which take CAP_SYS_RESOURCE
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
cgroupns = "private"
# else the machine's /etc/hosts lands in each host
base_hosts_file = "none"
host_containers_internal_ip = "none"
log_driver = "k8s-file"
log_size_max = 1048576
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
# shared memory locks are one segment for the whole machine, whose size another podman may have set
lock_type = "file"
[network]
network_backend = "netavark"
"""


def cache() -> Path:
    """Return the folder of the images' store."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "egov-ops/lab"


def configure(folder: Path, *stores: Path) -> dict[str, str]:
    """Write podman's settings for a store in a folder and return the environment that makes podman use them."""
    quoted = ", ".join(f'"{store}"' for store in stores)
    storage = (
        f'[storage]\ndriver = "overlay"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/storage"\n'
        f"[storage.options]\nadditionalimagestores = [{quoted}]\n"
    )
    for name, text in {"containers.conf": CONTAINERS_CONF.lstrip(), "storage.conf": storage}.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            new = folder / f"{name}.{threading.get_ident()}"  # whole as soon as another podman sees it
            new.write_text(text)
            new.replace(path)
    # conmon takes no path with characters outside ASCII in the locale C
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
    }


def store() -> Path:
    """Return the store that a lab names as an additional one."""
    return cache() / "storage"


def digest(packages: Sequence[str], recipe: Path) -> str:
    """Return what an image is known by: what it is made from, the files of its recipe among it, and the month."""
    month = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m")
    parts: list[object] = [packages, UNITS, OPTIONS, debian.SUITE, debian.sources(), month]
    found = hashlib.sha256(repr(parts).encode() + debian.settings())
    for file in [*sorted(recipe.iterdir()), *(Path(source) for source in debian.sources())]:
        found.update(file.read_bytes())
    return found.hexdigest()[:12]


def name(kind: str) -> str:
    """Return the name of an image by what it is made from and the month."""
    return f"localhost/lab:{kind}-{digest(IMAGES[kind], RECIPE)}"


def provide(kind: str) -> str:
    """Return the name of an image that is in the store, made if need be; raise LabError with mmdebstrap's words."""
    folder, wanted = cache(), name(kind)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two labs may begin at once
        environment = configure(folder)
        podman = ["podman", "--tmpdir", str(folder / "tmp")]
        if subprocess.run([*podman, "image", "exists", wanted], env=environment, check=False).returncode == 0:
            return wanted
        print(f"Making the lab's image `{kind}` from Debian packages.", flush=True)
        start = time.monotonic()
        _make(kind, [*podman, "import", "--quiet"], wanted, environment)
        outdated = [*podman, "image", "prune", "--all", "--force", "--filter", "until=1080h"]
        run(outdated, "Images of former months could not be removed.", env=environment)
        print(f"Made in {time.monotonic() - start:.0f} s.", flush=True)
    return wanted


@contextlib.contextmanager
def mmdebstrap(packages: Sequence[str], hooks: Sequence[str], target: str) -> Iterator[list[str]]:
    """Give the command line that makes a root of packages, from this machine's sources and with its apt's settings."""
    with tempfile.NamedTemporaryFile(suffix=".conf") as settings:
        settings.write(debian.settings())
        settings.flush()
        options = [*OPTIONS, f"--aptopt={settings.name}", f"--include={','.join(packages)}", *hooks]
        yield ["mmdebstrap", *options, debian.SUITE, target, *debian.sources()]


def _make(kind: str, importer: list[str], wanted: str, environment: dict[str, str]) -> None:
    hooks = [f"upload {shlex.quote(str(RECIPE / 'lab-init'))} /sbin/lab-init", 'chmod 755 "$1/sbin/lab-init"']
    hooks.append(f'chroot "$1" sh -s -- {" ".join(UNITS)} <{shlex.quote(str(RECIPE / "customize.sh"))}')
    with (
        mmdebstrap(IMAGES[kind], [f"--customize-hook={hook}" for hook in hooks], "-") as make,
        tempfile.TemporaryDirectory() as folder,
    ):
        words = Path(folder, "words")
        with words.open("wb") as errors:
            maker = subprocess.Popen(
                make,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **_fast_folder()},
            )
            # Imported under a name of its own first: an image of a half made root would be found the next time.
            command = ['--change=CMD ["/sbin/lab-init"]', "--change=STOPSIGNAL SIGRTMIN+3", "-", f"{wanted}-new"]
            done = subprocess.run([*importer, *command], stdin=maker.stdout, capture_output=True, env=environment)
            if maker.stdout:
                maker.stdout.close()
            if maker.wait():
                last = " ".join(words.read_text(errors="replace").strip().splitlines()[-5:])
                raise LabError(f"mmdebstrap could not make the image `{kind}`: mend what it says ({last}).")
        if done.returncode:
            raise LabError(f"podman could not import the image `{kind}`: {done.stderr.decode().strip()}")
    podman = importer[: importer.index("import")]
    run([*podman, "tag", f"{wanted}-new", wanted], "The image could not be named.", env=environment)
    run([*podman, "untag", f"{wanted}-new", f"{wanted}-new"], "The image could not be named.", env=environment)


def _fast_folder() -> dict[str, str]:
    """Return where mmdebstrap may work in memory, which halves its time."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30:
        return {"TMPDIR": str(memory)}
    return {}
