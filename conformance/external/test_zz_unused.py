"""A server that nobody has asked anything since it was started, for longer than a connection may take to say
something (32 s): the first to come is served like any other. Last in the alphabet, so that the time has mostly
passed already."""

import time

import pytest

FIRST_WORDS = 32 + 1  # seconds


def test_the_first_connection_is_not_late(unused):
    if unused is None:
        pytest.skip("another server is tested")
    time.sleep(max(0, unused.since + FIRST_WORDS - time.monotonic()))
    s = unused.connect()
    s.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admintoken\r\n\r\n")
    assert s.recv(65536).startswith(b"HTTP/1.1 200 OK")
    s.close()
