# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engines that the conformance suite runs; a new one is a line of CASES."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import environment
from ansible_collections.egov.ops.plugins.module_utils.backup.engines import registry
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine

from tests.support.backup_site import REPOSITORY, Site

#: The example of CONTRIBUTING, which is no part of the collection: its engine is taken out of the patch.
PATCH = environment.ROOT / "docs/examples/engine.patch"


@dataclass(frozen=True)
class Case:
    """An engine of the plan, and what a fault has to know of its tool."""

    name: str
    #: The tool, and a pattern of the shell for its arguments while it makes a snapshot.
    program: str
    writing: str
    #: Whether another password than the repository's keeps everybody out.
    encrypted: bool
    #: A new repository to start from, where making one costs much.
    prepared: Path | None = None

    @property
    def engine(self) -> type[Engine]:
        """The engine's class."""
        return registry.ENGINES.get(self.name, example)()

    def site(self, base: Path) -> Site:
        """Return a site with three files whose repository is of this engine."""
        site = Site(base)
        site.repositories["local"]["engine"] = self.name
        if self.prepared:
            shutil.copytree(self.prepared, site.repository)
        for name in ("a", "b", "c"):
            (site.source / name).write_text(f"content of {name}\n")
        return site

    def faulty(self, site: Site, line: str) -> str:
        """Return a folder with a tool that runs a line of shell first; $REAL is the path of the true one."""
        folder = site.base / "tools"
        folder.mkdir(exist_ok=True)
        real = shutil.which(self.program, path=f"{os.environ['PATH']}:/usr/bin:/bin")
        wrapper = folder / self.program
        wrapper.write_text(f'#!/bin/sh\nREAL={real}\n{line}\nexec "$REAL" "$@"\n')
        wrapper.chmod(0o755)
        return str(folder)


CASES = [
    Case("restic", "restic", '*" backup "*', encrypted=True, prepared=REPOSITORY),
    Case("tar", "tar", '*" --create "*', encrypted=False),
]


def is_native(engine: type[Engine]) -> bool:
    """Tell whether an engine is part of the collection, so that a process of its own finds it too."""
    return (environment.ROOT / f"{engine.__module__.partition('.ops.')[2].replace('.', '/')}.py").exists()


def example() -> type[Engine]:
    """Return the class of the example's engine, from the file that the patch adds."""
    name = f"{registry.__package__}.tar"
    if name not in sys.modules:
        patch = PATCH.read_text(encoding="utf-8")
        (added,) = re.findall(
            r"^\+\+\+ b/plugins/module_utils/backup/engines/tar\.py\n@@.*\n((?:\+.*\n)+)", patch, re.MULTILINE
        )
        module = ModuleType(name)
        sys.modules[name] = module
        text = "".join(line[1:] for line in added.splitlines(keepends=True))
        exec(compile(text, "docs/examples/engine.patch", "exec"), module.__dict__)
    found: type[Engine] = sys.modules[name].Tar
    return found
