# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Web pages and interfaces."""

from ansible_collections.egov.ops.plugins.module_utils.health.thresholds import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ansible_collections.egov.ops.plugins.module_utils.health.probe import Probe

_BODY_LIMIT = 1024 * 1024


def http(probe, url, status=200, contains="", headers=None, verify=True, ca_file=""):
    # type: (Probe, str, Any, str, dict[str, str] | None, bool, str) -> list[dict[str, Any]]
    """Whether an address answers with the right status and text; the value is the time to the last byte.

    Environment proxies are not used and redirects not followed: the probe is about this address.
    """
    import http.client
    import time
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("%r is no address of the form http://host/path" % url)
    if parts.scheme == "https":
        import ssl

        context = ssl.create_default_context(cafile=ca_file or None)
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        link = http.client.HTTPSConnection(parts.hostname, parts.port, context=context)  # type: http.client.HTTPConnection
    else:
        link = http.client.HTTPConnection(parts.hostname, parts.port)
    wanted = [int(code) for code in (status if isinstance(status, (list, tuple)) else [status])]
    started = time.monotonic()
    try:
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        link.request("GET", target, headers=dict({"User-Agent": "egov.ops"}, **(headers or {})))
        answer = link.getresponse()
        body = answer.read(_BODY_LIMIT)
    except (OSError, http.client.HTTPException) as error:
        said = str(error) or type(error).__name__
        return [probe.failed("%s does not answer: %s." % (url, said), "Check the service and what lies before it.")]
    taken = time.monotonic() - started
    facts = {"http_status": answer.status, "bytes": len(body)}  # type: dict[str, Any]
    if answer.status not in wanted:
        message = "%s answers with status %d and not %s." % (url, answer.status, " or ".join(map(str, wanted)))
        return [probe.failed(message, "Read the log of the web server and of the application.", **facts)]
    if contains and contains.encode() not in body:
        message = "%s answers without the text %r." % (url, contains)
        return [probe.failed(message, "Open the page and see what it shows instead.", **facts)]
    message = "%s answers %d in %s s" % (url, answer.status, number(taken))
    act = "Find what is slow: the application, its database or the network."
    return [probe.measured(taken, "s", message, act, **facts)]
