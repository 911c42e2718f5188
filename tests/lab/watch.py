# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process beside each lab that starts the hosts again which have rebooted; podman leaves them stopped.

Given the command line of the lab's podman.
"""

from __future__ import annotations

import subprocess
import sys
import time

#: With it systemd ends in a container that reboots; 130 is a host that was switched off.
REBOOT = "129"


def main(podman: list[str]) -> None:
    """Follow podman's events until the lab ends this process."""
    listen = ["events", "--stream", "--since", "0s", "--filter", "event=died"]
    listen += ["--format", "{{.Name}} {{.ContainerExitCode}}"]
    events = subprocess.Popen([*podman, *listen], stdout=subprocess.PIPE, text=True)
    for line in events.stdout or ():
        name, _, code = line.strip().rpartition(" ")
        if code == REBOOT:
            start_again(podman, name)


def start_again(podman: list[str], name: str) -> None:
    """Start a host, several times if need be: the cleanup of its end may still go on."""
    for _attempt in range(10):
        done = subprocess.run([*podman, "start", name], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            print(f"{name} started again", flush=True)
            return
        time.sleep(0.3)
    print(f"{name} could not be started again: {done.stderr.strip()}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
