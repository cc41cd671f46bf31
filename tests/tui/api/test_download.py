"""Answers that are files: bytes pass through, errors are told in words, and what breaks off is no file."""

from __future__ import annotations

import pytest

from tui.api.download import SinkReader
from tui.api.errors import ApiError
from tui.api.http import NotHttp

CONTENT = bytes(range(256)) * 50


class Sink:
    def __init__(self) -> None:
        self.data = bytearray()
        self.most = 0

    def write(self, data: bytes) -> None:
        self.data += data
        self.most = max(self.most, len(data))


def chunked(content: bytes, size: int) -> bytes:
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-qdeck-rows: 7\r\n\r\n" + body + b"0\r\n\r\n"


def whole(content: bytes, status: bytes = b"200 OK", kind: bytes = b"text/csv") -> bytes:
    head = b"HTTP/1.1 %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n" % (status, kind, len(content))
    return head + content


@pytest.mark.parametrize("step", [1, 7, 4096, 10**6])
@pytest.mark.parametrize("data", [chunked(CONTENT, 1000), chunked(CONTENT, 3), whole(CONTENT)])
def test_the_content_goes_to_the_sink(data: bytes, step: int) -> None:
    sink, heard = Sink(), []
    reader = SinkReader(sink, heard.append)
    answers = [answer for at in range(0, len(data), step) if (answer := reader.feed(data[at : at + step]))]
    assert len(answers) == 1 and answers[0].body == b""
    assert bytes(sink.data) == CONTENT
    assert len(heard) == 1
    if step == 7:
        assert sink.most < 2000, "it is handed on as it comes"


def test_an_error_is_told_and_nothing_of_it_is_written() -> None:
    sink = Sink()
    data = whole(b'{"detail": "this list has 3 rows too many"}', b"400 Bad Request", b"application/json")
    answer = SinkReader(sink).feed(data)
    assert answer is not None and not sink.data
    with pytest.raises(ApiError, match="too many"):
        answer.value()


def test_what_breaks_off_is_no_answer() -> None:
    reader = SinkReader(Sink())
    assert reader.feed(chunked(CONTENT, 1000)[:-5]) is None
    assert reader.end() is None
    with pytest.raises(NotHttp):
        SinkReader(Sink()).feed(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")
