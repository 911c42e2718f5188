# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test a seeded sample of cosmic-ray's mutants in copies of the checkout; run.py starts this where cosmic-ray is."""

from __future__ import annotations

import argparse
import os
import random
import resource
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cosmic_ray.commands.init import init
from cosmic_ray.mutating import mutate_and_test, mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.tools.filters.operators_filter import OperatorsFilter
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkResult

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.mutation_score import KILLED, NOT_RUN, SURVIVED, TIMED_OUT, Mutant, differs, passed, report

CONFIG = Path(__file__).with_name("cosmic-ray.toml")
ROOMS = ("gates", "ledger", "plan", "schedule")
#: Judge how long something takes, or need more than a mutant may use.
LEFT_OUT = (
    "tests/unit/gates/test_evidence.py::test_the_gate_costs_at_most_50_ms_of_cpu_for_each_host",
    "tests/unit/plan/test_merging.py::test_checking_and_merging_a_plan_of_100_entries_takes_at_most_5_ms",
    "tests/unit/plan/test_schema.py::test_reading_the_schema_costs_a_fraction_of_reading_its_sources",
    "tests/unit/ledger/test_rejected.py::test_a_line_of_100_mb_costs_little_and_is_set_aside",
    "tests/unit/ledger/test_rejected.py::test_a_spool_with_a_hole_is_kept_whole_with_bounds",
)
#: Kill processes at many moments: tens of seconds, for what the other tests of the room do not notice.
LAST = ("tests/unit/ledger/test_crash.py",)
#: How much memory a process of the tests may use, and how long a file may get, in bytes: a mutant may know no end.
MOST_MEMORY = 4 * 2**30
LONGEST_FILE = 2**30


class Copy:
    """A copy of the checkout, in which one mutant at a time is tested; by room, how many seconds that may take."""

    def __init__(self, folder: Path, python: str, timeouts: dict[str, float]) -> None:
        self._folder = folder
        self._python = python
        self._timeouts = timeouts

    def command(self, room: str, module: str = "") -> list[str]:
        """Return the command line of a room's tests, first those that bear a module's name or the beginning of it."""
        tests = sorted((self._folder / f"tests/unit/{room}").glob("test_*.py"))
        files = [str(file.relative_to(self._folder)) for file in tests]
        files.sort(key=lambda name: (name in LAST, not module.startswith(Path(name).stem.removeprefix("test_"))))
        pytest = [self._python, "-m", "pytest", "-qx", "--hypothesis-profile=mutants", "-p", "no:cacheprovider"]
        options = [f"--deselect={name}" for name in LEFT_OUT]
        return ["env", f"--chdir={self._folder}", *pytest, *options, f"--basetemp={self._folder}/tmp", *files]

    def run(self, mutation: MutationSpec) -> Mutant:
        """Test a mutant."""
        path = self._folder / mutation.module_path
        room = path.parent.name
        there = MutationSpec(path, mutation.operator_name, mutation.occurrence, mutation.start_pos, mutation.end_pos)
        command = shlex.join(self.command(room, path.stem))
        return judged(mutation, mutate_and_test([there], command, self._timeouts[room]))


def check_names() -> None:
    """Exit where a test that is left out is no longer there under its name."""
    for name in LEFT_OUT:
        file, _, function = name.partition("::")
        if f"def {function}(" not in Path(file).read_text(encoding="utf-8"):
            sys.exit(f"There is no test {name}: correct LEFT_OUT in tests/mutation/mutants.py.")


def measure(copy: Copy, room: str) -> float:
    """Return how many seconds the tests of a room may take with a mutant; exit where they fail without one."""
    begun = time.monotonic()
    done = subprocess.run(copy.command(room), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}\nThe tests of {room} fail without any mutant: mend them first.")
    return 20 + 3 * (time.monotonic() - begun)


def judged(mutation: MutationSpec, result: WorkResult) -> Mutant:
    """Return what became of a mutant. cosmic-ray calls one killed whose tests did not end in time."""
    # Below the two names of the file, a diff of one change has a line that goes, and one that comes.
    changed = [" ".join(line.split()) for line in (result.diff or "").splitlines()[3:] if line[:1] in ("+", "-")]
    change = " ".join(changed) or mutation.operator_name
    outcome, reason = NOT_RUN, ""
    if result.worker_outcome != WorkerOutcome.NORMAL or result.test_outcome == TestOutcome.INCOMPETENT:
        reason = " ".join((result.output or result.worker_outcome.value).split())[-200:]
    elif result.test_outcome == TestOutcome.SURVIVED:
        outcome = SURVIVED
    elif result.output == "timeout":
        outcome = TIMED_OUT
    else:
        outcome = KILLED
    return Mutant(str(mutation.module_path), mutation.start_pos[0], change, outcome, reason)


def sample(database: WorkDB, seed: str) -> list[MutationSpec]:
    """Return the mutations in an order that follows the seed, one for each place in the code.

    A sum has several replacements and a condition has one; of places each counts the same.
    """
    chance = random.Random(seed)
    places: dict[tuple[object, ...], list[MutationSpec]] = {}
    for item in database.pending_work_items:
        (mutation,) = item.mutations
        places.setdefault((str(mutation.module_path), mutation.start_pos, mutation.end_pos), []).append(mutation)
    choices = [
        sorted(places[place], key=lambda found: (found.operator_name, found.occurrence)) for place in sorted(places)
    ]
    chosen = [chance.choice(mutations) for mutations in choices]
    chance.shuffle(chosen)
    return chosen


def is_change(mutation: MutationSpec) -> bool:
    """Say whether a mutation changes what runs."""
    before = mutation.module_path.read_text(encoding="utf-8")
    after = mutate_code(before, get_operator(mutation.operator_name)(), mutation.occurrence)
    return after is not None and differs(before, after)


class Sample:
    """The mutations of a sample, handed out one by one until the time or the number is used up."""

    def __init__(self, mutations: Sequence[MutationSpec], minutes: float, most: int) -> None:
        self._waiting = iter(mutations[:])
        self._end = time.monotonic() + 60 * minutes
        self._most = most
        self._lock = threading.Lock()
        self.begun = 0
        #: Mutations that change nothing.
        self.equivalent = 0

    def __iter__(self) -> Iterator[MutationSpec]:
        while mutation := self._next():
            yield mutation

    def _next(self) -> MutationSpec | None:
        with self._lock:
            while time.monotonic() < self._end and self.begun < self._most:
                mutation = next(self._waiting, None)
                if mutation is None or is_change(mutation):
                    self.begun += mutation is not None
                    return mutation
                self.equivalent += 1
        return None


def test(copy: Copy, mutations: Sample) -> list[Mutant]:
    """Test mutants in a copy until there is none left."""
    tested = []
    for mutation in mutations:
        begun = time.monotonic()
        mutant = copy.run(mutation)
        print(f"{time.monotonic() - begun:5.1f} s {mutant}", flush=True)
        tested.append(mutant)
    return tested


def main() -> int:
    """Make and test the mutants; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True, help="the interpreter of the tests")
    parser.add_argument("--minutes", type=float, default=30, help="after these minutes no mutant is begun")
    parser.add_argument("--mutants", type=int, default=sys.maxsize, help="how many mutants to test at most")
    parser.add_argument("--rooms", nargs="+", choices=ROOMS, default=ROOMS, help="the rooms to change")
    parser.add_argument("--original", required=True, type=Path, help="a copy of the checkout that stays as it is")
    parser.add_argument("--copies", required=True, nargs="+", type=Path, help="a copy of it for each worker")
    options = parser.parse_args()
    for limit, most in ((resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_FSIZE, LONGEST_FILE)):
        resource.setrlimit(limit, (most, most))
    os.chdir(options.original)
    check_names()
    modules = [file for room in options.rooms for file in sorted(Path("plugins/plugin_utils", room).glob("[!_]*.py"))]
    session = f"{os.environ['TMPDIR']}/session.sqlite"
    with use_db(session) as database:
        init(modules, database, {})
        OperatorsFilter().main([session, str(CONFIG)])
        mutations = sample(database, os.environ["EGOV_OPS_SEED"])
    timeouts = {room: measure(Copy(options.original, options.python, {}), room) for room in options.rooms}
    copies = [Copy(folder, options.python, timeouts) for folder in options.copies]
    handed_out = Sample(mutations, options.minutes, options.mutants)
    with ThreadPoolExecutor(len(copies)) as pool:
        tested = [mutant for mutants in pool.map(lambda copy: test(copy, handed_out), copies) for mutant in mutants]
    print(report(tested, len(mutations) - handed_out.equivalent - len(tested)))
    return int(not passed(tested))


if __name__ == "__main__":
    sys.exit(main())
