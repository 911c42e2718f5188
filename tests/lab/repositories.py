# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repositories of the lab's own, apt and rpm, with a sample service in versions that are good, better and broken.

They are served from the machine on the lab's bridge, and end with the lab.
"""

from __future__ import annotations

import email.utils
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .system import LabError, run

if TYPE_CHECKING:
    from .lab import Lab

SOURCE = Path(__file__).parent / "packages"
PORT = 8080

#: By version: the suite that it is published in, and what breaks in its installation.
VERSIONS = {
    "1.0": ("lab", ""),
    "1.1": ("lab-security", ""),
    "1.2": ("lab", "echo 'the database could not be converted' >&2; exit 1"),
    "1.3": ("lab", ""),
}
SUITES = ("lab", "lab-security")


def publish(lab: Lab, version: str) -> None:
    """Build a version of the sample service, put it into the repositories, and see that all hosts know of them."""
    if version not in VERSIONS:
        raise LabError(f"There is no version {version!r} of the sample: take one of {', '.join(VERSIONS)}.")
    folder = _folder(lab)
    for name in ("apt/pool", "rpm/packages"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        _build_deb(Path(work), version, folder / "apt/pool")
        _build_rpm(Path(work), version, folder / "rpm/packages")
    index(lab)
    serve(lab)
    for host in lab.state["hosts"]:
        if lab.pid(host):
            _connect(lab, host)


def serve(lab: Lab) -> None:
    """Serve the repositories on the lab's bridge, unless that is done."""
    if not lab.helpers("repositories"):
        address = lab.address("gateway")
        argv = ["-m", "http.server", "--bind", address, "--directory", str(_folder(lab)), str(PORT)]
        lab.spawn("repositories", [sys.executable, *argv])


def take_down(lab: Lab) -> None:
    """The repositories no longer answer, until something is published or they are served again."""
    lab.end("repositories")


def corrupt(lab: Lab) -> None:
    """The indexes are other than what was signed, until something is published or they are made anew."""
    for path in [*_folder(lab).glob("apt/dists/*/main/*/Packages"), *_folder(lab).glob("rpm/repodata/repomd.xml")]:
        path.write_bytes(b"not what was signed\n" + path.read_bytes())


def index(lab: Lab) -> None:
    """Make the indexes from the packages that are there."""
    pool: dict[str, list[str]] = {suite: [] for suite in SUITES}
    for deb in sorted((_folder(lab) / "apt/pool").glob("*.deb")):
        fields = run(["dpkg-deb", "--field", str(deb)], f"{deb.name} is no package.").strip()
        digest = hashlib.sha256(deb.read_bytes()).hexdigest()
        entry = f"{fields}\nFilename: pool/{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n"
        pool[VERSIONS[deb.name.split("_")[1]][0]].append(entry)
    stamp = _stamp(_folder(lab) / "stamp")
    for suite, entries in pool.items():
        _release(lab, suite, "\n".join(entries), stamp)
    _index_rpm(_folder(lab) / "rpm")


def key(lab: Lab) -> str:
    """Return the public key that signs the apt suites."""
    return run([*_gpg(lab), "--armor", "--export"], "The key of the lab's repositories could not be read.")


def url(lab: Lab, kind: str) -> str:
    """Return the address of the repository of a kind, apt or rpm, as hosts see it."""
    return f"http://{lab.address('gateway')}:{PORT}/{kind}"


def _folder(lab: Lab) -> Path:
    return lab.folder / "repositories"


def _gpg(lab: Lab) -> list[str]:
    # Beside the control sockets: the agent's socket, too, must have a short path.
    return ["gpg", "--batch", "--quiet", "--no-tty", "--homedir", str(lab.sockets / "gnupg")]


def _connect(lab: Lab, host: str) -> None:
    done = _folder(lab) / f"known-to-{host}"
    if done.exists():
        return
    lines = [f"deb [signed-by=/etc/apt/keyrings/lab.asc] {url(lab, 'apt')} {suite} main\n" for suite in SUITES]
    lab.write(host, "/etc/apt/keyrings/lab.asc", key(lab))
    lab.write(host, "/etc/apt/sources.list.d/lab.list", "".join(lines))
    repo = f"[lab]\nname=Lab\nbaseurl={url(lab, 'rpm')}\ngpgcheck=0\nskip_if_unavailable=0\n"
    lab.write(host, "/etc/yum.repos.d/lab.repo", repo)
    done.touch()


def _filled(name: str, version: str, **values: str) -> str:
    text = (SOURCE / name).read_text()
    for word, value in {"VERSION": version, **values}.items():
        text = text.replace(f"@{word}@", value)
    return text


def _build_deb(work: Path, version: str, pool: Path) -> None:
    root = work / "deb"
    files: dict[str, tuple[str, int]] = {
        "usr/bin/lab-sample": (_filled("lab-sample", version), 0o755),
        "lib/systemd/system/lab-sample.service": (_filled("lab-sample.service", version), 0o644),
        "DEBIAN/postinst": (_filled("postinst", version, BROKEN=VERSIONS[version][1]), 0o755),
        "DEBIAN/control": (
            f"Package: lab-sample\nVersion: {version}\nArchitecture: all\nMaintainer: Lab <ops@lab>\n"
            "Description: sample service of the lab\n",
            0o644,
        ),
    }
    for name, (text, mode) in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
        (root / name).chmod(mode)
    target = pool / f"lab-sample_{version}_all.deb"
    run(["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(root), str(target)], "No package could be built.")


def _stamp(file: Path) -> int:
    """Return the time of new indexes: a whole second later than that of the last ones, whatever the clock does.

    apt keeps what it has where a release is not newer by its date, or the server says so of the file's time.
    """
    stamp = max(int(time.time()), int(file.read_text()) + 1 if file.exists() else 0)
    file.write_text(str(stamp))
    return stamp


def _release(lab: Lab, suite: str, packages: str, stamp: int) -> None:
    folder = _folder(lab) / "apt/dists" / suite
    names = ("main/binary-amd64/Packages", "main/binary-all/Packages")
    sums = []
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(packages)
        sums.append(f" {hashlib.sha256(packages.encode()).hexdigest()} {len(packages.encode())} {name}\n")
    label = "EgovLab-Security" if suite.endswith("security") else "EgovLab"
    release = (
        f"Origin: {label}\nLabel: {label}\nSuite: {suite}\nCodename: {suite}\nArchitectures: all amd64\n"
        f"Components: main\nDate: {email.utils.formatdate(stamp, usegmt=True)}\nSHA256:\n{''.join(sums)}"
    )
    (folder / "Release").write_text(release)
    home = lab.sockets / "gnupg"
    if not home.exists():
        home.mkdir(mode=0o700)
        make = ["--passphrase", "", "--quick-generate-key", "lab", "ed25519", "sign", "never"]
        run([*_gpg(lab), *make], "No key could be made for the lab's repositories.")
    sign = ["--yes", "--clearsign", "--output", str(folder / "InRelease"), str(folder / "Release")]
    run([*_gpg(lab), *sign], "The lab's repositories could not be signed.")
    for name in ("InRelease", *names):
        os.utime(folder / name, (stamp, stamp))


def _build_rpm(work: Path, version: str, target: Path) -> None:
    for name in ("lab-sample", "lab-sample.service"):
        (work / name).write_text(_filled(name, version))
    spec = work / "lab-sample.spec"
    spec.write_text(_filled("lab-sample.spec", version, FOLDER=str(work)))
    run(["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {work}/rpm", str(spec)], "No rpm could be built.")
    for path in (work / "rpm/RPMS").rglob("*.rpm"):
        shutil.move(path, target / path.name)


def _index_rpm(folder: Path) -> None:
    run(["createrepo_c", "--quiet", str(folder)], "The rpm repository could not be indexed.")
    fixed = [path for path in (folder / "packages").glob("*.rpm") if VERSIONS[path.name.split("-")[2]][0] != "lab"]
    updates = "".join(
        f'<update from="ops@lab" status="final" type="security" version="1"><id>LAB-{number}</id><title>lab-sample'
        '</title><severity>Important</severity><issued date="2026-01-01 00:00:00"/><pkglist><collection short="lab">'
        f'<name>lab</name><package name="lab-sample" version="{path.name.split("-")[2]}" release="1" epoch="0" '
        f'arch="noarch"><filename>{path.name}</filename></package></collection></pkglist></update>'
        for number, path in enumerate(sorted(fixed), 1)
    )
    with tempfile.TemporaryDirectory() as work:
        notices = Path(work, "updateinfo.xml")
        notices.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<updates>{updates}</updates>\n')
        run(["modifyrepo_c", str(notices), str(folder / "repodata")], "The notices could not be added.")


VERBS: dict[str, Callable[..., None]] = {
    "publish": publish,
    "take_down": take_down,
    "serve": serve,
    "corrupt": corrupt,
    "index": index,
}
