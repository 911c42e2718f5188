# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates, served and stored."""

from ansible_collections.egov.ops.plugins.module_utils.health.probe import Absent
from ansible_collections.egov.ops.plugins.module_utils.health.sockets import split_address
from ansible_collections.egov.ops.plugins.module_utils.health.thresholds import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl

    from ansible_collections.egov.ops.plugins.module_utils.health.probe import Probe
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

_SEQUENCE, _UTC_TIME, _VERSION = 0x30, 0x17, 0xA0


def not_after(certificate):
    # type: (bytes) -> float
    """Return the end of a DER certificate's life in seconds since 1970; raises ValueError for anything else.

    The standard library reads the dates of no certificate that it does not trust, hence this walk.
    """
    from datetime import datetime, timezone

    try:
        inner, _rest = _element(_element(certificate, _SEQUENCE)[0], _SEQUENCE)
        if inner[0] == _VERSION:
            inner = _element(inner)[1]
        for _field in ("serial number", "signature algorithm", "issuer"):
            inner = _element(inner)[1]
        validity = _element(inner, _SEQUENCE)[0]
        last = _element(validity)[1]
        text = _element(last)[0].decode("ascii")
        if last[0] == _UTC_TIME:
            text = ("20" if text[:2] < "50" else "19") + text
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
    except (IndexError, ValueError):
        raise ValueError("this is no X.509 certificate")


def _element(data, tag=-1):
    # type: (bytes, int) -> tuple[bytes, bytes]
    """Return the content of the first DER element and what follows it."""
    length, start = data[1], 2
    if tag not in (-1, data[0]):
        raise ValueError
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if start + length > len(data):
        raise ValueError
    return data[start : start + length], data[start + length :]


def pem_certificates(data):
    # type: (bytes) -> list[bytes]
    """Return the certificates of a PEM file as DER; a file without PEM lines is taken as DER itself."""
    import binascii

    parts = data.split(b"-----BEGIN CERTIFICATE-----")[1:]
    if not parts:
        return [] if b"-----BEGIN" in data else [data]
    return [binascii.a2b_base64(part.split(b"-----END", 1)[0]) for part in parts]


def _judge(probe, subject, certificates):
    # type: (Probe, str, list[bytes]) -> Observation
    import time

    days = (min(map(not_after, certificates)) - time.time()) / 86400
    if days < 0:
        message = "The certificate of %s expired %s days ago" % (subject, number(-days))
    else:
        message = "The certificate of %s is valid for %s more days" % (subject, number(days))
    return probe.measured(days, "days", message, "Renew the certificate and load it into the service.", subject)


def certificate_stored(probe, paths):
    # type: (Probe, list[str]) -> list[Observation]
    """Days until a certificate in a file expires; of several in one file the first to expire counts."""
    from glob import glob

    found = []
    for path in sorted({path for pattern in paths for path in glob(probe.path(pattern))}):
        subject = path[len(probe.root) :]
        try:
            with open(path, "rb") as stream:
                certificates = pem_certificates(stream.read(1024 * 1024))
            if certificates:
                found.append(_judge(probe, subject, certificates))
        except PermissionError:
            message = "%s may not be read." % subject
            found.append(probe.finding("unknown", message, "Run the check with become.", subject, "permission"))
        except ValueError as error:
            found.append(probe.failed("%s cannot be read: %s." % (subject, error), "Replace the file.", subject))
    if not found:
        raise Absent("No certificate lies under %s." % ", ".join(paths))
    return found


def certificate_served(probe, address, server_name="", verify=True, ca_file=""):
    # type: (Probe, str, str, bool, str) -> list[Observation]
    """Days until the certificate that a service shows expires, and whether clients would trust it."""
    import ssl

    host, port = split_address(address, 443)
    name = server_name or host
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname = False
    bare.verify_mode = ssl.CERT_NONE
    try:
        judged = _judge(probe, address, [_certificate(host, port, name, bare)])
        if verify and judged["status"] == "ok":
            _certificate(host, port, name, ssl.create_default_context(cafile=ca_file or None))
    except OSError as error:
        message = "%s shows no certificate that clients accept: %s." % (address, error.strerror or error)
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            reason = getattr(error, "verify_message", error)
            message = "Clients do not trust the certificate of %s: %s." % (address, reason)
        act = "Check the service; give it a certificate of the right name with its whole chain."
        return [probe.failed(message, act)]
    return [judged]


def _certificate(host, port, name, context):
    # type: (str, int, str, ssl.SSLContext) -> bytes
    import socket

    with socket.create_connection((host, port)) as link, context.wrap_socket(link, server_hostname=name) as secured:
        return secured.getpeercert(True) or b""
