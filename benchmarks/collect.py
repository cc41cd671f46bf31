"""Collecting: CPU of the engine against openstacksdk's objects, wall time against a bare download, growth.

`python -m benchmarks.collect [--quick] [--json FILE]`. Pages come as ready bytes from another process
(benchmarks.page_server); every measurement runs in a child process of its own, so CPU, memory and caches are its own.
Comparisons alternate (A B A B) and are given as the median of the ratios of neighbours.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.harness import machine, seconds, single, table

WHOLE = {"servers": 20_000, "volumes": 30_000, "ports": 40_000, "snapshots": 10_000}
TYPES = {"servers": "server", "volumes": "volume", "ports": "port", "snapshots": "snapshot"}
PATHS = (
    "/compute/v2.1/servers/detail",
    "/volume/v3/volumes/detail",
    "/network/v2.0/ports",
    "/volume/v3/snapshots/detail",
)
SAMPLE = 20  # the SDK gets one row in so many; its cost per row does not depend on their number


@contextlib.contextmanager
def pages(counts: dict[str, int], delay: float = 0.0) -> Iterator[dict[str, Any]]:
    """A running page server: {"auth_url", "port"}."""
    command = [sys.executable, "-m", "benchmarks.page_server", "--delay", str(delay)]
    for name in WHOLE:
        command += [f"--{name}", str(counts.get(name, 0))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(10)


def child(what: str, cloud: dict[str, Any], *arguments: str) -> dict[str, Any]:
    """Run one measurement in a process of its own; answers what it printed."""
    command = [sys.executable, "-m", "benchmarks.collect", "--child", what, "--auth-url", cloud["auth_url"], *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=1800)
    return json.loads(done.stdout.splitlines()[-1])


# In the child


def clouds_yaml(folder: Path, auth_url: str) -> Path:
    """A clouds.yaml with the entry "bench"."""
    auth = {"auth_url": auth_url, "username": "bench", "password": "none", "project_name": "admin"}
    auth |= {"user_domain_id": "default", "project_domain_id": "default"}
    file = folder / "clouds.yaml"
    file.write_text(json.dumps({"clouds": {"bench": {"auth": auth, "region_name": "one"}}}))
    return file


def usage() -> dict[str, float]:
    """CPU seconds of this process and its children so far, and its peak memory in MB."""
    import resource

    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    return {"cpu": cpu, "memory": own.ru_maxrss / 1024}


def run_collect(auth_url: str, rounds: int) -> dict[str, Any]:
    """Collect `rounds` times into an empty store, each time whole."""
    import logging
    import threading

    import structlog

    from engine.clouds import entries
    from engine.clouds.accounts import Account
    from engine.clouds.service import Connected
    from engine.clouds.session import CloudSession
    from engine.inventory.collector.calls import Patience
    from engine.inventory.collector.run import Memory, Request, Run
    from engine.inventory.collector.tasks import Options
    from store.estate.estate import Estate
    from store.types import registry

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))

    def connect(account: Account) -> Connected:
        session = CloudSession(account.entry)
        return Connected(account, session, session.login())

    # What the engine's parent has loaded before it forks the worker is no cost of a collection.
    for module in (
        "openstack.config.loader",
        "keystoneauth1.identity",
        "pyarrow.compute",
        "pyarrow.dataset",
        "requests",
    ):
        importlib.import_module(module)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        file = clouds_yaml(Path(folder), auth_url)
        entry = entries.find("bench", file)
        account = Account("1", "bench", "bench", auth_url, file, auth_url)
        with Estate.open(Path(folder) / "estate.duckdb", types=registry.ALL) as estate:
            assert account.entry.name == entry.name
            for _ in range(rounds):
                before, began = usage(), time.monotonic()
                run = Run(
                    estate,
                    Request("bench", full=True),
                    [account],
                    connect,
                    Options(),
                    Patience(),
                    Memory(),
                    threading.Event(),
                )
                state = run.run()
                wall, after = time.monotonic() - began, usage()
                rows = {name: run.progress[(type, "one")] for name, type in TYPES.items()}
                results.append(
                    {
                        "state": state,
                        "cpu": after["cpu"] - before["cpu"],
                        "wall": wall,
                        "memory": after["memory"],
                        "rows": sum(row.rows for row in rows.values()),
                        "versions": sum(row.new + row.changed for row in run.progress.values()),
                    }
                )
    return {"rounds": results}


def run_sdk(auth_url: str) -> dict[str, Any]:
    """The same lists through openstacksdk's resource objects; CPU seconds per list."""
    import openstack

    connection = openstack.connection.Connection(
        auth={"auth_url": auth_url, "username": "bench", "password": "none", "project_name": "admin",
              "user_domain_id": "default", "project_domain_id": "default"},
        region_name="one",
    )  # fmt: skip
    lists = {
        "servers": lambda: connection.compute.servers(details=True, all_projects=True, limit=1000),
        "volumes": lambda: connection.block_storage.volumes(details=True, all_projects=True, limit=1000),
        "ports": lambda: connection.network.ports(limit=1000),
        "snapshots": lambda: connection.block_storage.snapshots(details=True, all_projects=True, limit=1000),
    }
    found: dict[str, Any] = {}
    for name, read in lists.items():
        before = usage()["cpu"]
        found[name] = {"rows": sum(1 for _ in read()), "cpu": usage()["cpu"] - before}
    return found


def run_download(auth_url: str) -> dict[str, Any]:
    """Nothing but the bytes: the four lists side by side, each page after the other. CPU and wall seconds."""
    import re
    import threading

    import urllib3

    base = auth_url.rsplit("/", 2)[0]
    pool = urllib3.PoolManager(maxsize=len(PATHS))
    after = re.compile(rb'marker=([^"&]+)"')

    def one(path: str) -> None:
        url: str | None = f"{base}{path}"
        while url:
            data = pool.request("GET", url).data
            found = after.search(data, max(0, len(data) - 300))
            url = f"{base}{path}?marker={found.group(1).decode()}" if found else None

    before, began = usage()["cpu"], time.monotonic()
    threads = [threading.Thread(target=one, args=(path,)) for path in PATHS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"cpu": usage()["cpu"] - before, "wall": time.monotonic() - began}


# In the parent


def against_the_sdk(scale: int, pairs: int) -> dict[str, Any]:
    """CPU of a first and an unchanged collection, and of the SDK's objects for the same rows."""
    counts = {name: count // scale for name, count in WHOLE.items()}
    few = {name: max(100, count // SAMPLE) for name, count in counts.items()}
    ours, theirs = [], []
    with pages(counts) as cloud, pages(few) as sample:
        for _ in range(pairs):
            ours.append(child("collect", cloud, "--rounds", "2")["rounds"])
            found = child("sdk", sample)
            theirs.append(sum(found[name]["cpu"] / found[name]["rows"] * counts[name] for name in counts))
    first, again = [pair[0] for pair in ours], [pair[1] for pair in ours]
    assert all(one["state"] == "done" and one["rows"] == sum(counts.values()) for one in first), first
    return {
        "rows": first[0]["rows"],
        "first_cpu": statistics.median(one["cpu"] for one in first),
        "first_wall": statistics.median(one["wall"] for one in first),
        "memory": max(one["memory"] for one in first),
        "unchanged_cpu": statistics.median(one["cpu"] for one in again),
        "unchanged_versions": max(one["versions"] for one in again),
        "sdk_cpu": statistics.median(theirs),
        "sdk_times": statistics.median(b / a["cpu"] for a, b in zip(first, theirs, strict=True)),
    }


def against_a_download(scale: int, pairs: int) -> dict[str, Any]:
    """Wall time with 200 ms added to every page, against the bare parallel download."""
    counts = {name: count // scale for name, count in WHOLE.items()}
    ours, bare = [], []
    with pages(counts, 0.2) as cloud:
        for _ in range(pairs):
            ours.append(child("collect", cloud, "--rounds", "1")["rounds"][0]["wall"])
            bare.append(child("download", cloud)["wall"])
    return {
        "wall": statistics.median(ours),
        "download_wall": statistics.median(bare),
        "times": statistics.median(a / b for a, b in zip(ours, bare, strict=True)),
    }


def growth(scale: int) -> list[dict[str, Any]]:
    """How CPU, wall time and memory grow with the number of servers (each with a volume and two ports)."""
    found = []
    for servers in (12_500 // scale, 25_000 // scale, 50_000 // scale):
        counts = {"servers": servers, "volumes": servers, "ports": 2 * servers, "snapshots": servers // 2}
        with pages(counts) as cloud:
            first, again = child("collect", cloud, "--rounds", "2")["rounds"]
        row = {name: round(first[name], 2) for name in ("cpu", "wall", "memory")}
        found.append({"servers": servers, "rows": first["rows"], **row, "unchanged_cpu": round(again["cpu"], 2)})
    return found


def report(results: dict[str, Any]) -> str:
    """The results as tables."""
    sdk, download = results["against_the_sdk"], results["against_a_download"]
    versions, times = sdk["unchanged_versions"], sdk["sdk_times"]
    rows = [
        [f"{sdk['rows']:,} rows, first collection (cpu)", seconds(sdk["first_cpu"]), seconds(sdk["sdk_cpu"]),
         f"{1 / times:.3f}", f"ratio {1 / 20}, 6 s", "met" if times >= 20 and sdk["first_cpu"] <= 6 else "MISSED"],
        single("the same, wall and memory", f"{seconds(sdk['first_wall'])}, {sdk['memory']:.0f} MB"),
        single("unchanged again (cpu)", seconds(sdk["unchanged_cpu"]), "4 s", sdk["unchanged_cpu"] < 4),
        single("versions written by it", str(versions), "0", versions == 0),
        ["200 ms a page, beside the bare parallel download (wall)", seconds(download["wall"]),
         seconds(download["download_wall"]), f"{download['times']:.3f}", "ratio 1.3",
         "met" if download["times"] <= 1.3 else "MISSED"],
    ]  # fmt: skip
    head = ("Servers", "Rows", "CPU s", "Wall s", "Memory MB", "Unchanged, CPU s")
    grown = [[f"{value:,}" for value in row.values()] for row in results["growth"]]
    return f"{machine()}\n\n{table(rows)}\n\n{table(grown, head)}"


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the rows, one pair: does it run?")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--child", choices=["collect", "sdk", "download"], help=argparse.SUPPRESS)
    parser.add_argument("--auth-url", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        work = {"collect": lambda: run_collect(options.auth_url, options.rounds)}
        work |= {"sdk": lambda: run_sdk(options.auth_url), "download": lambda: run_download(options.auth_url)}
        print(json.dumps(work[options.child]()))
        return
    scale, pairs = (20, 1) if options.quick else (1, 2)
    results = {
        "against_the_sdk": against_the_sdk(scale, pairs),
        "against_a_download": against_a_download(scale, pairs),
        "growth": growth(scale),
    }
    print(report(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
