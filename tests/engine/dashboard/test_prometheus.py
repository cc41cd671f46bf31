"""Prometheus as a source: a server on loopback that answers as told, hostile answers, and whose series are whose."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from engine.dashboard import prometheus
from engine.dashboard.prometheus import Prometheus, PrometheusError, Series, by_host, by_machine
from engine.settings.models import Metrics

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Server:
    """The fake. `answers` is asked with each query; `asked` keeps (query, headers)."""

    def __init__(self, answers: Callable[[str], tuple[int, bytes]]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = urlsplit(self.path)
                query = parse_qs(asked.query)["query"][0]
                outer.asked.append((query, {name.lower(): value for name, value in self.headers.items()}))
                status, answer = outer.answers(query) if asked.path == "/api/v1/query" else (404, b"")
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                if status == 302:
                    self.send_header("location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def vector(*rows: tuple[dict[str, str], Any]) -> tuple[int, bytes]:
    result = [{"metric": labels, "value": [1.5, value]} for labels, value in rows]
    return 200, orjson.dumps({"status": "success", "data": {"resultType": "vector", "result": result}})


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[str], tuple[int, bytes]]], Server]]:
    servers: list[Server] = []

    def start(answers: Callable[[str], tuple[int, bytes]]) -> Server:
        servers.append(Server(answers))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def host(name: str, cloud: str = "prod", ip: str = "10.0.0.1") -> dict[str, Any]:
    return {"cloud": cloud, "region": "one", "id": f"id-{name}", "name": name, "service_host": name.split(".")[0],
            "host_ip": ip}  # fmt: skip


def machine(id: str, name: str, on: str = "cmp-1.example", cloud: str = "prod") -> dict[str, Any]:
    return {"cloud": cloud, "region": "one", "id": id, "instance_name": name, "host": on, "service_host": on,
            "vcpus": 2, "ram_mb": 2048}  # fmt: skip


HOSTS = [host("cmp-1.example"), host("cmp-2.example", ip="10.0.0.2")]
MACHINES = [
    machine("5e1f", "instance-00000001"),
    machine("77aa", "instance-00000002"),
    machine("99bb", "instance-00000002", "cmp-2.example", "other"),
]


def test_the_default_queries_give_hosts_and_machines(serve: Any) -> None:
    settings = Metrics()
    answers = {
        settings.host_cpu: vector(({"instance": "cmp-1.example:9100"}, "42.5"), ({"instance": "10.0.0.2:9100"}, "7")),
        settings.host_memory: vector(({"instance": "CMP-1"}, "100.4"), ({"instance": "stranger"}, "1")),
        settings.vm_cpu: vector(({"instance": "cmp-1:9177", "domain": "instance-00000001"}, "93.1")),
        settings.vm_memory: vector(({"instance": "cmp-1:9177", "domain": "77aa"}, "12")),
    }
    server = serve(answers.__getitem__)
    settings = Metrics(prometheus_url=f"{server.url}/", prometheus_token="env:PROM_TOKEN")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROM_TOKEN", "s3cret")
        of_hosts, of_machines = prometheus.measure(settings, HOSTS, MACHINES, NOW)
    found = {key[2]: (one.cpu, one.memory) for key, one in {**of_hosts, **of_machines}.items()}
    assert found == {
        "id-cmp-1.example": (42.5, 100.0), "id-cmp-2.example": (7.0, None), "5e1f": (93.1, None), "77aa": (None, 12.0),
    }  # fmt: skip
    assert {headers["authorization"] for _, headers in server.asked} == {"Bearer s3cret"}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((200, b"<html>"), "what answers there is no Prometheus (HTTP 200)"),
        ((302, b""), "what answers there is no Prometheus (HTTP 302)"),
        ((401, b'"no"'), "what answers there is no Prometheus (HTTP 401)"),
        ((200, b"[]"), "what answers there is no Prometheus (HTTP 200)"),
        ((400, b'{"status":"error","error":"parse \\u001b[31m error"}'), "it refused the query: parse ?[31m error"),
        ((200, b'{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}'),
         "the query answers no vector of values by host or machine"),
        ((200, b'{"status":"success","data":7}'), "the query answers no vector of values by host or machine"),
    ],
)  # fmt: skip
def test_bad_answers_are_one_clear_sentence(serve: Any, answer: tuple[int, bytes], sentence: str) -> None:
    server = serve(lambda query: answer)
    with pytest.raises(PrometheusError) as raised:
        Prometheus(Metrics(prometheus_url=server.url)).query("up")
    assert str(raised.value) == sentence


def test_nobody_there_a_slow_one_and_one_without_end(serve: Any, tmp_path: Path) -> None:
    with pytest.raises(PrometheusError, match="it cannot be asked"):
        Prometheus(Metrics(prometheus_url="http://127.0.0.1:1")).query("up")
    release = threading.Event()
    server = serve(lambda query: (release.wait(10), (200, b"{}"))[1])  # type: ignore[func-returns-value]
    with pytest.raises(PrometheusError, match=r"did not answer within 0.2 s"):
        Prometheus(Metrics(prometheus_url=server.url), seconds=0.2).query("up")
    release.set()
    server = serve(lambda query: (200, b" " * 3000))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prometheus, "MOST_BYTES", 2000)
        with pytest.raises(PrometheusError, match="its answer is larger"):
            Prometheus(Metrics(prometheus_url=server.url)).query("up")
    open_file = tmp_path / "token"
    open_file.write_text("x")
    open_file.chmod(0o644)
    with pytest.raises(PrometheusError, match="can be read by others"):
        Prometheus(Metrics(prometheus_url=server.url, prometheus_token=f"file:{open_file}")).query("up")


def test_rows_that_make_no_sense_are_left_out(serve: Any) -> None:
    rows = [{"metric": {"instance": "a"}, "value": [1, "5"]}, {"metric": {"instance": "b"}, "value": [1, "NaN"]},
            {"metric": [], "value": [1, "5"]}, {"metric": {}, "value": "5"}, 7, {"metric": {}, "value": [1, None]},
            {"metric": {"instance": "c"}, "value": [1, "+Inf"]}]  # fmt: skip
    server = serve(lambda query: (200, orjson.dumps(
        {"status": "success", "data": {"resultType": "vector", "result": rows}})))  # fmt: skip
    assert Prometheus(Metrics(prometheus_url=server.url)).query("x") == [Series({"instance": "a"}, 5.0)]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("cmp-1.example:9100", "id-cmp-1.example"),
        ("cmp-1", "id-cmp-1.example"),
        ("cmp-1.other.domain", "id-cmp-1.example"),
        ("CMP-2.EXAMPLE", "id-cmp-2.example"),
        ("10.0.0.2:9100", "id-cmp-2.example"),
        ("10.0.0.3", None),
        ("", None),
        ("cmp-11", None),
        ("[fd00::1]:9100", None),
    ],
)
def test_names_of_hosts(label: str, expected: str | None) -> None:
    found = by_host([Series({"instance": label}, 1.0)], "instance", HOSTS)
    assert [key[2] for key in found] == ([expected] if expected else [])


def test_a_name_that_two_have_is_nobodys_and_the_host_decides() -> None:
    two = [*HOSTS, host("cmp-1.example", "other")]
    assert by_host([Series({"instance": "cmp-1.example"}, 1.0)], "instance", two) == {}
    shared = {"domain": "instance-00000002"}
    assert by_machine([Series(shared, 1.0)], "domain", "instance", MACHINES) == {}
    found = by_machine([Series({**shared, "instance": "cmp-2:9177"}, 1.0)], "domain", "instance", MACHINES)
    assert found == {("other", "one", "99bb"): 1.0}


def test_only_the_cloud_that_it_belongs_to() -> None:
    settings = Metrics(prometheus_url="http://127.0.0.1:1", cloud="prod")
    row = Series({"instance": "cmp-1.example", "domain": "instance-00000002"}, 5.0)
    two = [*HOSTS, host("cmp-1.example", "other")]
    of_hosts, of_machines = prometheus.measure(settings, two, MACHINES, NOW, lambda query: [row])
    assert set(of_hosts) == {("prod", "one", "id-cmp-1.example")}
    assert set(of_machines) == {("prod", "one", "77aa")}


@pytest.mark.parametrize(
    ("value", "expected"), [(None, None), (0.0, 0.0), (-0.5, 0.0), (100.4, 100.0), (250.0, None), (-20.0, None)]
)
def test_percentages(value: float | None, expected: float | None) -> None:
    assert prometheus.percentage(value) == expected
