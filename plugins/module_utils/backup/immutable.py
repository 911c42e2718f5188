# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask a store whether it would let a client remove what a backup has written, without removing anything.

A REST server is asked to delete an object that does not exist: one that only appends refuses before it looks. A bucket
of S3 is asked for its object lock (AWS Signature Version 4, as S3's API reference describes it). Other places cannot
be asked; there the plan's word stands.
"""

import hashlib
import hmac
import os
import re
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Seconds that a store has to answer.
ANSWER_SECONDS = 20.0


class Answer:
    """What a store says: `holds` is True, False, or None where it cannot be known; `words` say why."""

    def __init__(self, holds, words):
        # type: (bool | None, str) -> None
        self.holds = holds
        self.words = words


def ask(address, credentials, seconds=ANSWER_SECONDS):
    # type: (str, dict[str, str], float) -> Answer
    """Ask the store of a location, "scheme:place", with the credentials of the repository; never raises."""
    kind, _separator, place = address.partition(":")
    if kind == "rest":
        return _ask_rest(place, seconds)
    if kind == "s3":
        return _ask_s3(place, credentials, seconds)
    return Answer(None, "nothing there can be asked")


def _ask_rest(place, seconds):
    # type: (str, float) -> Answer
    from base64 import b64encode
    from urllib.parse import unquote

    scheme, _separator, rest = place.partition("://")
    user, at, host = rest.rpartition("@")
    headers = {}
    if at:
        headers["Authorization"] = "Basic " + b64encode(unquote(user).encode("utf-8")).decode("ascii")
    # A snapshot's name, since a server may let go of locks and keep all else.
    nothing = hashlib.sha256(os.urandom(16)).hexdigest()
    code, words = _send("DELETE", "%s://%s/snapshots/%s" % (scheme, host.rstrip("/"), nothing), headers, seconds)
    if code in (403, 405):
        return Answer(True, "its server refuses to delete (%s)" % code)
    if code in (200, 204, 404):
        return Answer(False, "its server lets a client delete (%s)" % code)
    return Answer(None, "its server could not be asked: %s" % words)


def _ask_s3(place, credentials, seconds):
    # type: (str, dict[str, str], float) -> Answer
    scheme, separator, rest = place.partition("://")
    if not separator:
        scheme, rest = "https", place
    host, _slash, path = rest.strip("/").partition("/")
    bucket = path.partition("/")[0]
    if not bucket:
        return Answer(None, "its location names no bucket")
    headers = signed(host, "/" + bucket, "object-lock=", credentials, time.gmtime())
    code, words = _send("GET", "%s://%s/%s?object-lock=" % (scheme, host, bucket), headers, seconds)
    if "ObjectLockConfigurationNotFoundError" in words or (code == 200 and ">Enabled<" not in words):
        return Answer(False, "its bucket has no object lock")
    if code != 200:
        return Answer(None, "its bucket could not be asked: %s" % words)
    mode = re.search(r"<Mode>(\w+)</Mode>", words)
    days = re.search(r"<(Days|Years)>(\d+)</\1>", words)
    if not mode or not days:
        return Answer(False, "the object lock of its bucket has no default retention")
    kept = "%s %s" % (days.group(2), days.group(1).lower())
    if mode.group(1) != "COMPLIANCE":
        return Answer(False, "the object lock of its bucket is in %s mode, which a client can lift" % mode.group(1))
    return Answer(True, "its bucket keeps each version for %s" % kept)


def signed(host, path, query, credentials, now):
    # type: (str, str, str, dict[str, str], time.struct_time) -> dict[str, str]
    """Return the headers of a GET without a body, signed for S3; query is in canonical form."""
    region = credentials.get("AWS_DEFAULT_REGION") or "us-east-1"
    moment = time.strftime("%Y%m%dT%H%M%SZ", now)
    scope = "/".join([moment[:8], region, "s3", "aws4_request"])
    nothing = hashlib.sha256(b"").hexdigest()
    headers = {"host": host, "x-amz-content-sha256": nothing, "x-amz-date": moment}
    if credentials.get("AWS_SESSION_TOKEN"):
        headers["x-amz-security-token"] = credentials["AWS_SESSION_TOKEN"]
    names = ";".join(sorted(headers))
    lines = "".join("%s:%s\n" % (name, headers[name]) for name in sorted(headers))
    request = "\n".join(["GET", path, query, lines, names, nothing])
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode("utf-8")).hexdigest()])
    key = b"AWS4" + credentials.get("AWS_SECRET_ACCESS_KEY", "").encode("utf-8")
    for part in scope.split("/"):
        key = hmac.new(key, part.encode("utf-8"), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode("utf-8"), hashlib.sha256).hexdigest()
    owner = "%s/%s" % (credentials.get("AWS_ACCESS_KEY_ID", ""), scope)
    words = "AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=%s, Signature=%s" % (owner, names, signature)
    return dict({name: value for name, value in headers.items() if name != "host"}, Authorization=words)


def _send(method, url, headers, seconds):
    # type: (str, str, dict[str, str], float) -> tuple[int, str]
    """Return the code and the first of what a server answers; 0 and the trouble where it does not.

    It is not followed elsewhere: the credentials are for this server.
    """
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    scheme, _separator, rest = url.partition("://")
    host, _slash, path = rest.partition("/")
    connection = (HTTPSConnection if scheme == "https" else HTTPConnection)(host, timeout=seconds)
    try:
        connection.request(method, "/" + path, headers=headers)
        answer = connection.getresponse()
        said = answer.read(65536).decode("utf-8", "replace")
    except (OSError, HTTPException, ValueError) as error:
        return 0, str(error)[:200]
    finally:
        connection.close()
    if answer.status == 200:
        return answer.status, said
    code = re.search(r"<Code>(\w+)</Code>", said)
    return answer.status, "it answered %s%s" % (answer.status, " %s" % code.group(1) if code else "")
