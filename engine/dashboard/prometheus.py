"""Utilisation out of Prometheus: PromQL asked over HTTP, and its series matched with hosts and machines.

What it answers is not trusted: its size is bounded, values that are no percentages are dropped, and a series that fits
several resources fits none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.dashboard.utilisation import Key, Reading
from engine.settings.secrets import SecretUnreadable, read_secret

if TYPE_CHECKING:
    from engine.settings.models import Metrics

MOST_BYTES = 64 << 20
SECONDS = 20.0
_PORT = re.compile(r":\d{1,5}$")


class PrometheusError(Exception):
    """It could not be asked, or did not answer as it should: one clear sentence."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an instant answer: its labels and value."""

    labels: Mapping[str, str]
    value: float


class Prometheus:
    """Asks the API of one address."""

    def __init__(self, settings: Metrics, *, seconds: float = SECONDS) -> None:
        self._settings = settings
        self._seconds = seconds

    def query(self, promql: str) -> list[Series]:
        """The instant answer to a query. Raises PrometheusError."""
        import httpx
        import orjson

        settings = self._settings
        url = f"{settings.prometheus_url}/api/v1/query"
        verify = str(settings.prometheus_ca) if settings.prometheus_ca else True
        try:
            headers = {}
            if settings.prometheus_token:
                headers["Authorization"] = f"Bearer {read_secret(settings.prometheus_token)}"
            with (
                httpx.Client(timeout=self._seconds, verify=verify, follow_redirects=False, trust_env=False) as client,
                client.stream("GET", url, params={"query": promql}, headers=headers) as answer,
            ):
                body = bytearray()
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise PrometheusError(f"its answer is larger than {MOST_BYTES >> 20} MiB; narrow the query")
                status = answer.status_code
            found = orjson.loads(body)
        except SecretUnreadable as error:
            raise PrometheusError(str(error)) from None
        except httpx.TimeoutException:
            raise PrometheusError(f"it did not answer within {self._seconds:g} s") from None
        except (httpx.HTTPError, OSError) as error:
            raise PrometheusError(f"it cannot be asked: {_plain(error)}") from None
        except orjson.JSONDecodeError:
            raise PrometheusError(f"what answers there is no Prometheus (HTTP {status})") from None
        return _series(found, status)


def _series(found: Any, status: int) -> list[Series]:
    if not isinstance(found, dict) or found.get("status") not in ("success", "error"):
        raise PrometheusError(f"what answers there is no Prometheus (HTTP {status})")
    if found["status"] == "error":
        raise PrometheusError(f"it refused the query: {_plain(found.get('error') or found.get('errorType'))}")
    data = found.get("data")
    rows = data.get("result") if isinstance(data, dict) else None
    if not isinstance(rows, list) or data.get("resultType") != "vector":  # type: ignore[union-attr]
        raise PrometheusError("the query answers no vector of values by host or machine")
    series = []
    for row in rows:
        labels, value = (row.get("metric"), row.get("value")) if isinstance(row, dict) else (None, None)
        if not isinstance(labels, dict) or not isinstance(value, list) or len(value) != 2:
            continue
        try:
            number = float(value[1])
        except (TypeError, ValueError):
            continue
        if math.isfinite(number):
            series.append(Series({str(name): str(text) for name, text in labels.items()}, number))
    return series


def _plain(what: object) -> str:
    text = " ".join(str(what).split())[:160]
    return "".join(character if character.isprintable() else "?" for character in text) or type(what).__name__


def host_names(host: Mapping[str, Any]) -> set[str]:
    """Everything that a series may call the host, in lower case: names with and without their domain, and address."""
    names = {str(host[name]).lower() for name in ("name", "service_host", "host_ip") if host[name]}
    return names | {name.split(".")[0] for name in names if not _is_address(name)}


def _is_address(name: str) -> bool:
    return bool(re.fullmatch(r"[\d.]+|[0-9a-f:]+", name))


def label_names(value: str) -> tuple[str, ...]:
    """What a label may mean, the surest first: "cmp-1.example:9100" is cmp-1.example, else cmp-1."""
    name = _PORT.sub("", value.strip().lower()).strip("[]")
    short = name if _is_address(name) else name.split(".")[0]
    return (name, short) if short != name else (name,)


def by_host(series: Iterable[Series], label: str, hosts: Iterable[Mapping[str, Any]]) -> dict[Key, float]:
    """Value by host; a name that several hosts have is nobody's."""
    known: dict[str, set[Key]] = {}
    for host in hosts:
        for name in host_names(host):
            known.setdefault(name, set()).add((host["cloud"], host["region"], host["id"]))
    found: dict[Key, float] = {}
    for one in series:
        for name in label_names(one.labels.get(label, "")):
            keys = known.get(name, set())
            if keys:
                if len(keys) == 1:
                    found[next(iter(keys))] = one.value
                break
    return found


def by_machine(
    series: Iterable[Series], label: str, host_label: str, machines: Iterable[Mapping[str, Any]]
) -> dict[Key, float]:
    """Value by machine, by its id or its name at the hypervisor; of several with one name that on the series' host."""
    known: dict[str, list[Mapping[str, Any]]] = {}
    for machine in machines:
        for name in (machine["id"], machine["instance_name"]):
            if name:
                known.setdefault(str(name).lower(), []).append(machine)
    found: dict[Key, float] = {}
    for one in series:
        fits = known.get(one.labels.get(label, "").strip().lower(), [])
        if len(fits) > 1:
            at = label_names(one.labels.get(host_label, ""))
            fits = [machine for machine in fits if any(name in _places(machine) for name in at)]
        if len(fits) == 1:
            found[fits[0]["cloud"], fits[0]["region"], fits[0]["id"]] = one.value
    return found


def _places(machine: Mapping[str, Any]) -> set[str]:
    return host_names({"name": machine["host"], "service_host": machine["service_host"], "host_ip": None})


Rows = Iterable[Mapping[str, Any]]


def measure(
    settings: Metrics, hosts: Rows, machines: Rows, now: datetime, ask: Callable[[str], list[Series]] | None = None
) -> tuple[dict[Key, Reading], dict[Key, Reading]]:
    """(readings of hosts, readings of machines) as of now. Raises PrometheusError when nothing could be asked."""
    query = ask or Prometheus(settings).query
    hosts, machines = list(hosts), list(machines)
    if settings.cloud:
        hosts = [host for host in hosts if host["cloud"] == settings.cloud]
        machines = [machine for machine in machines if machine["cloud"] == settings.cloud]

    def of_hosts(promql: str) -> dict[Key, float]:
        return by_host(query(promql), settings.host_label, hosts)

    def of_machines(promql: str) -> dict[Key, float]:
        return by_machine(query(promql), settings.vm_label, settings.host_label, machines)

    return (
        _readings(of_hosts(settings.host_cpu), of_hosts(settings.host_memory), now),
        _readings(of_machines(settings.vm_cpu), of_machines(settings.vm_memory), now),
    )


def _readings(cpu: Mapping[Key, float], memory: Mapping[Key, float], now: datetime) -> dict[Key, Reading]:
    return {key: Reading(percentage(cpu.get(key)), percentage(memory.get(key)), now) for key in {*cpu, *memory}}


def percentage(value: float | None) -> float | None:
    """0 to 100; a little more is rounding, much more or less is no percentage."""
    if value is None or not -1.0 <= value <= 110.0:
        return None
    return min(100.0, max(0.0, value))
