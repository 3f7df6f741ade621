"""Bytes carried both ways between the browser and a server, TLS or not."""

import select
import socket
import ssl

IDLE_SECONDS = 30.0
CHUNK = 64 * 1024
#: More than any page of text needs; a body without end must not fill the memory.
MOST_BYTES_BACK = 64 * 1024 * 1024


def carry(client: socket.socket, upstream: socket.socket) -> None:
    """Carry bytes both ways until one side ends, nothing moves for a while, or more came than a page needs."""
    other = {client: upstream, upstream: client}
    left = MOST_BYTES_BACK
    while left > 0:
        # What TLS has decrypted already, no select sees.
        decrypted = [side for side in other if isinstance(side, ssl.SSLSocket) and side.pending()]
        ready = decrypted or select.select(list(other), [], [], IDLE_SECONDS)[0]
        if not ready:
            return
        for side in ready:
            chunk = _received(side)
            if chunk is None:
                continue
            if not chunk:
                return
            other[side].sendall(chunk)
            left -= len(chunk)


def _received(side: socket.socket) -> bytes | None:
    """What has come, b"" at the end, None where it was TLS's own business; never waits for more."""
    side.setblocking(False)
    try:
        return side.recv(CHUNK)
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None
    finally:
        side.settimeout(IDLE_SECONDS)
