# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the platform's backups go: SFTP and an append-only REST server on backup1, and an S3 store beside the hosts."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import environment
from environment import CACHE, ROOT

from .hosts import PLATFORM
from .system import LabError, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .lab import Lab

#: The folder of the environment in which the S3 store runs.
SERVER = CACHE / "s3"
S3_PORT, REST_PORT, BUCKET = 9000, 8000, "backups"


def provide() -> Path:
    """Return the interpreter of the S3 store's environment, made if need be; raise SetupError with pip's words."""
    CACHE.mkdir(exist_ok=True)
    with SERVER.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two labs may begin at once
        environment.create(SERVER, ROOT / "requirements/lab.txt", environment.find_python())
    return SERVER / "bin/python"


def rest(lab: Lab, host: str) -> str:
    """Return the location of a host's own repository on the REST server, as restic takes it; it has the password."""
    return f"rest:https://{host}:{lab.password}@backup1:{REST_PORT}/{host}/"


def s3(lab: Lab, host: str) -> str:
    """Return the location of a host's repository in the S3 store, which takes any access key."""
    return f"s3:https://{lab.address('gateway')}:{S3_PORT}/{BUCKET}/{host}"


def set_up(lab: Lab, host: str) -> None:
    """Set up all three: a user whose only service by ssh is SFTP, and the two servers with a certificate of the lab."""
    rules = "Match User egov-backup\n  ForceCommand internal-sftp\n  AllowTcpForwarding no\n"
    lab.write(host, "/etc/ssh/sshd_config.d/backup.conf", rules)
    lab.shell(
        host,
        "useradd --create-home --shell /usr/sbin/nologin egov-backup\n"
        "install -d -o egov-backup -g egov-backup -m 700 /srv/repositories /srv/rest ~egov-backup/.ssh /etc/rest\n"
        "systemctl reload ssh\n",
    )
    certificate, key = _certificate(lab, host)
    digest = base64.b64encode(hashlib.sha1(lab.password.encode(), usedforsecurity=False).digest()).decode()
    users = "".join(f"{name}:{{SHA}}{digest}\n" for name in PLATFORM)
    for name, text in {"cert": certificate.read_text(), "key": key.read_text(), "users": users}.items():
        lab.write(host, f"/etc/rest/{name}", text, mode="600")
    server = (
        f"/usr/bin/rclone serve restic --config= --addr=:{REST_PORT} --append-only --private-repos "
        "--htpasswd=/etc/rest/users --cert=/etc/rest/cert --key=/etc/rest/key /srv/rest"
    )
    unit = f"[Service]\nExecStart={server}\nUser=egov-backup\n[Install]\nWantedBy=multi-user.target\n"
    lab.write(host, "/etc/systemd/system/rest.service", unit)
    lab.shell(
        host, "chown egov-backup: /etc/rest/*; systemctl daemon-reload; systemctl enable --quiet --now rest.service"
    )
    _start_s3(lab, certificate, key)


def _certificate(lab: Lab, host: str) -> tuple[Path, Path]:
    """Make the certificate that the hosts trust, of both servers, and its key."""
    certificate, key = lab.folder / "stores.pem", lab.folder / "stores.key"
    names = f"subjectAltName=DNS:{host},IP:{lab.address(host)},IP:{lab.address('gateway')}"
    make = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "60"]
    make += ["-subj", "/CN=egov.ops lab", "-addext", names, "-keyout", str(key), "-out", str(certificate)]
    run(make, "No certificate could be made for the lab's stores.")
    return certificate, key


def _start_s3(lab: Lab, certificate: Path, key: Path) -> None:
    script = Path(__file__).parent / "platform/store.py"
    words = [lab.address("gateway"), str(S3_PORT), str(certificate), str(key), BUCKET]
    lab.spawn("s3", [str(provide()), str(script), *words])
    log = lab.folder / "s3.log"
    deadline = time.monotonic() + 60
    while "ready" not in log.read_text().splitlines():
        if time.monotonic() > deadline or not lab.helpers("s3"):
            raise LabError(f"The S3 store does not start: {log.read_text().strip()[-300:]}")
        time.sleep(0.05)


def trust(lab: Lab, clients: Sequence[str]) -> None:
    """Let root of the clients log in at backup1, whose key they know, and trust the certificate of both servers."""
    key = lab.shell("backup1", "cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub").strip()
    known = f"backup1,{lab.address('backup1')} {key}\n"
    script = (
        "mkdir -pm700 /root/.ssh; cd /root/.ssh; [ -e id_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -f id_ed25519\n"
        f"printf '{known}' >known_hosts; cat id_ed25519.pub\n"
        "cat /usr/local/share/ca-certificates/lab.crt >>/etc/ssl/certs/ca-certificates.crt\n"
    )
    certificate = (lab.folder / "stores.pem").read_text()

    def introduce(name: str) -> str:
        lab.write(name, "/usr/local/share/ca-certificates/lab.crt", certificate)
        return lab.shell(name, script)

    with ThreadPoolExecutor(3) as pool:
        keys = "".join(pool.map(introduce, clients))
    lab.shell(
        "backup1",
        f"cd ~egov-backup/.ssh; printf '{keys}' >>authorized_keys; chown egov-backup: authorized_keys",
    )
