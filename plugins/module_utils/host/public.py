# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be shown of what the plan says: addresses without credentials, programs without arguments; pure."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: What stands in place of an address that cannot be told apart, and of a value inside one.
MASK = "********"
HIDDEN = "***"

_BACKENDS = frozenset(["azure", "b2", "gs", "rclone", "rest", "s3", "sftp", "swift"])
_PLACE = r"(?:\[[0-9A-Za-z:.%]+\]|[^\s:;/?#@\[\]\\]*)"


def public_url(url):
    # type: (str) -> str
    """Return an address without user, password, fragment and the values of its query; a path stays as it is.

    Where nobody can tell the host from a password with `/`, `?`, `#` or `@` in it, only the scheme is left.
    """
    if url.startswith("/") or _is_plain(url):
        return url
    import re

    head, separator, rest = url.partition("://")
    if not separator or head.startswith("rclone:"):
        return _without_scheme(url)
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    tail = rest[len(authority) :]
    _user, at, place = authority.rpartition("@")
    known = re.match(_PLACE + r"(:[0-9]*)?\Z", place)
    doubtful = at or (known and known.group(1) and not re.match(r"\[|localhost|.*\.", place))
    if "@" in head or not known or ("@" in tail and (doubtful or ":" in tail.rpartition("@")[0])):
        return "%s://%s" % (re.split("[@:]", head)[-1], MASK)
    return "%s://%s%s" % (head, place, _public_tail(tail))


def _is_plain(text):
    # type: (str) -> bool
    """Tell whether an address, or each in a text, has nothing to hide; most have not, and `re` costs a host 3 ms."""
    if "://" not in text or any(sign in text for sign in "@?#;\\["):
        return False
    for rest in text.split("://")[1:]:
        place = (rest.split(None, 1) or [""])[0].partition("/")[0].rstrip("\"'.,:)>}")
        port = place.partition(":")[2]
        if ":" in place and not (port.isdigit() and len(port) <= 5):
            return False
    return not text.startswith("rclone:")


def _without_scheme(url):
    # type: (str) -> str
    import re

    backend, colon, place = url.partition(":")
    if backend not in _BACKENDS:
        backend, colon, place = "", "", url
    if backend == "rclone":
        return "rclone:" + re.sub(r"=(\"[^\"]*\"|'[^']*'|[^,:]*)", "=" + HIDDEN, place)
    user, at, host = place.rpartition("@")
    if at and not (backend == "sftp" and re.match(r"[\w.-]+\Z", user)):  # the name of an SSH login opens nothing
        place = host
    return backend + colon + _public_tail(place)


def _public_tail(tail):
    # type: (str) -> str
    """Return path and query without the values of parameters and without the fragment."""
    if not ("?" in tail or "#" in tail or ";" in tail):
        return tail
    import re

    path, question, query = tail.partition("#")[0].partition("?")
    path = re.sub(r";([^=/;]*)=[^/;]*", r";\1=" + HIDDEN, path)
    shown = []
    for part in re.split("[&;]", query) if query else []:
        name, equals, _value = part.partition("=")
        shown.append(name + "=" + HIDDEN if equals and re.match(r"[\w.\[\]-]+\Z", name) else HIDDEN)
    return path + question + "&".join(shown)


def public_text(text):
    # type: (str) -> str
    """Return a text in which each address is as `public_url` shows it."""
    if "://" not in text or _is_plain(text):
        return text
    import re

    return re.sub(r"[A-Za-z][A-Za-z0-9+.:-]*://\S*", lambda found: _public_found(found.group()), text)


def _public_found(url):
    # type: (str) -> str
    """Return an address in a sentence; what closes the sentence or a quotation is no part of it."""
    bare = url.rstrip("\"'.,;:)>]}")
    if bare.endswith("://"):
        return url
    return public_url(bare) + url[len(bare) :]


def secrets_of_url(url):
    # type: (str) -> list[str]
    """Return what of an address is never shown: password, user with password, values of the query, fragment."""
    import re
    from urllib.parse import unquote, unquote_plus

    rest = url.partition("://")[2] or url
    fragment = rest.partition("#")[2]
    values = [part.partition("=")[2] or part for part in re.split("[&;]", rest.partition("#")[0].partition("?")[2])]
    values = [value for value in values if len(value) >= len(MASK)]  # a shorter one is a word of other text
    user = rest.rpartition("@")[0]
    name, _colon, password = user.partition(":")
    found = [fragment, user, password or name] + values
    return [form for value in found if value for form in (value, unquote(value), unquote_plus(value))]


def program_of(command):
    # type: (Sequence[object]) -> str
    """Return the name of a command's program, without its folder and its arguments."""
    words = str(command[0]).split() if command else []
    return words[0].rpartition("/")[2] if words else "the command"


#: Options of monitoring plugins and tools that a secret follows, some only before a pair `a:b`; and names of others.
_OPTIONS = frozenset(["-p", "-P", "-a", "-A", "-b", "-C", "-X", "-k", "-H", "-u", "-U"])
_ONLY_PAIRS = frozenset(["-H", "-u", "-U"])
_SECRET_NAME = r"(?i)(pass|pwd|secret|token|auth|cred|communit|cookie|api-?_?key|priv|signature|session|psk)"


def secrets_of_command(command):
    # type: (Iterable[object]) -> list[str]
    """Return the arguments of a command that may be secrets, which the tool itself may repeat in its output.

    Those are what follows an option or a name that says so, and the credentials of addresses. A path, or a number of
    few digits, is none: `-p` names a port or a file system just as well.
    """
    import re

    words = []  # type: list[str]
    for argument in [str(word) for word in command]:
        words += [argument] + (argument.split() if " " in argument.strip() else [])
    found, before = [], ""  # type: list[str], str
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if "://" in word:
            found += secrets_of_url(word.strip("\"'"))
        elif equals and " " not in name and re.search(_SECRET_NAME, name):
            found.append(value.strip("\"'"))
        elif word[:2] in _OPTIONS and word[2:] and not word.startswith("--") and word[:2] not in _ONLY_PAIRS:
            found.append(word[2:].strip("\"'"))
        elif _names_secret(before) or (before in _OPTIONS - _ONLY_PAIRS and word[:1] not in ("-", "/")):
            found += [word.partition(":")[2]] + secrets_of_text(word)
        elif before in _ONLY_PAIRS | {"--user", "--header"} and ":" in word:
            found += [word, word.partition(":")[2].strip()] + secrets_of_text(word.partition(":")[2])
        before = word
    return found


def _names_secret(option):
    # type: (str) -> bool
    """Tell whether an option, written without its value, says that a secret follows it."""
    import re

    return option.startswith("-") and "=" not in option and bool(re.search(_SECRET_NAME, option))


def secrets_of_headers(headers):
    # type: (object) -> list[str]
    """Return the values of HTTP headers that let somebody in."""
    import re

    items = headers.items() if isinstance(headers, dict) else ()
    named = [str(value) for name, value in items if re.search(_SECRET_NAME, str(name))]
    return [part for value in named for part in secrets_of_text(value)]


def secrets_of_text(text):
    # type: (object) -> list[str]
    """Return a text that is never shown, and its words."""
    words = str(text).split()
    return [str(text), str(text).strip()] + [word for word in words if word not in ("Basic", "Bearer", "Digest")]
