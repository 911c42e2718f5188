# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How restic is called: where its repository is, by what it is let in, and what its failures mean.

The password goes to restic by its standard input alone.
"""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.restic.errors import is_locked, refuse
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.public import public_text, public_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.restic.output import Heard
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.run import Completed

INSTALL = (
    "restic is not installed on the host: install it (Debian, Ubuntu: apt-get install restic; Fedora, EPEL: "
    "dnf install restic; SUSE: zypper install restic)."
)

#: The code of a tool that was killed when its time was over; who accepts it looks at what was said until then.
KILLED = -9

OUTPUT_LIMIT = 64 * 1024 * 1024


class Call(Engine):
    """One repository as restic is given it."""

    def __init__(self, name, location, password, folder, host, credentials=None):
        # type: (str, str, str, str, Host, dict[str, str] | None) -> None
        """Take what an engine takes; credentials are variables of the environment by which restic is let in."""
        Engine.__init__(self, name, location, password, folder, host, credentials)
        if not password:
            raise HalfError("Repository %s has no password: give its password_file." % name)

    @property
    def public(self):
        # type: () -> str
        """The location as it may be shown and kept: without the secrets that an address may hold."""
        return public_url(self.location)

    def _restic(
        self,
        arguments,  # type: list[Any]  # Any: paths are bytes, other words text
        doing,  # type: str
        accepted=(0,),  # type: tuple[int, ...]
        writes=False,  # type: bool
        limit=OUTPUT_LIMIT,  # type: int
        keep=(),  # type: tuple[int, ...]
        more=None,  # type: dict[str, str] | None
        seconds=None,  # type: float | None
        heard=None,  # type: Heard | None
    ):
        # type: (...) -> Completed
        command = ["restic", "--json"] + self._cache() + arguments
        temporary = {} if self._host.check_mode else {"TMPDIR": os.path.join(self._folder, "tmp")}
        done = self._host.run(
            command,
            stdin=self._password.encode("utf-8") + b"\n",
            # One progress line in five seconds instead of sixty a second; times as the catalogue keeps them.
            # A location can hold credentials, so it is not among the arguments, which everybody on the host can read.
            # The file keeps restic from saying on standard output that it reads the password.
            env=dict(
                temporary,
                RESTIC_REPOSITORY=self._address,
                RESTIC_PASSWORD_FILE="/dev/stdin",
                RESTIC_PROGRESS_FPS="0.2",
                TZ="UTC",
                **dict(more or {}, **self._credentials),
            ),
            timeout=seconds,
            limit=limit,
            writes=writes,
            keep=keep,
            heard=heard,
        )  # type: Completed
        if done.missing:
            raise HalfError(INSTALL)
        if done.timed_out and KILLED not in accepted:
            raise HalfError(
                "restic could not %s in time: %s. Give it more time." % (doing, self._words(done)), "timeout"
            )
        said = done.stderr.decode("utf-8", "backslashreplace")
        if is_locked(done.rc, said):
            if not self._let_go():
                raise self._locked()
            return self._restic(arguments, doing, accepted, writes, limit, keep, more, seconds, heard)
        refuse(done.rc, said, self._place())
        if done.rc not in accepted:
            raise HalfError("restic could not %s: %s." % (doing, self._words(done).rstrip(".")))
        return done

    def _let_go(self):
        # type: () -> bool
        """Remove the locks that keep restic out and that nobody holds; tell whether there were any."""
        return False

    def _locked(self):
        # type: () -> HalfError
        """Return the error for a repository that others lock."""
        return HalfError("Repository %s is locked by another job: try again later." % self._place(), "busy")

    def _cache(self):
        # type: () -> list[str]
        """A repository on the host itself needs no cache; one elsewhere has it where the host's user may write."""
        if self.path or self._host.check_mode:
            return ["--no-cache"]
        return ["--cache-dir", os.path.join(self._folder, "cache")]

    def _words(self, done):
        # type: (Completed) -> str
        """Return restic's own last words, without credentials."""
        return public_text(done.error.replace(self._address, self.public).replace(self.location, self.public))

    @property
    def _address(self):
        # type: () -> str
        """The location as restic is given it: a REST server's with user and password, which 0.14 takes nowhere else."""
        user, secret = (self._credentials.get("RESTIC_REST_" + name) for name in ("USERNAME", "PASSWORD"))
        if not (user and secret and self.location.startswith("rest:")):
            return self.location
        from urllib.parse import quote

        scheme, separator, place = self.location.partition("://")
        return "%s%s%s:%s@%s" % (scheme, separator, quote(user, ""), quote(secret, ""), place.rpartition("@")[2])
