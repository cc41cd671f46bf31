"""The hints feed: nothing lost, at most four answers a second, bounded memory, and the way back after being away."""

from __future__ import annotations

import asyncio
import threading
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.api.changes import RESYNC, ChangeFeed


def data(type_: str, version: int) -> dict:
    return {"topic": "data", "type": type_, "cloud": "c", "version": version}


async def test_the_first_answer_tells_where_to_begin() -> None:
    feed = ChangeFeed(first=100)
    assert await feed.wait(None, 60) == {"seq": 100, "hints": []}
    assert await feed.wait(100, 0) == {"seq": 100, "hints": []}


async def test_a_hint_from_another_thread_wakes_the_client_at_once() -> None:
    feed = ChangeFeed(first=0, interval=30)
    waiting = asyncio.create_task(feed.wait(0, 60))
    await asyncio.sleep(0)
    began = time.monotonic()
    threading.Thread(target=feed.publish, args=("data",), kwargs={"type": "server", "cloud": "c", "version": 7}).start()
    assert await waiting == {"seq": 1, "hints": [data("server", 7)]}
    assert time.monotonic() - began < 10  # the first of a quiet time is not held back for a batch


async def test_a_hint_that_came_before_the_wait_is_answered_at_once() -> None:
    feed = ChangeFeed(first=0)
    feed.publish("engine")
    assert await feed.wait(0, 60) == {"seq": 1, "hints": [{"topic": "engine"}]}
    assert await feed.wait(1, 0.01) == {"seq": 1, "hints": []}


async def test_hints_about_one_thing_replace_each_other() -> None:
    feed = ChangeFeed(first=0, interval=0)
    for version in range(1, 50):
        feed.publish("data", type="server", cloud="c", version=version)
    feed.publish("data", type="volume", cloud="c", version=3)
    feed.publish("collection", id="x")
    found = await feed.wait(0, 1)
    assert found == {"seq": 51, "hints": [data("server", 49), data("volume", 3), {"topic": "collection", "id": "x"}]}
    assert (await feed.wait(49, 1))["hints"] == [data("volume", 3), {"topic": "collection", "id": "x"}]


async def test_at_most_four_answers_a_second_and_nothing_lost() -> None:
    feed = ChangeFeed(first=0)
    stop = threading.Event()

    def publish() -> None:
        version = 0
        while not stop.is_set():
            version += 1
            feed.publish("data", type="server", cloud="c", version=version)
            time.sleep(0.002)

    publisher = threading.Thread(target=publish)
    publisher.start()
    answers, seq, began = [], 0, time.monotonic()
    while time.monotonic() - began < 1.5:
        found = await feed.wait(seq, 5)
        seq = found["seq"]
        answers.append((time.monotonic() - began, found["hints"][0]["version"]))
    stop.set()
    publisher.join()
    assert 2 <= len(answers) <= 1.5 * 4 + 2
    assert all(later[1] > earlier[1] for earlier, later in pairwise(answers))
    last = await feed.wait(seq, 5) if seq < feed.seq else {"hints": [data("server", answers[-1][1])]}
    assert last["hints"][0]["version"] == feed._hints.popitem()[1][2]["version"]


@pytest.mark.parametrize("since", [-1, 0, 99, 205, 10**30])
async def test_numbers_of_another_engine_mean_read_everything(since: int) -> None:
    feed = ChangeFeed(first=100)
    feed.publish("engine")
    assert await feed.wait(since, 60) == {"seq": 101, "hints": [RESYNC]}


async def test_numbers_of_a_restarted_engine_are_higher() -> None:
    assert ChangeFeed().seq >= int(time.time() * 1000) - 1000


async def test_memory_is_bounded_and_a_gap_is_told() -> None:
    feed = ChangeFeed(first=0, capacity=10, interval=0)
    for number in range(25):
        feed.publish("collection", id=str(number))
    assert len(feed._hints) == 10
    assert (await feed.wait(14, 1))["hints"] == [RESYNC]
    found = await feed.wait(15, 1)
    assert [hint["id"] for hint in found["hints"]] == [str(number) for number in range(15, 25)]


async def test_an_empty_answer_after_the_time() -> None:
    feed = ChangeFeed(first=5)
    began = time.monotonic()
    assert await feed.wait(5, 0.05) == {"seq": 5, "hints": []}
    assert time.monotonic() - began >= 0.04
    assert not feed._waiters


async def test_closing_answers_everybody() -> None:
    feed = ChangeFeed(first=5)
    waiting = [asyncio.create_task(feed.wait(5, 60)) for _ in range(20)]
    await asyncio.sleep(0)
    feed.close()
    assert await asyncio.wait_for(asyncio.gather(*waiting), 5) == [{"seq": 5, "hints": []}] * 20
    assert await feed.wait(5, 60) == {"seq": 5, "hints": []}


async def test_clients_that_go_away_leave_nothing_behind() -> None:
    feed = ChangeFeed(first=0)
    waiting = [asyncio.create_task(feed.wait(0, 60)) for _ in range(10)]
    await asyncio.sleep(0)
    assert len(feed._waiters) == 10
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not feed._waiters


def test_a_client_whose_loop_ended_does_not_hurt_the_publisher() -> None:
    feed = ChangeFeed(first=0)
    loop = asyncio.new_event_loop()
    task = loop.create_task(feed.wait(0, 60))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert feed.publish("engine") == 1
    del task


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.integers(0, 5), st.just("read")), max_size=60),
    st.integers(1, 4),
)
def test_a_reader_that_follows_the_answers_misses_nothing(steps: list, capacity: int) -> None:
    """Whatever is published between reads, the reader learns of every thing's newest version, or is told to resync."""

    async def run() -> None:
        feed = ChangeFeed(first=0, capacity=capacity, interval=0)
        truth: dict[str, int] = {}
        seen: dict[str, int] = {}
        seq = 0
        for number, step in enumerate([*steps, "read"]):
            if step != "read":
                truth[str(step)] = number
                feed.publish("data", type=str(step), version=number)
                continue
            found = await feed.wait(seq, 0)
            seq = found["seq"]
            for hint in found["hints"]:
                if hint == RESYNC:
                    seen = dict(truth)
                else:
                    seen[hint["type"]] = hint["version"]
            assert seen == truth

    asyncio.run(run())
