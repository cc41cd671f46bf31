"""HTTP as bytes: every way in which an answer may arrive."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.process.models import PROTOCOL
from tui.api.errors import ApiError, ProtocolMismatch
from tui.api.http import Answer, NotHttp, Reader, check_protocol, is_safe, request

PLAIN = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"a": 1}'
CHUNKED = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    b'4;x=y\r\n{"a"\r\n4\r\n: 1}\r\n0\r\n\r\n'
)
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN


@given(st.sampled_from([PLAIN, CHUNKED, INTERIM]), st.lists(st.integers(1, 40), max_size=60))
def test_an_answer_is_the_same_however_it_is_cut(data: bytes, cuts: list[int]) -> None:
    reader, answer = Reader(), None
    for size in [*cuts, len(data)]:
        part, data = data[:size], data[size:]
        if part:
            assert answer is None
            answer = reader.feed(part)
    assert answer is not None and answer.value() == {"a": 1}
    assert answer.keeps_open


def test_an_answer_may_end_with_its_connection() -> None:
    reader = Reader()
    assert reader.feed(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nhello ") is None
    assert reader.feed(b"there") is None
    answer = reader.end()
    assert answer is not None and answer.value() == "hello there"


@pytest.mark.parametrize("data", [PLAIN[:-1], CHUNKED[:-1], PLAIN[:20], b""])
def test_an_answer_that_breaks_off_is_none(data: bytes) -> None:
    reader = Reader()
    assert reader.feed(data) is None
    assert reader.end() is None


@pytest.mark.parametrize("data", [
    b"220 smtp.example.org ESMTP\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", b"x" * 70_000,
    b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
])  # fmt: skip
def test_what_is_no_http_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(NotHttp):
        Reader().feed(data)


@pytest.mark.parametrize(("status", "head_only"), [(204, False), (304, False), (200, True)])
def test_answers_without_a_body(status: int, head_only: bool) -> None:
    answer = Reader(head_only).feed(f"HTTP/1.1 {status} X\r\ncontent-length: 7\r\n\r\n".encode())
    assert answer is not None and answer.body == b""


@pytest.mark.parametrize(
    ("status", "body", "detail"),
    [
        (404, b'{"detail": "no such server"}', "no such server"),
        (422, b'{"detail": [{"msg": "bad"}]}', [{"msg": "bad"}]),
        (500, b"[1]", [1]),
        (503, b"", "the engine answered 503"),
    ],
)
def test_errors_carry_status_and_detail(status: int, body: bytes, detail: object) -> None:
    headers = {"content-type": "application/json"} if body else {}
    with pytest.raises(ApiError) as caught:
        Answer(status, headers, body).value()
    assert (caught.value.status, caught.value.detail) == (status, detail)


def test_another_protocol_is_its_own_error() -> None:
    body = json.dumps({"detail": "install qdeck 9"}).encode()
    with pytest.raises(ProtocolMismatch, match="install qdeck 9"):
        Answer(426, {"content-type": "application/json"}, body).value()


@pytest.mark.parametrize(
    ("told", "path", "advice"),
    [
        (str(PROTOCOL), "/q/windows", None),
        (str(PROTOCOL + 1), "/q/windows", "install qdeck 7.7"),
        (str(PROTOCOL - 1), "/q/windows", "qdeck engine restart"),
        (str(PROTOCOL - 1), "/q/engine", None),
        (str(PROTOCOL - 1), "/servers", None),
        (None, "/q/windows", None),
    ],
)
def test_handshake(told: str | None, path: str, advice: str | None) -> None:
    headers = {"x-qdeck-version": "7.7", **({"x-qdeck-protocol": told} if told is not None else {})}
    if advice is None:
        check_protocol(Answer(200, headers), path)
        return
    with pytest.raises(ProtocolMismatch, match=advice):
        check_protocol(Answer(200, headers), path)


def test_a_request_is_framed_and_quoted() -> None:
    data = request(
        "POST", "/q/x y/ü", host="h", json_body={"n": "ü"},
        params={"a": [1, 2], "none": None, "yes": True, "t": "a&b=c"}, headers={"authorization": "Bearer t"},
    )  # fmt: skip
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /q/x%20y/%C3%BC?a=1&a=2&yes=true&t=a%26b%3Dc HTTP/1.1\r\nhost: h\r\n")
    assert f"content-length: {len(body)}".encode() in head
    assert json.loads(body) == {"n": "ü"}


@pytest.mark.parametrize("headers", [{"x": "a\r\ny: b"}, {"x\n": "a"}])
def test_no_line_breaks_into_the_frame(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="line break"):
        request("GET", "/", host="h", headers=headers)
    assert b"\r\n\r\nGET" not in request("GET", "/x\r\n\r\nGET /y", host="h")


@pytest.mark.parametrize(
    ("method", "path", "safe"),
    [
        ("GET", "/q/clouds", True),
        ("POST", "/q/windows", True),
        ("POST", "/q/windows/position?x=1", True),
        ("POST", "/q/collections", False),
        ("PUT", "/q/session-view", False),
        ("DELETE", "/q/clouds/a", False),
    ],
)
def test_what_may_be_asked_twice(method: str, path: str, safe: bool) -> None:
    assert is_safe(method, path) is safe
