# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""apt, for real: the host's own dpkg and apt-get, a repository of two suites in a folder."""

from __future__ import annotations

import http.server
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import environment
import pytest

from tests.support.package_site import PYTHON, AptSite, has_binding, locked, run, scan

pytestmark = pytest.mark.programs("dpkg", "dpkg-deb", "apt-get", "apt-ftparchive")


@pytest.fixture
def site(tmp_path: Path) -> AptSite:
    """A host with egov-portal 1.0, which is the newest, and lists that say so."""
    if not has_binding("apt_pkg"):
        pytest.skip("needs python3-apt")
    made = AptSite.make(tmp_path)
    made.publish("egov", ("egov-portal", "1.0"))
    made.install("egov-portal", "1.0")
    made.update()
    return made


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder over HTTP and yield its address."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    handler = partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_security_update_that_a_later_version_overtook_is_still_one(site: AptSite) -> None:
    site.publish("egov-security", ("egov-portal", "1.1"))
    site.publish("egov", ("egov-portal", "1.10"))
    site.update()
    found = site.pending()
    (update,) = found["detail"]["updates"]
    assert found["status"] == "warning"
    assert (update["installed"], update["candidate"], update["security"]) == ("1.0", "1.10", True)
    assert update["origins"] == ["EGov:egov/main"]
    site.install("egov-portal", "1.10")
    assert site.pending()["status"] == "ok"


def test_an_update_without_a_security_version_on_the_way_is_pending_and_ok(site: AptSite) -> None:
    site.publish("egov-security", ("egov-portal", "0.9"), ("egov-other", "5"))
    site.publish("egov", ("egov-portal", "1.2"))
    site.update()
    found = site.pending()
    assert found["status"] == "ok"
    assert found["detail"]["counts"] == {"pending": 1, "security": 0, "late": 0}
    assert found["detail"]["message"] == "1 updates are pending."


def test_a_mirror_that_has_lost_its_name_is_told_by_a_pattern_of_the_plan(site: AptSite) -> None:
    site.publish("egov", ("egov-portal", "1.1"))
    site.update()
    assert site.pending()["status"] == "ok"
    assert site.pending(security_origins=["EGOV"])["status"] == "warning"


def test_all_origins_of_a_version_are_named(site: AptSite) -> None:
    for suite in site.SUITES:
        site.publish(suite, ("egov-portal", "1.1"))
    site.update()
    (update,) = site.pending()["detail"]["updates"]
    assert update["origins"] == ["EGov:egov-security/main", "EGov:egov/main"]


def test_a_hold_on_a_security_update_is_a_finding_until_it_is_released(site: AptSite) -> None:
    site.publish("egov-security", ("egov-portal", "1.1"))
    site.update()

    def select(state: str) -> None:
        subprocess.run(
            ["dpkg", f"--admindir={site.database}", "--set-selections"],
            input=f"egov-portal {state}",
            text=True,
            check=True,
        )

    select("hold")
    found = site.look()
    assert found["held", "packages"]["status"] == "warning"
    assert found["held", "packages"]["detail"]["held"] == [{"name": "egov-portal", "how": "hold", "words": ""}]
    assert found["package_list", "pending"]["detail"]["updates"][0]["hold"] == "hold"
    select("install")
    found = site.look()
    assert found["held", "packages"]["status"] == "ok"
    assert "hold" not in found["package_list", "pending"]["detail"]["updates"][0]


def test_a_pin_does_not_hide_the_security_update_that_it_keeps_away(site: AptSite) -> None:
    site.publish("egov-security", ("egov-portal", "1.1"))
    site.update()
    pin = site.folder / "etc/preferences.d/portal"
    pin.write_text("Package: egov-p*\nPin: version 1.0\nPin-Priority: 1001\n")
    found = site.look()
    (update,) = found["package_list", "pending"]["detail"]["updates"]
    assert (update["candidate"], update["hold"]) == ("1.1", "pin")
    assert found["package_list", "pending"]["status"] == found["held", "packages"]["status"] == "warning"
    assert found["held", "packages"]["detail"]["held"][0]["words"] == "version 1.0, priority 1001"
    pin.unlink()
    assert site.look()["held", "packages"]["status"] == "ok"


def test_lists_that_are_missing_are_never_ok(site: AptSite) -> None:
    for file in (site.folder / "lists").glob("*egov-security*"):
        file.unlink()
    found = site.pending()
    assert (found["status"], found["reason"]) == ("unknown", "stale_lists")
    assert "1 of 2 sources have no lists" in found["detail"]["message"]
    site.update()
    assert site.pending()["status"] == "ok"


def test_a_host_without_any_source_is_never_ok(site: AptSite) -> None:
    site.sources()
    found = site.pending()
    assert (found["status"], found["reason"]) == ("unknown", "stale_lists")


def test_lists_older_than_the_limit_are_never_ok(site: AptSite) -> None:
    site.publish("egov", ("egov-portal", "1.1"))
    found = site.pending(max_lists_age=0)
    assert (found["status"], found["reason"]) == ("unknown", "stale_lists")
    assert "(limit 0)" in found["detail"]["message"]
    assert site.pending()["status"] == "ok"


@pytest.mark.programs("gpg")
def test_apt_puts_a_release_file_into_place_at_each_comparison_even_if_it_is_the_same(site: AptSite) -> None:
    # The age of lists rests on it, since all other times are those of the source.
    site.sign("egov")
    with served(site.folder / "repository") as address:
        site.sources("egov", at=address)
        site.update()
        (release,) = (site.folder / "lists").glob("127*_InRelease")
        before = release.stat()
        time.sleep(0.05)
        site.update()
        assert release.stat().st_mtime_ns == before.st_mtime_ns
        assert release.stat().st_ctime_ns > before.st_ctime_ns
        assert site.pending()["status"] == "ok"


def test_after_a_refresh_no_list_counts_as_old_whatever_its_times(site: AptSite) -> None:
    with served(site.folder / "repository") as address:
        site.sources("egov", at=address)  # unsigned: apt leaves its Release file untouched
        site.update()
        assert site.pending(max_lists_age=0)["status"] == "unknown"
        assert site.pending(max_lists_age=0, refresh=True)["status"] == "ok"


def test_a_refresh_with_a_dead_mirror_fails_though_apt_itself_shrugs(site: AptSite) -> None:
    with served(site.folder / "repository") as address:
        site.sources("egov", at=address)
        assert site.pending(refresh=True)["status"] == "ok"
    found = site.pending(refresh=True)
    assert (found["status"], found["reason"]) == ("unknown", "stale_lists")
    assert found["detail"]["message"].startswith("apt-get update failed: ")
    assert site.pending()["status"] == "ok"


def test_a_refresh_brings_what_is_new_and_says_that_it_changed_something(site: AptSite) -> None:
    site.publish("egov-security", ("egov-portal", "1.1"))
    result = scan(site.root, env=site.environment(), refresh=True)
    assert result["changed"] is True
    assert result["evidence"][0]["status"] == "warning"


def test_check_mode_refreshes_nothing(site: AptSite) -> None:
    site.publish("egov-security", ("egov-portal", "1.1"))
    result = scan(site.root, env=site.environment(), refresh=True, check_mode=True)
    assert result["changed"] is False
    assert result["evidence"][0]["detail"]["counts"]["pending"] == 0


def test_a_password_in_a_sources_address_is_shown_nowhere(site: AptSite) -> None:
    site.sources("egov", at="http://clerk:hunter2@127.0.0.1:9")
    assert "hunter2" not in f"{site.look()}{site.look(refresh=True)}"


def test_lists_that_another_program_refreshes_are_a_failure_with_its_name(site: AptSite) -> None:
    site.look(refresh=True)
    with locked(Path(site.environment()["APT_CONFIG"]).parent / "lists" / "lock") as pid:
        found = site.pending(refresh=True)
    assert (found["status"], found["reason"]) == ("failed", "busy")
    assert f"(pid {pid}) on {os.uname()[1]}, " in found["detail"]["message"]


@pytest.mark.parametrize("name", ["lock", "lock-frontend"])
def test_a_database_in_use_is_busy_with_the_holders_name(site: AptSite, name: str) -> None:
    with locked(site.database / name) as pid:
        found = site.look()
        for key in (("package_list", "pending"), ("package_list", "installed"), ("held", "packages")):
            assert (found[key]["status"], found[key]["reason"]) == ("failed", "busy")
        assert f"(pid {pid}) on {os.uname()[1]}, " in found["package_list", "pending"]["detail"]["message"]
        assert found["restarts", "processes"]["status"] == found["reboot", "host"]["status"] == "ok"
    assert site.pending()["status"] == "ok"


def test_a_broken_database_is_one_sentence_and_the_rest_goes_on(site: AptSite) -> None:
    status = site.database / "status"
    healthy = status.read_text()
    status.write_text("this is no status file")
    found = site.look()
    assert (found["package_list", "pending"]["status"], found["package_list", "pending"]["reason"]) == (
        "unknown",
        "error",
    )
    assert found["package_list", "pending"]["detail"]["message"].startswith("apt cannot read its database: ")
    assert found["reboot", "host"]["status"] == "ok"
    status.write_text(healthy)
    assert site.pending()["status"] == "ok"


def test_a_package_that_is_not_wholly_installed_is_critical(site: AptSite) -> None:
    status = site.database / "status"
    healthy = status.read_text()
    status.write_text(healthy.replace("install ok installed", "install ok half-configured"))
    found = site.look()["package_list", "installed"]
    assert found["status"] == "critical"
    assert found["detail"]["broken"] == ["egov-portal"]
    status.write_text(healthy)
    assert site.look()["package_list", "installed"]["status"] == "ok"


def test_a_dpkg_that_was_interrupted_is_critical(site: AptSite) -> None:
    (site.database / "updates/0001").write_text("")
    assert site.look()["package_list", "installed"]["status"] == "critical"
    (site.database / "updates/0001").unlink()
    assert site.look()["package_list", "installed"]["status"] == "ok"


def test_a_scan_leaves_apts_own_cache_as_it_is(site: AptSite) -> None:
    cache = site.folder / "cache/pkgcache.bin"
    run("apt-cache", "gencaches", env={**environment.variables(), **site.environment()})
    before = cache.read_bytes()
    assert site.pending()["status"] == "ok"
    assert cache.read_bytes() == before
    cache.unlink()
    assert site.pending()["status"] == "ok"
    assert not cache.exists()


@pytest.mark.parametrize("room", [0, 100])
def test_with_no_room_for_a_file_the_same_is_found(site: AptSite, room: int) -> None:
    site.publish("egov-security", ("egov-portal", "1.1"), ("egov-other", "5"))
    site.update()
    found = site.pending()
    assert found["status"] == "warning"
    limited = site.folder / "limited"
    limited.write_text(f'#!/bin/sh\nexec prlimit --fsize={room} {PYTHON} "$@"\n')
    limited.chmod(0o755)
    result = scan(site.root, str(limited), env=site.environment())
    assert result["evidence"][0]["detail"]["updates"] == found["detail"]["updates"]


def test_a_list_that_is_not_text_is_read_by_apt_itself(site: AptSite) -> None:
    site.publish("egov-security", ("egov-portal", "1.1"))
    site.update()
    (mine,) = (site.folder / "lists").glob("*egov-security*_Packages")
    told = mine.read_bytes()
    mine.unlink()  # a link to the source's own
    mine.write_bytes(told.replace(b"of the portal", b"of the \xff portal"))
    assert site.pending()["status"] == "warning"


def test_a_broken_list_counts_only_where_a_source_needs_it(site: AptSite) -> None:
    site.publish("egov-security", ("egov-portal", "1.1"))
    site.update()
    (site.folder / "lists/left.over_Packages").write_text("this is no list")
    assert site.pending()["status"] == "warning"
    (mine,) = (site.folder / "lists").glob("*egov-security*_Packages")
    mine.unlink()
    mine.write_text("this is no list")
    found = site.pending()
    assert (found["status"], found["reason"]) == ("unknown", "error")
    assert found["detail"]["message"].startswith("apt cannot read its database: ")
