# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole platform: its services work together, and the day on it tells what is true of each host."""

from __future__ import annotations

import contextlib
import json
import re
import smtplib
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.sites import Site, wait_for

from . import repositories, stores
from .conftest import ssh
from .faults import fault
from .hosts import PLATFORM
from .lab import Lab, leaks
from .system import LabError

ROOT = Path(__file__).resolve().parents[2]


class Described(Site):
    """The site that `inventories/lab` describes, with the ledger that it names."""

    @property
    def state(self) -> Path:
        """The controller's state folder."""
        return Lab("platform").folder / "controller"

    def write(self) -> Path:
        """Return the path of the inventory."""
        return ROOT / "inventories/lab"


@pytest.fixture(scope="module")
def platform() -> Iterator[Lab]:
    """The eleven hosts with their services, up within ninety seconds."""
    lab = Lab("platform")
    lab.down()  # of a run that was killed
    start = time.monotonic()
    lab.up(list(PLATFORM))
    took = time.monotonic() - start
    state = lab.state
    yield lab
    lab.down()
    assert leaks(lab, state) == []
    assert took < 90


@pytest.fixture
def day(platform: Lab, tmp_path: Path) -> Site:
    """The site from where the platform is looked after."""
    return Described(tmp_path, Path(sys.executable).parent, environment={"EGOV_OPS_LAB": platform.name})


def portal(lab: Lab, path: str, body: str | None = None, host: str = "lb1") -> Any:
    """Return what the portal answers, through the balancer."""
    url = f"http://{lab.address(host)}{path}"
    with urllib.request.urlopen(url, body.encode() if body else None, timeout=6) as answer:
        return json.loads(answer.read())


def serving(lab: Lab) -> set[str]:
    """Return the web servers that answer through the balancer."""
    found = set()
    for _time in range(4):
        with contextlib.suppress(urllib.error.URLError, TimeoutError):
            found.add(portal(lab, "/health")["host"])
    return found


def sql(lab: Lab, host: str, statement: str) -> str:
    """Return what a database answers, asked by its own administrator."""
    return lab.shell(host, f"runuser -u postgres -- psql -Atc {json.dumps(statement)} portal").strip()


def test_every_host_is_well(platform: Lab) -> None:
    wait_for(lambda: platform.status() == dict.fromkeys(PLATFORM, "running"))


def test_an_application_goes_from_the_balancer_into_both_databases(platform: Lab) -> None:
    wait_for(lambda: serving(platform) == {"web1", "web2"})
    number = portal(platform, "/applications", "申请一")
    assert "申请一" in portal(platform, "/applications")
    statement = f"SELECT text FROM applications WHERE id = {number}"
    wait_for(lambda: sql(platform, "db2", statement) == "申请一")
    assert sql(platform, "db2", "SELECT pg_is_in_recovery()") == "t"


def test_the_balancer_leaves_out_a_server_that_does_not_answer(platform: Lab) -> None:
    wait_for(lambda: serving(platform) == {"web1", "web2"})
    with fault(platform, "freeze_service", "web1", "portal.service"):
        wait_for(lambda: serving(platform) == {"web2"})
    wait_for(lambda: serving(platform) == {"web1", "web2"})


def test_the_portal_says_that_its_database_is_away(platform: Lab) -> None:
    with fault(platform, "refuse_port", "db1", "5432"), pytest.raises(urllib.error.HTTPError) as caught:
        portal(platform, "/health", host="web1")
    assert caught.value.code == 503
    assert "onnection" in json.loads(caught.value.read())["why"]


def test_registers_and_cache_answer(platform: Lab) -> None:
    assert "示例有限公司" in platform.shell("db3", "mariadb -N -e 'SELECT name FROM registers.companies'")
    ping = f"REDISCLI_AUTH={platform.password} redis-cli -h {platform.address('cache1')} ping"
    assert platform.shell("cache1", ping).strip() == "PONG"


def test_mail_and_webhooks_end_at_the_monitoring_host(platform: Lab) -> None:
    with smtplib.SMTP(platform.address("mon1"), timeout=5) as server:
        server.sendmail("ops@lab", ["duty@lab"], "Subject: test\r\n\r\n.words\r\n")
    hook = urllib.request.Request(f"http://{platform.address('mon1')}:8080/hook", b'{"alert": 1}')
    assert urllib.request.urlopen(hook, timeout=5).status == 204
    kept = wait_for(lambda: platform.shell("mon1", "cat /var/lib/sink/mail-* /var/lib/sink/webhook-*"))
    assert ".words" in kept and '{"alert": 1}' in kept


def test_the_backup_server_gives_a_folder_and_no_shell(platform: Lab) -> None:
    login = "sudo ssh -o BatchMode=yes egov-backup@backup1 id"
    assert "uid=" not in ssh(platform, "file1", login).stdout
    batch = "sudo sftp -o BatchMode=yes -b /dev/stdin egov-backup@backup1 </dev/null"
    assert ssh(platform, "file1", batch).returncode == 0


STORES = {
    "sftp": lambda lab, host: f"sftp:egov-backup@backup1:/srv/repositories/{host}-test",
    "rest": stores.rest,
    "s3": stores.s3,
}


def restic(lab: Lab, store: str, words: str, host: str = "file1", timeout: float = 60) -> str:
    """Run restic as root of a host on its repository in a store and return what it prints."""
    secrets = "RESTIC_PASSWORD=test AWS_ACCESS_KEY_ID=lab AWS_SECRET_ACCESS_KEY=lab"
    command = f"{secrets} restic --no-cache --quiet --repo={STORES[store](lab, host)} {words}"
    return lab.shell(host, command, timeout)


@pytest.fixture(scope="module")
def stored(platform: Lab) -> Lab:
    """The platform with two backups of file1's documents in each store."""
    for store in STORES:
        for words in ("init", "backup /srv/documents", "backup /srv/documents"):
            restic(platform, store, words)
    return platform


@pytest.mark.parametrize("store", STORES)
def test_each_store_gives_back_what_it_took(stored: Lab, store: str) -> None:
    restic(stored, store, f"restore latest --verify --target=/srv/restored/{store}")
    stored.shell("file1", f"diff --recursive /srv/documents /srv/restored/{store}/srv/documents")


def test_the_rest_server_adds_and_takes_nothing_away(stored: Lab) -> None:
    url = stores.rest(stored, "file1").removeprefix("rest:")
    snapshot = json.loads(restic(stored, "rest", "snapshots --json"))[0]["id"]

    def answer(options: str, address: str = f"{url}snapshots/{snapshot}") -> str:
        return stored.shell("file1", f"curl -s -o /dev/null -w '%{{http_code}}' {options} {address}")

    assert answer("") == "200"
    assert answer("-X DELETE") == "403"
    assert answer("-X POST -d other") == "403"
    assert answer("", url.replace("/file1/", "/web1/config")) in ("401", "403"), "each host sees its own alone"
    assert answer("", url.replace(stored.password, "guessed")) == "401"
    assert len(json.loads(restic(stored, "rest", "snapshots --json"))) == 2


@pytest.mark.long  # restic tries each time for most of a minute before it gives up
def test_the_rest_server_refuses_to_forget(stored: Lab) -> None:
    said = restic(stored, "rest", "forget --keep-last=1 --prune 2>&1 || echo refused", timeout=300)
    assert "403 Forbidden" in said and said.endswith("refused\n"), said
    assert len(json.loads(restic(stored, "rest", "snapshots --json"))) == 2


def test_what_is_forgotten_in_the_s3_store_is_still_there_and_cannot_be_deleted(stored: Lab) -> None:
    def ask(query: str, options: str = "") -> str:
        bucket = f"https://{stored.address('gateway')}:{stores.S3_PORT}/{stores.BUCKET}"
        sign = "--aws-sigv4 aws:amz:us-east-1:s3 --user lab:lab"
        return stored.shell("file1", f"curl -s -w '%{{http_code}}' {sign} {options} '{bucket}{query}'")

    lock = ask("?object-lock")
    assert "<Mode>COMPLIANCE</Mode>" in lock and "<Days>1</Days>" in lock
    restic(stored, "s3", "forget --keep-last=1 --prune")
    assert len(json.loads(restic(stored, "s3", "snapshots --json"))) == 1
    version = r"(?s)<Version>.*?<Key>(file1/snapshots/\w+)</Key>\s*<VersionId>([\w-]+)</VersionId>"
    versions = re.findall(version, ask("?versions&prefix=file1/snapshots/"))
    assert len(versions) == 2
    for key, name in versions:
        assert "AccessDenied" in ask(f"/{key}?versionId={name}", "-X DELETE")
        assert ask(f"/{key}?versionId={name}", "-o /dev/null") == "200"


@pytest.fixture
def copying(platform: Lab, tmp_path: Path) -> Site:
    """A site of file1 alone, whose documents are copied from a folder of the host into each store."""
    files = {
        "rest": f"RESTIC_REST_USERNAME=file1\nRESTIC_REST_PASSWORD={platform.password}\n",
        "s3": "AWS_ACCESS_KEY_ID=lab\nAWS_SECRET_ACCESS_KEY=lab\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    inner = f"{tmp_path.name}-copy"
    server = {"create": True, "site": "south"}
    repositories = {
        "own": {"location": f"/srv/{tmp_path.name}", "create": True, "site": "north"},
        "sftp": {"location": f"sftp:egov-backup@backup1:/srv/repositories/{inner}", **server},
        "rest": {"location": f"rest:https://backup1:{stores.REST_PORT}/file1/{inner}/", "immutable": True, **server},
        "s3": {"location": f"{stores.s3(platform, 'file1')}-{inner}", "immutable": True, **server},
    }
    for name in files:
        repositories[name]["credentials_file"] = str(tmp_path / name)
    data = {"class": "other", "paths": ["/srv/documents"], "repository": "own", "copies": list(STORES)}
    return Site(
        folder=tmp_path,
        bin=Path(sys.executable).parent,
        hosts={"file1": {}},
        variables={
            **json.loads((platform.folder / "hosts.yml").read_text())["all"]["vars"],
            "egov_ops_state_dir": str(tmp_path / "state"),
            "egov_ops_site": "north",
            "egov_ops_backup_repositories": repositories,
            "egov_ops_backup_sets": {"config": {"state": "absent"}, "data": {**data, "full": "weekly"}},
        },
    )


def test_documents_are_copied_into_each_store_from_where_they_come_back(platform: Lab, copying: Site) -> None:
    done = copying.play("egov.ops.backup")
    assert done.rc == 0, done.output
    copies = {record["subject"]: record for record in copying.records(kind="copy")}
    assert set(copies) == {f"data to {store}" for store in STORES}
    assert {record["detail"]["copied"] for record in copies.values()} == {1}
    done = copying.play("egov.ops.backup_status")
    assert done.rc == 0, done.output
    places = {place["repository"]: place for place in copying.records(kind="copies")[-1]["detail"]["places"]}
    assert {name for name, place in places.items() if place["holds"]} == {"own", *STORES}
    assert {name for name, place in places.items() if place["immutable"]} == {"rest", "s3"}
    assert "keeps each version for 1 days" in places["s3"]["immutable_words"]
    assert "refuses to delete (403)" in places["rest"]["immutable_words"]
    passwords = {name: (copying.state / "passwords" / name).read_text().strip() for name in STORES}
    assert len(set(passwords.values())) == len(STORES)
    for store in STORES:
        location = str(copying.variables["egov_ops_backup_repositories"][store]["location"])
        if store == "rest":
            location = location.replace("//", f"//file1:{platform.password}@")
        secrets = f"RESTIC_PASSWORD={passwords[store]} AWS_ACCESS_KEY_ID=lab AWS_SECRET_ACCESS_KEY=lab"
        target = f"/srv/copied/{store}"
        platform.shell(
            "file1", f"{secrets} restic --no-cache --quiet --repo={location} restore latest --target={target}", 60
        )
        platform.shell("file1", f"diff --recursive /srv/documents {target}/srv/documents")


def test_a_clock_that_is_not_the_platforms_is_found(platform: Lab, day: Site) -> None:
    with fault(platform, "skew_time", "rpm1", "-2h"):
        done = day.play("egov.ops.health_check", "-l", "rpm1,mon1")
    assert done.rc == 0, done.output
    offsets = {record["host"]: record for record in day.records(kind="ntp_offset")}
    assert offsets["rpm1"]["status"] == "critical"
    assert abs(offsets["rpm1"]["detail"]["value"] - 7200) < 60
    assert offsets["mon1"]["status"] == "ok"


@pytest.fixture(scope="module")
def noticed(platform: Lab) -> Lab:
    """The platform, on whose rpm1 a package is installed of which a security version has been published since."""
    repositories.publish(platform, "1.0")
    assert dnf(platform, "--setopt=install_weak_deps=0 --nogpgcheck install lab-sample")
    repositories.publish(platform, "1.1")
    return platform


def test_a_security_notice_of_the_rpm_repository_is_found(noticed: Lab) -> None:
    assert "LAB-1 Important/Sec. lab-sample-1.1-1.noarch" in dnf(noticed, "updateinfo list --security")


@pytest.mark.long
def test_what_a_security_notice_names_is_installed_unless_the_repository_is_corrupt(noticed: Lab) -> None:
    repositories.corrupt(noticed)
    with pytest.raises(LabError):
        dnf(noticed, "makecache")
    repositories.index(noticed)
    dnf(noticed, "upgrade --security --nogpgcheck")
    assert noticed.shell("rpm1", "rpm --root /srv/rpm -q lab-sample").strip() == "lab-sample-1.1-1.noarch"


def dnf(lab: Lab, words: str) -> str:
    """Run dnf of rpm1 on a root of its own, and return what it prints."""
    options = "--installroot=/srv/rpm --releasever=1 --setopt=reposdir=/etc/yum.repos.d --refresh --assumeyes --quiet"
    return " ".join(lab.shell("rpm1", f"dnf {options} {words} 2>&1 && echo done").split())


def test_the_day_gives_a_verdict_on_each_of_eleven_hosts_three_of_them_broken(platform: Lab, day: Site) -> None:
    with (
        fault(platform, "kill", "db2"),
        fault(platform, "hide_python", "cache1"),
        fault(platform, "fill_disk", "file1", "/srv/data"),
    ):
        done = day.play("egov.ops.daily", timeout=300)
    assert done.rc == 2, done.output
    steps = day.steps()
    assert {host for host, _module in steps} == set(PLATFORM)
    assert {outcome for (host, _module), outcome in steps.items() if host == "db2"} == {("unreachable", "")}
    assert {outcome for (host, _module), outcome in steps.items() if host == "cache1"} == {("unknown", "no_python")}
    whole = set(PLATFORM) - {"db2", "cache1"}
    assert {outcome for (host, _module), outcome in steps.items() if host in whole} == {("ok", "")}
    for host in whole:
        full = [entry for entry in day.records(host=host, kind="filesystem_space") if entry["status"] == "critical"]
        assert bool(full) == (host == "file1"), full
        assert "/srv/data" in json.dumps(full) or host != "file1"
    assert set(PLATFORM) <= {host["name"] for host in day.report()["hosts"]}
