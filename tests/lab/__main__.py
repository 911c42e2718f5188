# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's verbs, as the Makefile and the molecule scenarios call them: python3 tests/lab VERB ..."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

import programs  # noqa: E402
from environment import SetupError  # noqa: E402
from lab import faults, images, repositories, stores, system  # noqa: E402
from lab.hosts import PLATFORM  # noqa: E402
from lab.lab import Lab  # noqa: E402
from lab.system import LabError  # noqa: E402


def hosts(words: list[str]) -> list[str]:
    """Return the hosts that are meant: a number of them, names, or by no word the platform."""
    wanted = [name for word in words for name in word.replace(",", " ").split()]
    if len(wanted) == 1 and wanted[0].isdigit():
        return [f"n{number}" for number in range(1, int(wanted[0]) + 1)]
    for name in wanted:
        if name not in PLATFORM and not (name[:1] in "mn" and name[1:].isdigit()):
            raise LabError(f"There is no host {name!r}: take a number, n1 to n99, or of {', '.join(PLATFORM)}.")
    return wanted or list(PLATFORM)


def up(lab: Lab, options: argparse.Namespace) -> None:
    """Start hosts and say how to use them."""
    names = hosts(options.words)
    system.check_root()
    programs.install("test")
    lab.up(names, light=options.light)
    print(f"{len(lab.state['hosts'])} hosts are up: make lab-ssh HOST={names[0]}, or -i {lab.folder}/hosts.yml")


def status(lab: Lab, options: argparse.Namespace) -> None:
    """Print each host's address and state."""
    found = lab.status()
    for name, words in found.items():
        print(f"{name:<10}{lab.address(name):<14}{words}")
    if not found:
        print("No host is up: start some with `make lab-up`.")


def down(lab: Lab, options: argparse.Namespace) -> None:
    """Take all back."""
    lab.down()


def ssh(lab: Lab, options: argparse.Namespace) -> None:
    """Become a shell on a host, or a command there."""
    if not options.words:
        raise LabError("Say which host: make lab-ssh HOST=web1.")
    argv = lab.ssh(*options.words)
    os.execvp(argv[0], argv)


def fault(lab: Lab, options: argparse.Namespace) -> None:
    """Make a fault, or list those that there are."""
    if len(options.words) < 2:
        print("\n".join(faults.describe(verb) for verb in faults.VERBS))
    else:
        faults.make(lab, *options.words)


def undo(lab: Lab, options: argparse.Namespace) -> None:
    """Undo all faults."""
    faults.undo(lab)


def repository(lab: Lab, options: argparse.Namespace) -> None:
    """Publish, take down, serve, corrupt or index the lab's repositories."""
    verb, words = (options.words or [""])[0], options.words[1:]
    if verb not in repositories.VERBS or len(words) != int(verb == "publish"):
        versions = ", ".join(repositories.VERSIONS)
        raise LabError(f"Say one of {', '.join(repositories.VERBS)}; publish takes a version of {versions}.")
    if not lab.state:
        raise LabError("No host is up: start some with `make lab-up`.")
    repositories.VERBS[verb](lab, *words)


def make_images(lab: Lab, options: argparse.Namespace) -> None:
    """Make the images that are missing, and the environment of the S3 store."""
    system.check()
    for kind in images.IMAGES:
        images.provide(kind)
    stores.provide()


VERBS = {
    "up": up,
    "status": status,
    "down": down,
    "ssh": ssh,
    "fault": fault,
    "undo": undo,
    "repository": repository,
    "images": make_images,
}


def interrupted(_number: int, _frame: object) -> None:
    """Let an end by request run what has to be taken back."""
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    """Do what a verb asks; return the exit code."""
    parser = argparse.ArgumentParser(prog="tests/lab", description=__doc__)
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("words", nargs="*", help="hosts, or what else the verb takes")
    parser.add_argument("--name", default=os.environ.get("EGOV_OPS_LAB") or "lab", help="which lab of several")
    parser.add_argument("--light", action="store_true", help="hosts that take fewer of the machine's inotify instances")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, interrupted)
    try:
        VERBS[options.verb](Lab(options.name), options)
    except (LabError, SetupError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: what was begun has been taken back.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
