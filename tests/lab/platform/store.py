# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's S3 store: store.py ADDRESS PORT CERTIFICATE KEY BUCKET.

moto keeps the objects, in memory. Before it stands a proxy for TLS, which closes each connection as TLS wants it:
clients take moto's own for one that was cut. The bucket has versions and an object lock, so that no client can take
away what another has written.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys

import boto3
from moto.server import ThreadedMotoServer

#: Nobody deletes or shortens a version that is younger, administrators included.
RETENTION = {"Mode": "COMPLIANCE", "Days": 1}


def make_bucket(port: int, name: str) -> None:
    """Make the bucket whose objects are locked from the moment that they are written."""
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="lab",
        aws_secret_access_key="lab",
    )
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": RETENTION}}
    client.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=lock)


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what arrives until there is no more, and say so to the other side."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


async def serve(port: int, address: str, own: int, certificate: str, key: str) -> None:
    """Forward each connection over TLS to moto's port, for ever."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, requests), copy(answers, writer))

    server = await asyncio.start_server(forward, address, own, ssl=context)
    print("ready", flush=True)
    await server.serve_forever()


def main(address: str, port: str, certificate: str, key: str, bucket: str) -> None:
    """Start moto on a free port of this machine alone, and the proxy before it."""
    moto = ThreadedMotoServer("127.0.0.1", 0)
    moto.start()
    _host, inner = moto.get_host_and_port()
    make_bucket(inner, bucket)
    asyncio.run(serve(inner, address, int(port), certificate, key))


if __name__ == "__main__":
    main(*sys.argv[1:])
