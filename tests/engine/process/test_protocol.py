"""An answer's head leaves with the beginning of its body."""

from typing import Any

import pytest

from engine.process.protocol import Together

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class Wire:
    """A transport that notes what it is told."""

    def __init__(self) -> None:
        self.sent: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.sent.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.sent


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        pytest.param([HEAD, b"{}"], [HEAD + b"{}"], id="head and body are one"),
        pytest.param([HEAD, b"{}", HEAD, b"[]"], [HEAD + b"{}", HEAD + b"[]"], id="and so is the next answer"),
        pytest.param([HEAD, b"ab", b"cd", b""], [HEAD + b"ab", b"cd", b""], id="a stream goes on as it comes"),
        pytest.param([HEAD, b""], [HEAD], id="no body"),
        pytest.param(
            [b"HTTP/1.1 100 Continue\r\n\r\n"], [b"HTTP/1.1 100 Continue\r\n\r\n"], id="what is not the answer"
        ),
        pytest.param([HEAD, HEAD], [HEAD + HEAD], id="a body that looks like a head"),
    ],
)
def test_what_is_sent(written: list[bytes], sent: list[bytes]) -> None:
    wire: Any = Wire()
    together = Together(wire)
    for data in written:
        together.write(data)
    assert wire.sent == sent


def test_closing_sends_what_was_kept() -> None:
    wire: Any = Wire()
    together = Together(wire)
    together.write(HEAD)
    assert not together.is_closing()
    together.close()
    assert wire.sent == [HEAD, "closed"]
    assert together.is_closing()
