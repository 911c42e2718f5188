# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Web pages and interfaces."""

from ansible_collections.egov.ops.plugins.module_utils.health.probe import Unusable
from ansible_collections.egov.ops.plugins.module_utils.health.thresholds import number
from ansible_collections.egov.ops.plugins.module_utils.host.public import public_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from ansible_collections.egov.ops.plugins.module_utils.health.probe import Probe
    from ansible_collections.egov.ops.plugins.module_utils.health.types import Facts
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

_BODY_LIMIT = 1024 * 1024


def http(probe, url, status=200, contains="", headers=None, verify=True, ca_file=""):
    # type: (Probe, str, int | list[int] | tuple[int, ...], str, dict[str, str] | None, bool, str) -> list[Observation]
    """Whether an address answers with the right status and text; the value is the time to the last byte.

    Environment proxies are not used and redirects not followed: the probe is about this address, and so are the user
    and password in it, which are sent as Basic authentication.
    """
    import http.client
    import time

    parts, target, login = _read(url)
    shown = public_url(url)
    if parts.scheme == "https":
        import ssl

        context = ssl.create_default_context(cafile=ca_file or None)
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        link = http.client.HTTPSConnection(str(parts.hostname), parts.port, context=context)  # type: http.client.HTTPConnection
    else:
        link = http.client.HTTPConnection(str(parts.hostname), parts.port)
    wanted = [int(code) for code in (status if isinstance(status, (list, tuple)) else [status])]
    started = time.monotonic()
    try:
        sent = {"User-Agent": "egov.ops"}
        if login and "authorization" not in [str(name).lower() for name in headers or ()]:
            sent["Authorization"] = login
        link.request("GET", target, headers=dict(sent, **(headers or {})))
        answer = link.getresponse()
        body = answer.read(_BODY_LIMIT)
    except (TypeError, ValueError):
        raise Unusable("its url or one of its headers holds what HTTP cannot carry")
    except (OSError, http.client.HTTPException) as error:
        said = str(error) if isinstance(error, OSError) and str(error) else type(error).__name__
        return [probe.failed("%s does not answer: %s." % (shown, said), "Check the service and what lies before it.")]
    taken = time.monotonic() - started
    facts = {"http_status": answer.status, "bytes": len(body)}  # type: Facts
    if answer.status not in wanted:
        message = "%s answers with status %d and not %s." % (shown, answer.status, " or ".join(map(str, wanted)))
        location = answer.getheader("Location") or ""
        if answer.status // 100 == 3 and location:
            act = "A probe follows no redirect. It leads to %s: if that is right, give it as url, or %d as status."
            return [probe.failed(message, act % (_public_location(location), answer.status), **facts)]
        return [probe.failed(message, "Read the log of the web server and of the application.", **facts)]
    if contains and contains.encode() not in body:
        message = "%s answers without the text that the probe %s expects." % (shown, probe.name)
        return [probe.failed(message, "Open the page and see what it shows instead.", **facts)]
    message = "%s answers %d in %s s" % (shown, answer.status, number(taken))
    act = "Find what is slow: the application, its database or the network."
    return [probe.measured(taken, "s", message, act, **facts)]


def _public_location(location):
    # type: (str) -> str
    """Return where a redirect leads, without what an address must not show: `//host/`, `/path` and `path` too."""
    if location.startswith("//"):
        return public_url("http:" + location)[len("http:") :][:200]
    from urllib.parse import urlsplit

    if urlsplit(location).scheme:
        return public_url(location)[:200]
    return public_url("http://host/" + location)[len("http://host/") :][:200]


def _read(url):
    # type: (str) -> tuple[SplitResult, str, str]
    """Return the parts of an address, what is asked of its host, and its Authorization header, "" for none.

    Raises Unusable without the address, of which anything may be a secret.
    """
    from base64 import b64encode
    from urllib.parse import quote, unquote_to_bytes, urlsplit

    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (AttributeError, TypeError, ValueError):
        sound = False
    if not sound:
        raise Unusable(
            "its url is no address of the form http://host/path; in a user or password write / ? # @ and : as %2F %3F "
            "%23 %40 and %3A"
        )
    target = quote((parts.path or "/") + ("?" + parts.query if parts.query else ""), "!#$%&'()*+,/:;=?@[]~")
    if parts.username is None:
        return parts, target, ""
    user, password = (unquote_to_bytes(part or "") for part in (parts.username, parts.password))
    return parts, target, "Basic " + b64encode(user + b":" + password).decode("ascii")
