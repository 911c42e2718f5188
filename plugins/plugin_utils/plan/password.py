# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Passwords of the controller: files made once and readable by their owner alone, vaulted values, commands."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.egov.ops.plugins.module_utils.host.public import program_of, secrets_of_command
from ansible_collections.egov.ops.plugins.module_utils.host.scrub import Scrubber
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, make_folder, sync_folder

#: A repository's password comes from 32 random bytes, more than its key has.
RANDOM_BYTES = 32
SIZE_LIMIT = 64 * 1024
#: Seconds that a command may take to print a password.
COMMAND_SECONDS = 60

#: What restic takes from its environment to be let in by the places of repositories.
CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "RESTIC_REST_PASSWORD",
    "RESTIC_REST_USERNAME",
)


class PasswordError(OpsError):
    """A password file cannot be used; the text is one sentence."""


class PasswordMissing(PasswordError):
    """There is no such file."""


def read(path: Path) -> str:
    """Return the password in a file: its first line.

    Raises PasswordMissing, or PasswordError where the file is empty, unreadable, not a regular file, or open to others.
    """
    password = _text(path).partition("\n")[0].rstrip("\r")
    if not password:
        raise PasswordError(f"The password file {path} has an empty first line; write the password there.")
    return password


def read_whole(path: Path) -> str:
    """Return the secret in a file, all of it without a line end after it; raises what `read` raises."""
    secret = _text(path).rstrip("\r\n")
    if not secret:
        raise PasswordError(f"The file {path} is empty; write the value there.")
    return secret


def given(entry: Mapping[str, Any]) -> str:
    """Return the password that a repository of the plan has by value or by command, "" where it is in a file.

    Raises PasswordError; what the command has printed is never part of it.
    """
    if entry.get("password"):
        return str(entry["password"])
    return _printed(entry["password_command"]) if entry.get("password_command") else ""


def variables(path: Path) -> dict[str, str]:
    """Return the credentials in a file of NAME=value lines; raises PasswordError."""
    found = {}
    for number, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, separator, value = line.strip().partition("=")
        if not separator or name not in CREDENTIALS or not value:
            raise PasswordError(
                f"Line {number} of the credentials file {path} is none of NAME=value with a NAME of "
                f"{', '.join(CREDENTIALS)}."
            )
        found[name] = value
    return found


def read_or_create(path: Path) -> str:
    """Return the password in a file, which is made with a random one where it is missing.

    Of two callers at once one makes the file and both return the same password. Raises PasswordError.
    """
    try:
        return read(path)
    except PasswordMissing:
        _create(path)
    return read(path)


def _printed(command: list[str]) -> str:
    import subprocess  # few plans have a command

    program = program_of(command)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS, check=False
        )
        found = done.stdout.decode().partition("\n")[0].rstrip("\r")
    except subprocess.TimeoutExpired:
        raise PasswordError(f"The command {program} printed no password within {COMMAND_SECONDS} s.") from None
    except OSError as error:
        raise PasswordError(f"The command {program} for a password cannot be run ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise PasswordError(f"What the command {program} printed as a password is not UTF-8 text.") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "backslashreplace").strip().splitlines()
        hidden = Scrubber([*secrets_of_command(command), *done.stdout.decode("utf-8", "replace").split("\n")])
        words = f": {hidden.text(said[-1])[:200]}" if said else ""
        raise PasswordError(f"The command {program} for a password ended with code {done.returncode}{words}.")
    if not found:
        raise PasswordError(f"The command {program} printed an empty first line where the password should stand.")
    return found


def _text(path: Path) -> str:
    try:
        stream = open(path, "rb", opener=_open_without_waiting)  # noqa: SIM115
    except FileNotFoundError:
        raise PasswordMissing(f"The password file {path} does not exist on the controller.") from None
    except OSError as error:
        raise PasswordError(f"The password file {path} cannot be read ({error.strerror}).") from error
    with stream:
        _refuse_unsafe(path, os.fstat(stream.fileno()))
        content = stream.read(SIZE_LIMIT + 1)
        if len(content) > SIZE_LIMIT:  # a part of a secret is none
            raise PasswordError(f"The password file {path} has more than {SIZE_LIMIT} bytes; name the right file.")
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise PasswordError(f"The password file {path} is not UTF-8 text.") from None


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a named pipe in its place shall be refused, not waited for


def _refuse_unsafe(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise PasswordError(f"The password file {path} is not a regular file.")
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise PasswordError(f"The password file {path} is open to others (mode {mode:04o}); run chmod 600 on it.")


def _create(path: Path) -> None:
    """Write a random password beside the path, safely on disk, and link it there unless another was faster."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        make_folder(path.parent)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w") as stream:
                stream.write(f"{secrets.token_urlsafe(RANDOM_BYTES)}\n")
                stream.flush()
                os.fsync(descriptor)
            os.link(temporary, path)
        except FileExistsError:
            return
        finally:
            temporary.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise PasswordError(f"The password file {path} cannot be created ({error.strerror}).") from error
