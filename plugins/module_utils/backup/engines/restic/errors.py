# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What restic means by its codes and words, in the versions from 0.14 on."""

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.local_repository import (
    RepositoryMissing,
    WrongPassword,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.run import Completed

#: Exit codes since restic 0.17, and what 0.14 says instead with code 1.
MISSING = (10, "Is there a repository at the following location?")
#: What a place says that has no repository; one that cannot be reached says something else.
ABSENT = ("does not exist", "no such file", "404")
LOCKED = (11, "repository is already locked")
WRONG_PASSWORD = (12, "wrong password or no key found")

#: How a check ends: one that found nothing, one that found something; and words of what it found, whatever its code.
SOUND, FLAWED = "no errors were found", "repository contains errors"
COMPLAINTS = ("does not match", "does not exist", "error", "damaged", "fatal")


def is_locked(code, said):
    # type: (int | None, str) -> bool
    """Tell whether restic gave way to a lock."""
    return code == LOCKED[0] or (bool(code) and LOCKED[1] in said)


def refuse(code, said, place):
    # type: (int | None, str, str) -> None
    """Raise HalfError, RepositoryMissing or WrongPassword for what is wrong with the repository, told as place."""
    for (number, words), error in (
        (MISSING, RepositoryMissing("There is no repository at %s." % place, "not_ours")),
        (
            WRONG_PASSWORD,
            WrongPassword(
                "The password of repository %s does not open it: it is another's repository, or the password file "
                "is not the one it was made with." % place,
                "not_ours",
            ),
        ),
    ):
        if code == number or (code and words in said):
            if number == MISSING[0] and code != number and not any(sign in said for sign in ABSENT):
                return  # restic asks this too where the place did not answer
            raise error


def complaints_of(done):
    # type: (Completed) -> tuple[list[str], list[str]]
    """Return the lines that a check said, and those of them that tell of damage."""
    said = [line for line in done.stderr.decode("utf-8", "backslashreplace").splitlines() if line.strip()]
    # It tries for most of a minute to read what is not there.
    said = [line for line in said if ", retrying after" not in line]
    return said, [line for line in said if any(word in line.lower() for word in COMPLAINTS)]
