# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""dnf and zypper, for real: rpm's own database, and a repository with advisories in a folder."""

from __future__ import annotations

import os
import shutil
import time
from calendar import timegm
from pathlib import Path

import pytest

from tests.support.package_site import DAY, RpmSite, advisory, has_binding, locked

pytestmark = [pytest.mark.root, pytest.mark.programs("rpm", "rpmbuild", "createrepo_c", "modifyrepo_c")]
ISSUED = timegm(time.strptime("2026-10-01", "%Y-%m-%d"))
SECURITY = advisory("EGOV-2026:1", "egov-portal", "1.1", cve="CVE-2026-0001")
BUGFIX = advisory("EGOV-2026:2", "egov-portal", "1.2", type="bugfix")


def make(folder: Path, manager: str) -> RpmSite:
    """Make a host with egov-portal 1.0, and a source with advisories that has nothing newer."""
    if not shutil.which(manager) or (manager == "dnf" and not has_binding("dnf")):
        pytest.skip(f"needs {manager}")
    made = RpmSite.make(folder, manager)
    made.publish(("egov-portal", "1.0"), advisories=BUGFIX)
    made.install("egov-portal", "1.0")
    return made


@pytest.fixture(params=["dnf", "zypper"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> RpmSite:
    """The host, once for each package manager."""
    return make(tmp_path, request.param)


@pytest.fixture
def dnf(tmp_path: Path) -> RpmSite:
    """The host, for dnf."""
    return make(tmp_path, "dnf")


@pytest.fixture
def zypper(tmp_path: Path) -> RpmSite:
    """The host, for zypper."""
    return make(tmp_path, "zypper")


def test_a_security_update_that_a_later_version_overtook_is_still_one_and_late_after_its_deadline(
    site: RpmSite,
) -> None:
    site.publish(("egov-portal", "1.1"), ("egov-portal", "1.2"), advisories=SECURITY + BUGFIX)
    found = site.pending(refresh=True, now=ISSUED + DAY)
    (update,) = found["detail"]["updates"]
    assert found["status"] == "warning"
    assert (update["installed"], update["candidate"], update["security"]) == ("1.0-1", "1.2-1", True)
    assert (update["advisories"], update["cves"], update["age_days"]) == (["EGOV-2026:1"], ["CVE-2026-0001"], 1.0)
    assert update["origins"] == ["update"]
    late = site.pending(now=ISSUED + 30 * DAY + 1)
    assert (late["status"], late["detail"]["counts"]["late"]) == ("critical", 1)
    site.install("egov-portal", "1.2")
    assert site.pending()["status"] == "ok"


def test_an_update_that_brings_no_security_advisory_is_pending_and_ok(site: RpmSite) -> None:
    site.publish(("egov-portal", "1.2"), advisories=BUGFIX + advisory("EGOV-2026:3", "egov-portal", "1.3"))
    found = site.pending(refresh=True)
    assert (found["status"], found["detail"]["counts"]["pending"]) == ("ok", 1)


def test_pending_updates_that_no_source_classes_are_never_ok(site: RpmSite) -> None:
    site.publish(("egov-portal", "1.1"))
    found = site.pending(refresh=True)
    assert (found["status"], found["reason"]) == ("unknown", "not_supported")
    site.publish(advisories=BUGFIX)
    assert site.pending(refresh=True)["status"] == "ok"


def test_lists_that_are_missing_or_old_and_a_refresh_that_failed_are_never_ok(site: RpmSite) -> None:
    missing = site.pending()
    assert (missing["status"], missing["reason"]) == ("unknown", "stale_lists")
    assert "1 of 1 sources have no lists (update)" in missing["detail"]["message"]
    assert site.pending(refresh=True)["status"] == "ok"
    old = site.pending(max_lists_age=-1)
    assert (old["status"], old["reason"]) == ("unknown", "stale_lists")
    # The source may be skipped, says its configuration, and the tools then end well.
    (site.folder / "repository").rename(site.folder / "away")
    failed = site.pending(refresh=True)
    assert (failed["status"], failed["reason"]) == ("unknown", "stale_lists")
    assert " failed: " in failed["detail"]["message"]


def test_a_broken_database_is_one_sentence_and_the_rest_goes_on(site: RpmSite) -> None:
    for file in (site.root / "var/lib/rpm").iterdir():
        file.unlink()
    (site.root / "var/lib/rpm/rpmdb.sqlite").write_bytes(b"this is no database" * 999)
    found = site.look()
    assert (found["package_list", "pending"]["status"], found["package_list", "pending"]["reason"]) == (
        "unknown",
        "error",
    )
    assert found["reboot", "host"]["status"] == "ok"


def test_a_database_in_use_is_busy_with_the_holders_name(dnf: RpmSite) -> None:
    with locked(dnf.root / "var/lib/rpm/.rpm.lock") as pid:
        found = dnf.look()["package_list", "pending"]
        assert (found["status"], found["reason"]) == ("failed", "busy")
        assert f"(pid {pid}) on {os.uname()[1]}, " in found["detail"]["message"]
    assert dnf.pending(refresh=True)["status"] == "ok"


def test_what_keeps_a_security_update_back_is_a_finding_and_hides_nothing(dnf: RpmSite) -> None:
    dnf.publish(("egov-portal", "1.1"), advisories=SECURITY)
    assert dnf.look(refresh=True, now=ISSUED)["held", "packages"]["status"] == "ok"
    configuration, versionlock = dnf.root / "etc/dnf/dnf.conf", dnf.root / "etc/dnf/plugins/versionlock.list"
    free = configuration.read_text()
    for how, file, text in (
        ("versionlock", versionlock, "# added by hand\negov-portal-0:1.0-1.*\n"),
        ("exclude", configuration, free + "excludepkgs=egov-*\n"),
    ):
        file.write_text(text)
        found = dnf.look(now=ISSUED)
        assert found["held", "packages"]["status"] == "warning"
        assert [entry["how"] for entry in found["held", "packages"]["detail"]["held"]] == [how]
        assert found["package_list", "pending"]["detail"]["updates"][0]["hold"] == how
        versionlock.unlink(missing_ok=True)


def test_a_lock_of_zypper_on_a_security_update_is_a_finding(zypper: RpmSite) -> None:
    zypper.publish(("egov-portal", "1.1"), advisories=SECURITY)
    locks = zypper.root / "etc/zypp/locks"
    locks.write_text("\ntype: package\nmatch_type: glob\ncase_sensitive: on\nsolvable_name: egov-*\n\n")
    assert zypper.look(refresh=True, now=ISSUED)["held", "packages"]["status"] == "warning"
    locks.unlink()
    assert zypper.look(now=ISSUED)["held", "packages"]["status"] == "ok"


def test_what_was_put_in_since_the_start_and_wants_a_restart_makes_one_due(dnf: RpmSite) -> None:
    dnf.publish(("egov-portal", "1.1"), advisories=advisory("EGOV-2026:1", "egov-portal", "1.1", reboot="yes"))
    dnf.install("glibc", "2.38")
    dnf.install("egov-portal", "1.1")
    os.utime(dnf.root / "proc/1", (1, 1))  # started long before
    found = dnf.look(refresh=True)["reboot", "host"]
    assert found["status"] == "warning"
    assert found["detail"]["reasons"] == [
        "EGOV-2026:1 asks for it for egov-portal 1.1-1",
        "glibc 2.38-1 was installed since the start",
    ]
    os.utime(dnf.root / "proc/1", (time.time() + 60, time.time() + 60))
    assert dnf.look()["reboot", "host"]["status"] == "ok"
