"""Measuring as a whole: the best source that answers, what is kept and how much, and what a new engine knows of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.dashboard import measuring, prometheus
from engine.dashboard.measuring import Measuring, busiest, samples
from engine.dashboard.prometheus import PrometheusError, Series
from engine.dashboard.utilisation import Measurements, Reading
from engine.settings.models import Metrics
from store.estate.reading.models import Scope
from tests.engine.dashboard.company import Firm, server
from tests.engine.dashboard.test_diagnostics import Nova, answer
from tests.engine.tenants.company import NOW

HOST = ("prod", "RegionOne", "cmp-1")


class Clouds(Nova):
    def names(self) -> list[str]:
        return ["prod"]


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Firm]:
    firm = Firm(tmp_path)
    yield firm
    firm.close()


def measuring_of(firm: Firm, answers: dict[str, Any] | None = None) -> tuple[Measuring, Clouds]:
    clouds: Any = Clouds(answers or {})
    return Measuring(firm.reads, clouds, firm.measurements, lambda: firm.settings.metrics), clouds


def stored(firm: Firm) -> dict[tuple[str, str], int]:
    with firm.estate.reader() as connection:
        sql = "SELECT type, metric, count(*) FROM samples WHERE contains(metric, ':') GROUP BY ALL"
        return {(type, metric): count for type, metric, count in connection.execute(sql).fetchall()}


def test_prometheus_first(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Series({"instance": "cmp-1", "domain": server(1)["id"]}, 55.0)
    monkeypatch.setattr(prometheus.Prometheus, "query", lambda self, promql: [row])
    firm.measure(prometheus_url="http://127.0.0.1:1")
    by, clouds = measuring_of(firm)
    assert by.measure() == "prometheus" and clouds.asked == []
    assert firm.measurements.choose("hypervisor", Scope()).readings == {HOST: Reading(55.0, 55.0, NOW)}
    assert stored(firm) == {
        ("hypervisor", "cpu:prometheus"): 1, ("hypervisor", "memory:prometheus"): 1, ("server", "cpu:prometheus"): 1,
        ("server", "memory:prometheus"): 1,
    }  # fmt: skip
    again = Measurements(firm.reads, lambda: firm.settings.metrics)
    assert again.choose("hypervisor", Scope()).readings == {HOST: Reading(55.0, 55.0, NOW)}, "after a restart"
    assert again.choose("hypervisor", Scope(clouds=("other",))).source == "allocation"
    firm.now = NOW + timedelta(minutes=16)
    assert again.choose("hypervisor", Scope()).source == "allocation", "what is old is no measurement"


def test_nova_when_prometheus_does_not_answer(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any, promql: str) -> list[Series]:
        raise PrometheusError("it refused")

    monkeypatch.setattr(prometheus.Prometheus, "query", refuse)
    firm.measure(prometheus_url="http://127.0.0.1:1")
    by, clouds = measuring_of(firm, {})
    assert by.measure() == "nova", "memory is told at once"
    chosen = firm.measurements.choose("server", Scope())
    assert chosen.sentence.endswith("(Prometheus: it refused)")
    assert len(clouds.asked) == 3, "only machines that run"
    assert {reading.memory for reading in chosen.readings.values()} == {25.0}
    # All three run on cmp-1 and have 2048 MiB each, of 262144.
    host = firm.measurements.choose("hypervisor", Scope()).readings[HOST]
    assert host.memory == pytest.approx(100 * 3 * 512 / 262144) and host.cpu is None


def test_settings_are_obeyed(firm: Firm) -> None:
    for metrics in ({"source": "allocation"}, {"nova_calls": 0}, {"source": "prometheus"}):
        firm.measure(**metrics)
        by, clouds = measuring_of(firm)
        assert by.measure() is None and clouds.asked == []
    firm.measure(source="nova")
    denied = {server(n)["id"]: (403, {"forbidden": {"message": "Policy does not allow"}}) for n in (1, 2, 3)}
    by, _ = measuring_of(firm, denied)
    assert by.measure() is None
    assert "not permitted" in firm.measurements.choose("server", Scope()).sentence
    by, _ = measuring_of(firm, {server(n)["id"]: (200, answer(1, used=None)) for n in (1, 2, 3)})
    assert by.measure() is None
    assert "no machine has told anything yet" in firm.measurements.choose("server", Scope()).sentence
    assert stored(firm) == {}


def test_prometheus_of_other_hosts_says_so(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus.Prometheus, "query", lambda self, promql: [Series({"instance": "stranger"}, 5.0)])
    firm.measure(source="prometheus", prometheus_url="http://127.0.0.1:1")
    by, _ = measuring_of(firm)
    assert by.measure() is None
    assert firm.measurements.choose("hypervisor", Scope()).sentence.endswith(
        "(Prometheus: it knows none of these hosts and machines)"
    )


def test_only_the_busiest_machines_are_kept(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = {("prod", "r", f"{n:03}"): Reading(float(n % 10), float(n), NOW) for n in range(90)}
    readings |= {("two", "r", "x"): Reading(None, 1.0, NOW), ("two", "r", "y"): Reading(None, None, NOW)}
    found = busiest(readings, 3)
    assert {key[2] for key in found if key[0] == "prod"} == {"009", "019", "029", "087", "088", "089"}
    assert {key[2] for key in found if key[0] == "two"} == {"x"}
    assert [row[4:] for row in samples("server", "nova", {("two", "r", "x"): readings["two", "r", "x"]})] == [
        ("memory:nova", NOW, 1.0)
    ]
    monkeypatch.setattr(measuring, "KEPT_MACHINES", 1)
    rows = [Series({"domain": server(n)["id"]}, 10.0 * n) for n in (1, 2, 3)]
    monkeypatch.setattr(prometheus.Prometheus, "query", lambda self, promql: rows)
    firm.measure(prometheus_url="http://127.0.0.1:1")
    by, _ = measuring_of(firm)
    assert by.measure() == "prometheus"
    assert stored(firm) == {("server", "cpu:prometheus"): 1, ("server", "memory:prometheus"): 1}
    assert len(firm.measurements.choose("server", Scope()).readings) == 3, "in memory are all"


def test_the_last_measurement_of_each_is_what_counts(firm: Firm) -> None:
    metrics = Metrics(prometheus_url="http://127.0.0.1:1")
    measurements = Measurements(firm.reads, lambda: metrics)
    measurements.take_in("hypervisor", "prometheus", {HOST: Reading(1.0, 1.0, NOW - timedelta(minutes=10))})
    other = ("prod", "RegionOne", "cmp-2")
    measurements.take_in("hypervisor", "prometheus", {other: Reading(2.0, 2.0, NOW)})
    chosen = measurements.choose("hypervisor", Scope())
    assert set(chosen.readings) == {HOST, other} and chosen.at == NOW
    firm.now = NOW + timedelta(minutes=6)
    assert set(measurements.choose("hypervisor", Scope()).readings) == {other}
