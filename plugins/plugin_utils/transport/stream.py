# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# To isinstance a bool is an int: types are compared. pylint: disable=unidiomatic-typecheck

"""Send a half to a host as a stream: its sources and arguments on standard input, one result on standard output.

One `sh` line picks the host's Python and starts it in the same trip, so nothing is copied, no temporary folder and no
free disk is needed, and Pythons are reached that the installed ansible-core no longer supports as module targets.
"""

from __future__ import annotations

import json
import secrets
import shlex
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.module_utils.host.half import TRACEBACK
from ansible_collections.egov.ops.plugins.module_utils.host.half import secret_values as values_of
from ansible_collections.egov.ops.plugins.module_utils.host.record import RESULT_LIMIT
from ansible_collections.egov.ops.plugins.module_utils.host.scrub import Scrubber
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, inert
from ansible_collections.egov.ops.plugins.plugin_utils.transport.answer import EXACT, TOO_DEEP, AnswerError, decode
from ansible_collections.egov.ops.plugins.plugin_utils.transport.module_bundle import sources

if TYPE_CHECKING:
    from typing import TypeVar

    from ansible_collections.egov.ops.plugins.module_utils.host.types import JSON, Arguments, Context, Program

    Shape = TypeVar("Shape")

PROTOCOL = 1

#: Tried in this order after the interpreter that the inventory names.
INTERPRETERS = (
    "/usr/bin/python3",
    "/usr/libexec/platform-python",
    "/usr/local/bin/python3",
    "python3",
    "/usr/bin/python3.12",
    "/usr/bin/python3.11",
    "/usr/bin/python3.9",
    "/usr/bin/python3.8",
    "/usr/bin/python3.6",
)
_NO_PYTHON = "EGOV_OPS_NO_PYTHON"

#: How sudo refuses whom `requiretty` wants a terminal of, in the languages that platforms are run in.
_NO_TERMINAL = ("must have a tty to run sudo", "必须拥有一个终端来执行 sudo", "必須先要有終端才能執行 sudo")

# Runs on Python 3.6. The importer lives in memory; standard output is kept for the result alone, so that whatever
# the half or a tool prints by accident goes to standard error. Compiling would cost as much as most halves, so a Python
# of the controller's bytecode is given that. A half ends with its process, so it searches for no cycles and tidies
# nothing up at the end, which would cost a tenth of a short half.
_BOOT = """
import gc,os,sys,json
gc.disable()
out=os.dup(1);os.dup2(2,1)
e=json.loads(sys.stdin.buffer.read().decode())
n=os.open(os.devnull,os.O_RDONLY);os.dup2(n,0);os.close(n)
import base64,marshal,zlib
from importlib._bootstrap_external import MAGIC_NUMBER
from importlib.machinery import ModuleSpec
def u(k):return zlib.decompress(base64.b64decode(e[k]))
s=marshal.loads(u("code")) if MAGIC_NUMBER.hex()==e["magic"] else json.loads(u("sources").decode())
p=set()
for k in s:
    while "." in k:
        k=k.rsplit(".",1)[0];p.add(k)
class I:
    def find_spec(self,name,path=None,target=None):
        if name in s:return ModuleSpec(name,self)
        if name in p:return ModuleSpec(name,self,is_package=True)
    def create_module(self,spec):return None
    def exec_module(self,m):
        if m.__name__ in s:
            c=s[m.__name__];m.__file__=m.__name__+".py"
            exec(marshal.loads(c) if type(c) is bytes else compile(c,m.__file__,"exec"),m.__dict__)
sys.meta_path.insert(0,I())
from importlib import import_module
h=import_module(e["package"]+".host.half")
f=getattr(import_module(e["package"]+"."+e["half"][0]),e["half"][1])
r=h.perform(f,e["arguments"],h.Host(e["context"],e["secrets"]))
r["python"]=sys.version.split()[0]
r["cpu"]=round(sum(os.times()[:4]),3)
d=("\\n%s%s%s\\n"%(e["nonce"],h.answer(r),e["nonce"])).encode()
while d:d=d[os.write(out,d):]
sys.stderr.flush();os._exit(0)
"""


class StreamError(OpsError):
    """The host half gave no result. `reason` is one of the record's reasons, the message one sentence.

    `stack` is what the host printed where a Python broke there, without secrets; "" for none.
    """

    def __init__(self, message: str, reason: str = "error", stack: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.stack = stack


class NoTerminal(StreamError):
    """sudo let nobody in without a terminal, which a stream has not; nothing ran on the host."""


def program(module: str) -> Program:
    """Return what a half needs to start another of its module as a job of its own on the host (host/job.py)."""
    return {"boot": _BOOT.strip(), "envelope": {"protocol": PROTOCOL, "nonce": "", **sources(module).envelope}}


def command(interpreter: str = "", site_packages: bool = False) -> str:
    """Return the `sh` line that starts the first Python found; `interpreter` is the inventory's wish, "" for none.

    site_packages lets the half import what the system has installed beside the standard library, at the cost of a
    slower start.
    The output is cut on the host at twice the result's limit, so that a half that floods cannot fill the controller.
    """
    flags = "-I" if site_packages else "-I -S"
    wanted = [] if interpreter.startswith("auto") else shlex.split(interpreter)
    tries = [wanted] if wanted else []
    tries += [[path] for path in INTERPRETERS if [path] != wanted]
    if site_packages:  # EL8 has the bindings there, while its /usr/bin/python3 may be switched to another Python
        tries.sort(key=lambda words: words[0] != "/usr/libexec/platform-python")
    boot = shlex.quote(_BOOT.strip())
    starts = " || ".join(
        f"{{ command -v {shlex.quote(words[0])} >/dev/null 2>&1 && "
        f'exec {" ".join(shlex.quote(word) for word in words)} {flags} -c "$b"; }}'
        for words in tries
    )
    return f"b={boot}; {{ {starts} || echo {_NO_PYTHON}; }} 2>&1 | head -c {2 * RESULT_LIMIT}"


def envelope(
    half: tuple[str, str], arguments: Arguments, context: Context, secret_values: dict[str, str]
) -> tuple[bytes, str]:
    """Return what goes to standard input, and the nonce that will stand on both sides of the result."""
    nonce = f"<egov-ops {secrets.token_hex(12)}>"
    content = {
        "protocol": PROTOCOL,
        "nonce": nonce,
        "half": list(half),
        "arguments": arguments,
        "context": context,
        "secrets": secret_values,
        **sources(half[0]).envelope,
    }
    return json.dumps(content).encode(), nonce


def scrub(value: Shape, secret_values: dict[str, str]) -> Shape:
    """Return a JSON value in which each secret that stands inside a string is replaced by asterisks."""
    return Scrubber(values_of(secret_values)).value(value) if secret_values else value


def check_terminal(code: int, output: str) -> None:
    """Raise NoTerminal where sudo refused to run the line of `command` and why is that it wants a terminal.

    A line that was run ends with the code of its last program, `head`: never with the 1 of sudo's refusal.
    """
    if code == 1 and any(words in output for words in _NO_TERMINAL):
        raise NoTerminal(
            "sudo on the host wants a terminal (requiretty), which a stream has not; take requiretty from its sudoers, "
            "or set egov_ops_transport to auto or module."
        )


def parse(output: str, nonce: str, secret_values: dict[str, str]) -> dict[str, JSON]:
    """Return the JSON object between the two nonces in what the host printed; raises StreamError and AnswerError."""
    pieces = output.split(nonce, 2)
    return _object(pieces[1] if len(pieces) == 3 else "", output, secret_values)


def parse_module(output: str, errors: str, secret_values: dict[str, str]) -> dict[str, JSON]:
    """Return the JSON object in the last line that begins one; raises StreamError and AnswerError.

    Where Ansible's own part of a module has refused to start, it adds keys to its sentence; these are left out.
    """
    lines = [line for line in output.splitlines() if line.startswith("{")]
    found = _object(lines[-1] if lines else "", f"{output}\n{errors}", secret_values)
    if found.get("failed") is True and isinstance(found.get("invocation"), dict):
        return {name: found[name] for name in ("failed", "msg") if name in found}
    return found


def _object(text: str, output: str, secret_values: dict[str, str]) -> dict[str, JSON]:
    """Return the JSON object in a text of the host's output, "" for none."""
    if len(text) > RESULT_LIMIT:
        raise StreamError(
            f"What egov.ops found on the host is {len(text)} bytes, more than the {RESULT_LIMIT} allowed; "
            "narrow what is looked at.",
            "too_large",
        )
    if text:
        try:
            answer = decode(text)
            found = scrub(answer, secret_values)
        except RecursionError:
            raise AnswerError(TOO_DEEP) from None
        return {**found, EXACT: answer[EXACT]} if EXACT in answer else found
    if _NO_PYTHON in output:
        raise StreamError(
            "No Python 3 was found on the host; install python3 or name one in ansible_python_interpreter.",
            "no_python",
        )
    if len(output) >= RESULT_LIMIT:
        raise StreamError(
            f"The program of egov.ops on the host printed more than {RESULT_LIMIT} bytes and no result.",
            "too_large",
        )
    printed = str(scrub(output, secret_values))
    words = [line.strip() for line in printed.splitlines() if line.strip() not in ("", TRACEBACK)]
    said = inert("; ".join(words[-3:])[-500:]) or "it printed nothing"
    raise StreamError(
        f"The program of egov.ops on the host ended without a result: {said}.",
        stack=printed if TRACEBACK in printed else "",
    )
