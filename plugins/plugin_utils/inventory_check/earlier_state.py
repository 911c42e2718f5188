# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The earlier state of an inventory: a folder, or what git had at a revision, laid out beside the present one."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError

#: Seconds that git may take to lay out a revision.
_PATIENCE = 120
#: A folder of a change that looks like a repository has settings, and some of them are programs that git would run.
_GUARDED = ("-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false")


class Base(NamedTuple):
    """Two states of the same files: the folder that holds each, and where the inventory lies below it."""

    earlier: Path
    present: Path
    inventory: Path

    def in_present(self, text: str) -> str:
        """Return a text with the paths of the earlier folder as those of the present one."""
        return text.replace(str(self.earlier), str(self.present))

    def in_earlier(self, text: str) -> str:
        """Return a text with the paths of the present folder as those of the earlier one."""
        return text if str(self.earlier) in text else text.replace(str(self.present), str(self.earlier))


@contextmanager
def earlier_state(base: str, inventory: str) -> Iterator[Base]:
    """Give the state of an inventory that a git revision or a folder holds; raises OpsError.

    A folder is an earlier copy of the inventory. What does not look like a path, and git knows, is a revision.
    """
    path = Path(inventory).absolute()
    if base.startswith((".", os.sep)):
        yield _folder(base, path)
        return
    top = _git(path, "rev-parse", "--show-toplevel")
    commit = _git(path, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
    if top.returncode == 0 and commit.returncode == 0:
        with tempfile.TemporaryDirectory(prefix="egov-ops-") as folder:
            earlier = Path(folder).resolve()
            root = Path(top.stdout.strip())
            _lay_out(path, commit.stdout.strip(), earlier)
            below = path.resolve().relative_to(root)
            # The inventory may have been named by way of a link: its own paths begin as it was named.
            named = Path(str(path).removesuffix(f"/{below}")) if str(path).endswith(f"/{below}") else root
            yield Base(earlier, named, below)
        return
    if Path(base).is_dir():
        yield _folder(base, path)
        return
    if top.returncode:
        raise OpsError(f"The base {base} cannot be read: {_said(top)}.")
    raise OpsError(
        f"The base {base} is no revision that this repository has, and no folder; fetch it (a shallow clone has only "
        "its newest commits), or give another."
    )


def _folder(base: str, path: Path) -> Base:
    earlier = Path(base).absolute()
    if not earlier.exists():
        raise OpsError(f"The base {base} does not exist; give a git revision, or the path of an earlier inventory.")
    return Base(earlier, path, Path())


def _lay_out(path: Path, commit: str, folder: Path) -> None:
    """Write all files of a commit into a folder, by an index of our own, so that the checkout stays as it is."""
    environment = {**os.environ, "GIT_INDEX_FILE": str(folder / ".git-index")}
    for command in (("read-tree", commit), ("checkout-index", "--all", f"--prefix={folder}/")):
        done = _git(path, *command, environment=environment, top=True)
        if done.returncode:
            raise OpsError(f"The base {commit[:12]} cannot be laid out: {_said(done)}.")
    (folder / ".git-index").unlink()


def _git(
    path: Path, *arguments: str, environment: dict[str, str] | None = None, top: bool = False
) -> subprocess.CompletedProcess[str]:
    where = path if path.is_dir() else path.parent
    if top:
        where = Path(_git(path, "rev-parse", "--show-toplevel").stdout.strip())
    try:
        return subprocess.run(
            ["git", *_GUARDED, "-C", str(where), *arguments],
            env={**(environment or os.environ), "LC_ALL": "C.UTF-8", "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except FileNotFoundError:
        raise OpsError("The base is a git revision, but git is not installed here; install it.") from None
    except subprocess.TimeoutExpired:
        raise OpsError(f"git {arguments[0]} did not end within {_PATIENCE} s; compare with a folder instead.") from None


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """Return git's own words, without what it says before and after them."""
    return " ".join(done.stderr.split()).removeprefix("fatal: ").rstrip(".") or f"git ended with {done.returncode}"
