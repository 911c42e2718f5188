# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The suite: its parts, what each needs, and a summary that says what passed, failed and could not run."""

from __future__ import annotations

import dataclasses
import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import environment  # noqa: E402
import programs  # noqa: E402
import run  # noqa: E402
from environment import CACHE, SetupError  # noqa: E402

DEV = CACHE / "dev"
LOGS = CACHE / "test"
TREE = CACHE / "tree/ansible_collections/egov/ops"

#: Seconds between two lines about what is running.
INTERVAL = 30.0

#: How pytest and ansible-test say what they could not run.
NOT_RUN = re.compile(r"^(?:SKIPPED|WARNING: Skipping) (.*)$", re.MULTILINE)

#: Checked by mypy below the collection's own name, by which they import each other.
TYPED = ("plugins/plugin_utils", "plugins/module_utils", "plugins/action")
TYPED_TOOLS = (
    "tools",
    "tests/suite.py",
    "tests/conftest.py",
    "tests/sanity/run.py",
    "tests/documentation",
    "tests/lab",
    "tests/mutation",
    "tests/new_user",
)

#: What the lab starts its hosts with; bindep.txt names the packages.
LAB_PROGRAMS = ("podman", "crun", "mmdebstrap", "nft", "unshare")
#: What looks at the report's pages, on the screen and as printed; bindep.txt names the packages.
BROWSER_PROGRAMS = ("chromium", "chromedriver", "npm", "pdftotext", "fc-list")
#: ansible-lint installs the collection below .ansible, as in a clean clone; its option --offline forbids that. The two
#: settings keep it from asking the internet for a newer version of itself and of its schemas.
LINT = ["env", "--unset=ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_LINT_SKIP_SCHEMA_UPDATE=1", "PRE_COMMIT=1", "ansible-lint"]
SANITY = ["python", "tests/sanity/run.py"]
#: What the oldest and the newest ansible-core judge otherwise than the one between; `make test-long` runs all of it.
CORE_TESTS = ("action-plugin-docs", "ansible-doc", "ignores", "pep8", "pylint", "runtime-metadata", "validate-modules")
#: By ansible-core: the Python on which it compiles and imports the modules, where the one between does not.
CORE_PYTHONS = {"2.16": "3.6", "2.21": "3.13"}
MOLECULE = ["molecule", "test", "--all", "--report"]


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of the suite: commands of the development environment, and the programs and rights they need."""

    name: str
    commands: Sequence[Sequence[str]]
    programs: Sequence[str] = ()
    root: bool = False
    #: Whether file systems that other parts mount, and those that its tests mount, stay out of each other's sight.
    apart: bool = False

    def lacks(self) -> str | None:
        """Return why this machine cannot run the part, None where it can."""
        if self.root and os.geteuid() != 0:
            return "needs root"
        missing = [program for program in self.programs if not shutil.which(program)]
        return f"needs {', '.join(missing)}" if missing else None


@dataclasses.dataclass
class Outcome:
    """What became of a part: its counts, the reasons of what was not run, its output and how long it took."""

    part: Part
    passed: int = 0
    failed: int = 0
    not_run: Sequence[str] = ()
    output: str = ""
    seconds: float = 0.0


class Running:
    """What is being done now, said at its beginning and again every INTERVAL seconds for as long as it takes."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._ended = threading.Event()

    @contextmanager
    def doing(self, name: str) -> Iterator[None]:
        """Say that something begins, and name it in each line until it ends."""
        print(f"Started: {name}", flush=True)
        self._began[name] = time.monotonic()
        try:
            yield
        finally:
            del self._began[name]

    @contextmanager
    def said(self) -> Iterator[None]:
        """Print a line every INTERVAL seconds."""
        thread = threading.Thread(target=self._say, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _say(self) -> None:
        while not self._ended.wait(INTERVAL):
            now = time.monotonic()
            names = ", ".join(f"{name} ({now - began:.0f} s)" for name, began in self._began.copy().items())
            if names:
                print(f"Running: {names}", flush=True)


running = Running()


def pytest(folder: str, *options: str) -> list[str]:
    """Return the command line that runs the tests of a folder."""
    return ["python", "-m", "pytest", "-q", f"tests/{folder}", *options]


def other_cores(level: str) -> list[list[str]]:
    """Return the command lines of ansible-test with the oldest and the newest ansible-core."""
    python_tests = ("compile", "import")
    chosen = [f"--test={name}" for name in CORE_TESTS]
    if level == "long":
        chosen = [f"--skip-test={name}" for name in python_tests]
    commands = []
    for core, python in CORE_PYTHONS.items():
        ours = [*SANITY, "--core", core]
        commands += [[*ours, *chosen], [*ours, "--python", python, *(f"--test={name}" for name in python_tests)]]
    return commands


def stages(level: str) -> list[list[list[Part]]]:
    """Return the parts of a level (check, test or long) in stages, each of lanes that run side by side.

    Unit tests measure times and mount file systems; the parts beside them do neither, but for the integration tests,
    which give their times room and have their mounts to themselves. The lab measures what it does to hosts, and has the
    machine alone; so have the mutants, which test as many as half an hour gives them.
    """
    options = {"check": ["--fast"], "test": [], "long": ["--long"]}[level]
    unit = Part("unit", [pytest("unit", *options)])
    integration = Part("integration", [pytest("integration", *options)], programs=["restic"], apart=True)
    static = [
        Part("style", [["ruff", "check"], ["ruff", "format", "--check"], ["yamllint", "--strict", "."]]),
        Part("types", [["mypy", *(str(TREE / folder) for folder in TYPED)], ["mypy", *TYPED_TOOLS]]),
        Part("ansible-lint", [LINT]),
    ]
    if level == "check":
        return [[[*static, integration], [unit]]]
    documentation = [
        ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=all", str(TREE)],
        ["antsibull-changelog", "lint"],
        ["python", "tests/documentation/build.py"],
    ]
    beside = [
        Part("documentation", documentation),
        Part("sanity", [SANITY]),
        Part("sanity of other cores", other_cores(level)),
        Part("galaxy-importer", [["python", "tests/sanity/importer.py"]]),
        Part("new user", [pytest("new_user", *options)], programs=["mmdebstrap", "unshare"], root=True),
    ]
    browser = Part("browser", [pytest("browser", *options)], programs=BROWSER_PROGRAMS)
    # The hosts' images are made while the other lane tests; whoever needs them waits.
    images = Part("images", [["python", "tests/lab", "images"]], programs=LAB_PROGRAMS, root=True)
    molecule = Part("molecule", [MOLECULE], programs=LAB_PROGRAMS, root=True)
    lab = Part("lab", [pytest("lab", *options)], programs=LAB_PROGRAMS, root=True)
    mutants = Part("mutants", [["python", "tests/mutation/run.py"]])
    last = [[[lab]], [[mutants]]] if level == "long" else [[[lab]]]
    return [[[images, *static, molecule, integration, browser], [unit, *beside]], *last]


def own_mounts() -> list[str]:
    """Return what starts a command in a mount namespace of its own, nothing where this machine lets nobody."""
    start = ["unshare", "--mount"]
    may = shutil.which("unshare") and subprocess.run([*start, "true"], capture_output=True, check=False).returncode == 0
    return start if may else []


def perform(part: Part) -> Outcome:
    """Run a part's commands to the end, all of them even if one fails, and keep what they print in a log."""
    lacks = part.lacks()
    if lacks:
        return Outcome(part, not_run=[lacks])
    outcome = Outcome(part)
    start = time.monotonic()
    first = own_mounts() if part.apart else []
    with running.doing(part.name):
        for command in part.commands:
            done = subprocess.run(
                [*first, *command],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
            text = done.stdout.decode(errors="replace")
            outcome.output += f"$ {' '.join(command)}\n{text}\n"
            count(outcome, text, done.returncode)
    outcome.seconds = time.monotonic() - start
    (LOGS / f"{part.name}.log").write_text(outcome.output)
    shown = f"{outcome.output if outcome.failed else ''}Finished: {part.name} ({outcome.seconds:.0f} s)\n"
    print(shown, end="", flush=True)
    return outcome


def perform_all(lane: Sequence[Part]) -> list[Outcome]:
    """Run the parts of a lane one after another."""
    return [perform(part) for part in lane]


def count(outcome: Outcome, text: str, code: int) -> None:
    """Add a command's result: the tests that pytest counted, or the command itself as one."""
    closing = text.splitlines()[-1] if "pytest" in outcome.part.commands[0] and text else ""
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error)", closing)}
    failed = counts.get("failed", 0) + counts.get("error", 0)
    outcome.passed += counts.get("passed", 0) if closing else int(code == 0)
    outcome.failed += failed or int(code != 0)
    outcome.not_run = [*outcome.not_run, *dict.fromkeys(NOT_RUN.findall(text))]  # ansible-test says it twice


def summarise(outcomes: Sequence[Outcome], complete: bool) -> int:
    """Print each part, what could not run and why, and the closing line of counts; return the exit code."""
    print()
    for outcome in outcomes:
        verdict = "failed" if outcome.failed else "passed" if outcome.passed else "not run"
        print(f"{outcome.part.name:<15}{verdict:<9}{outcome.passed:>5} passed{outcome.failed:>4} failed", end="")
        print(f"{outcome.seconds:>6.0f} s")
    not_run = [f"{outcome.part.name}: {reason}" for outcome in outcomes for reason in outcome.not_run]
    if not_run:
        print("\nNot run" + (", which counts as failed (EGOV_OPS_TEST_COMPLETE=1):" if complete else ":"))
        print("\n".join(f"  {line}" for line in not_run))
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    print(f"\n{described()}, EGOV_OPS_SEED={os.environ['EGOV_OPS_SEED']}")
    print(f"{passed} passed, {failed} failed, {len(not_run)} skipped")
    return int(failed > 0 or passed == 0 or (complete and bool(not_run)))


def described() -> str:
    """Return which commit this is, and whether it was changed since, as far as git can tell."""
    asked = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False) if shutil.which("git") else None
    return f"Commit {done.stdout.strip()}" if done and done.returncode == 0 else "No commit"


def prepare(level: str) -> None:
    """Make the development environment, and as root install what the tests drive; raise SetupError if it fails."""
    if level in ("test", "long", "molecule", "screenshots") and os.geteuid() == 0:
        programs.install("test", *(["long"] if level == "long" else []))
    python = environment.find_python()
    run.get_programs(pip=not environment.pip_wheel(python))
    environment.create(DEV, ROOT / "requirements/dev.txt", python)
    environment.link_collection(CACHE / "tree")
    LOGS.mkdir(exist_ok=True)
    os.environ["NO_COLOR"] = "1"
    os.environ["MOLECULE_GLOB"] = "molecule/*/molecule.yml"
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(CACHE / "tree")
    folders = [DEV / "bin", environment.link_interpreters(), os.environ["PATH"], programs.UNPACKED / "usr/bin"]
    os.environ["PATH"] = ":".join(str(folder) for folder in folders)


def rooms() -> dict[str, str]:
    """Return the rooms that have unit tests, by the name of their folder: each folder below tests/."""
    files = (ROOT / "tests/unit").rglob("test_*.py")
    return {file.parent.name: str(file.parent.relative_to(ROOT / "tests")) for file in sorted(files)}


def unit(room: str = "", *options: str) -> list[str]:
    """Return the command line that runs the unit tests of a room, or of all; raise SetupError where it has none."""
    if not room:
        return pytest("unit", *options)
    known = rooms()
    if room not in known:
        raise SetupError(f"No unit tests are in the room {room}: say ROOM= and one of {', '.join(known)}.")
    return pytest(known[room], *options)


READY = f"""\
The environment is in {DEV}: . .cache/dev/bin/activate
An editor finds it, and the collection, by [tool.pyright] in pyproject.toml; other editors need the path {CACHE}/tree.
pre-commit install                  checks the style of what is committed
make unit ROOM=backup               tests a room
"""


def main(goal: str, *arguments: str) -> int:
    """Do what a goal of the Makefile asks; return the exit code."""
    with running.said():
        return perform_goal(goal, *arguments)


def perform_goal(goal: str, *arguments: str) -> int:
    """Prepare the environment and do what a goal of the Makefile asks; return the exit code."""
    try:
        with running.doing("environment"):
            run.check_folders()
            prepare(goal)
        if goal == "unit":
            return subprocess.run(unit(*arguments), cwd=ROOT, check=False).returncode
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    if goal == "dev":
        print(READY, end="")
        return 0
    single = {
        "generate": ["python", "tools/generate.py", *arguments],
        "bench": ["python", "tests/benchmark/bench.py"],
        "screenshots": ["python", "tests/browser/screenshots.py"],
        "molecule": [*MOLECULE, *arguments],
        "build": ["ansible-galaxy", "collection", "build", "--force", "--output-path", "build"],
    }
    if goal in single:
        return subprocess.run(single[goal], cwd=ROOT, check=False).returncode
    os.environ.setdefault("EGOV_OPS_SEED", str(secrets.randbits(32)))
    with ThreadPoolExecutor() as pool:
        outcomes = [outcome for stage in stages(goal) for lane in pool.map(perform_all, stage) for outcome in lane]
    return summarise(outcomes, complete=os.environ.get("EGOV_OPS_TEST_COMPLETE") == "1")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
