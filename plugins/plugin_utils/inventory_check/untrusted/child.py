# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process that judges an untrusted change: within limits, on copies, and without the settings of anybody."""

from __future__ import annotations

import json
import os
import resource
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check import output
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.check import Wanted, accepted_file, report
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.earlier_state import Base
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.source_lines import Fault, Finding, Place
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.untrusted.limits import (
    ASKED_WRONGLY,
    BROKE,
    NO_MEMORY,
    READING,
    RESULT,
    Limits,
    Request,
)
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.untrusted.site import UntrustedSite
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.untrusted.tree_copy import Copy
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Problem

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.types import Validation


def main(request: Request) -> None:
    """Judge a change and write the result into the folder of the request, or what is wrong with the request itself."""
    folder, limits = Path(request["folder"]), Limits(**request["limits"])
    _bound(limits)
    root = json.dumps(str(folder / "copy"))[1:-1]

    def end(code: int, text: str) -> NoReturn:
        (folder / RESULT).write_text(text.replace(root, ""), encoding="utf-8")
        os._exit(code)

    try:
        end(0, json.dumps(_judge(request, folder, limits)))
    except MemoryError:
        os._exit(NO_MEMORY)
    except OpsError as error:
        end(ASKED_WRONGLY, str(error))
    except Exception as error:  # whatever a library makes of what it was given
        end(BROKE, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")


def _bound(limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu, limits.cpu + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.result_bytes, limits.result_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _judge(request: Request, folder: Path, limits: Limits) -> Validation:
    wanted, root = Wanted(**request["wanted"]), folder / "copy"
    here = root / Path(request["here"]).relative_to("/")
    here.mkdir(parents=True)
    os.chdir(here)

    def note(text: str) -> None:
        (folder / READING).write_text(text, encoding="utf-8")

    inventory, top = Path(request["inventory"]), Path(request["top"])
    now = Copy(top, root, limits, note)
    now.take_inventory(inventory)
    base, faults = None, list[Fault]()
    if request["base"]:
        real = Base(*map(Path, request["base"]))
        acceptances = accepted_file(real.present, real)
        beside = Copy(acceptances.parent, root, limits, note)  # it may lie beside an inventory that has no checkout
        beside.take_file(acceptances)
        now.faults += beside.faults
        earlier_top = real.earlier if real.earlier.is_dir() else real.earlier.parent
        earlier = Copy(earlier_top, root, limits, note)
        earlier.take_inventory(real.earlier / real.inventory)
        old = Copy(accepted_file(real.earlier, real).parent, root, limits, note)
        old.take_file(accepted_file(real.earlier, real))
        base, faults = Base(now.mirrored(real.earlier), now.mirrored(real.present), real.inventory), earlier.faults
    note(wanted.inventory)
    if now.faults:
        data = output.blank(wanted.inventory, wanted.base)
        data["problems"] = [output.problem_data(Finding(*fault)) for fault in now.faults]
        return data

    def load(path: str) -> UntrustedSite:
        site = UntrustedSite(path)
        site.root, site.top = root, top
        return site

    data = report(wanted, load(str(now.mirrored(inventory))), nullcontext(base) if base and not faults else None, load)
    if base and faults:
        sentence = f"Nothing can be compared, because the base cannot be read: {faults[0].problem.message}"
        sentence = base.in_present(sentence)
        data["problems"].append(output.problem_data(Finding(Place(), Problem("", "", sentence, rule="base"))))
    return data
