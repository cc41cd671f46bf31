"""History that came in newest part first is the history that came in its order."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.estate import consistency
from store.estate.documents import BLOB_BYTES
from store.estate.earlier import Prepended, prepend
from store.estate.estate import Estate
from tests.store.estate.cloud import MEMBER, collect, open_estate, rows, thing

COUNT = 9  # resources: fewer than the ten that make a list suspect when they vanish at once
folders = itertools.count()

World = dict[int, int]  # number -> its size
worlds = st.dictionaries(st.integers(0, COUNT - 1), st.integers(1, 3), max_size=COUNT)


def history(estate: Estate) -> list[tuple[Any, ...]]:
    """Everything that versions and listings say, but for the order of lists and numbers that are no news."""
    versions = rows(
        estate,
        """SELECT t.id, valid_from, valid_to, name, size, used, list_sort(tags), denied, scope, endpoint, roles,
               json_merge_patch(doc, '{"used": null, "tags": null}')
        FROM thing_versions t JOIN visibilities s ON s.id = t.seen_visibility ORDER BY t.id, valid_from""",
    )
    listings = rows(estate, "SELECT started_at, kind, state, rows FROM listings ORDER BY started_at")
    samples = rows(estate, "SELECT id, metric, taken_at, value FROM samples ORDER BY ALL")
    blobs = rows(estate, "SELECT u.id, b.* FROM blob_uses u JOIN blobs b USING (hash) ORDER BY ALL")
    return [*versions, *listings, *samples, *blobs]


def listed(estate: Estate, minute: int, world: World) -> None:
    # Lists come in another order every time; `used` is no reason for a version.
    docs = [
        thing(number, size=size, used=minute, tags=["a", "b"] if minute % 2 else ["b", "a"])
        for number, size in world.items()
    ]
    assert collect(estate, minute, docs).state == "ok"


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(worlds, min_size=2, max_size=6), cuts=st.sets(st.integers(1, 5), max_size=3))
def test_it_does_not_matter_in_which_order_the_parts_came(tmp_path: Path, story: list[World], cuts: set[int]) -> None:
    folder = tmp_path / str(next(folders))
    places = [0, *sorted(cut for cut in cuts if cut < len(story)), len(story)]
    parts = [range(*pair) for pair in itertools.pairwise(places)]
    for name in ("straight", "behind", *map(str, parts)):
        (folder / name).mkdir(parents=True)
    with open_estate(folder / "straight") as straight, open_estate(folder / "behind") as behind:
        for minute, world in enumerate(story):
            listed(straight, minute, world)
        for minute in parts[-1]:
            listed(behind, minute, story[minute])
        for numbers in reversed(parts[:-1]):
            with open_estate(folder / str(numbers)) as part:
                for minute in numbers:
                    listed(part, minute, story[minute])
                prepend(behind, part, "cloud")
                # Put in again after a crash: nothing comes twice.
                assert prepend(behind, part, "cloud") == Prepended(known=("thing",))
        assert history(behind) == history(straight)
        with behind.reader() as connection:
            assert not consistency.check(connection)


def test_what_was_kept_apart_and_who_saw_it_come_along(tmp_path: Path) -> None:
    large = "x" * (BLOB_BYTES + 1)
    for name in ("now", "then"):
        (tmp_path / name).mkdir()
    with open_estate(tmp_path / "now") as estate, open_estate(tmp_path / "then") as part:
        collect(part, 0, [thing(1, note=large), thing(2)], visibility=MEMBER)
        collect(estate, 5, [thing(1, note="short")])
        moved: list[tuple[str, str, int]] = []
        estate.on_change(lambda *what: moved.append(what))
        assert prepend(estate, part, "cloud").versions == 2
        assert [what[:2] for what in moved] == [("cloud", "thing")]
        assert rows(estate, "SELECT value FROM blobs") == [(large,)]
        (doc,) = rows(estate, "SELECT doc FROM thing_versions WHERE id = 'id-1' AND valid_to IS NOT NULL")
        assert json.loads(doc[0])["note"].startswith("sha256:")
        query = """SELECT v.user_id FROM thing_versions t JOIN visibilities v ON v.id = t.seen_visibility
            ORDER BY valid_from, t.id"""
        assert rows(estate, query) == [("member",), ("member",), ("admin",)]


def test_a_type_that_was_never_seen_whole_gets_no_past(tmp_path: Path) -> None:
    for name in ("now", "then"):
        (tmp_path / name).mkdir()
    with open_estate(tmp_path / "now") as estate, open_estate(tmp_path / "then") as part:
        collect(part, 0, [thing(1)])
        collect(estate, 5, [thing(1)], broken="failed")
        assert prepend(estate, part, "cloud") == Prepended()


def test_rows_that_only_a_later_whole_listing_showed_join_too(tmp_path: Path) -> None:
    """The first listing broke off; the next one was whole: up to it nothing had ended."""
    story = [([thing(1), thing(2), thing(3)], ""), ([thing(1)], "partial"), ([thing(1), thing(2, size=9)], "")]
    for name in ("now", "then", "straight"):
        (tmp_path / name).mkdir()
    with (
        open_estate(tmp_path / "now") as estate,
        open_estate(tmp_path / "then") as part,
        open_estate(tmp_path / "straight") as straight,
    ):
        for minute, (docs, broken) in enumerate(story):
            collect(straight, minute, docs, broken=broken)
            collect(estate if minute else part, minute, docs, broken=broken)
        prepend(estate, part, "cloud")
        assert history(estate) == history(straight)
