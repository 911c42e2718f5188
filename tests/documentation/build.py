# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the documentation as one site, where a warning is a failure: the pages, and what antsibull-docs makes.

It is built on a copy, in a folder for temporary files or in the one that the command line names.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import environment

INDEX = """\
egov.ops
========

.. toctree::
   :glob:

   README
   README.zh-CN
   docs/*
   CONTRIBUTING
   SECURITY
   reference/index
"""

#: Labels of Ansible's own documentation, which a site with a network would look up there.
ANSIBLE = """\
:orphan:

.. _action_plugins:
.. _ansible_configuration_settings:
.. _common_return_values:

Documentation of Ansible
========================

See https://docs.ansible.com.
"""

CONFIGURATION = """\
project = "egov.ops"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
default_role = "any"
nitpicky = True
pygments_style = "ansible"
myst_heading_anchors = 3
# The reference has what the README of a role says.
exclude_patterns = ["roles/*/README.md"]
"""


def copy_pages(source: Path) -> None:
    """Copy the checkout to a folder, because pages link to its files."""
    for name in environment.checkout_files():
        if not name.startswith("tests/"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((environment.ROOT / name).read_bytes())


def main(folder: Path) -> int:
    """Build the site below a folder; return the exit code."""
    source = folder / "source"
    copy_pages(source)
    for name, text in (("index.rst", INDEX), ("ansible.rst", ANSIBLE), ("conf.py", CONFIGURATION)):
        (source / name).write_text(text, encoding="utf-8")
    reference = source / "reference"
    reference.mkdir(mode=0o755)  # antsibull-docs writes only where nobody else may
    commands = Path(sys.executable).parent
    options = ["--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", str(reference)]
    said = subprocess.run(
        [commands / "antsibull-docs", "collection", *options, "egov.ops"],
        env={**os.environ, "PATH": f"{commands}:{os.environ['PATH']}"},  # it calls ansible-doc
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(said.stdout, end="")
    site = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going", str(source), str(folder / "site")]
    built = subprocess.run(site, stdin=subprocess.DEVNULL, check=False)
    return int(said.returncode != 0 or bool(said.stdout) or built.returncode != 0)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(main(Path(sys.argv[1]).resolve()))
    with tempfile.TemporaryDirectory(prefix="egov-ops-") as temporary:
        sys.exit(main(Path(temporary)))
