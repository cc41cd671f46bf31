"""What is kept of compliance: a day's record and its trend, the nightly report and its files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from engine.access.models import Caller
from engine.settings.models import Settings
from store.estate.reading.capacity_history import days_of
from store.estate.reading.models import Scope
from tests.engine.api.furniture import ADMIN
from tests.engine.inventory.reading import DOCUMENTS
from tests.engine.snapshots.compliance.place import NOW, Place, days, made, take_in, volume

ASKED = {"auto_snapshot": "true", "snapshot_policies": "daily_5"}
LIMITED = Caller(name="v", role="viewer", projects=("p2",), via="embedded")
DOMAIN = Caller(name="d", role="viewer", domains=("d1",), via="embedded")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    place.snapshots(made(1, 1, "p1", days(0.5)), made(2, 5, "p2", days(0.4)))
    yield place
    place.close()


async def download(place: Place, caller: Caller = ADMIN, **query: Any) -> httpx.Response:
    async with place.as_(caller) as asking:
        answer = await asking.get("/q/snapshot/compliance/report", params=query)
    assert answer.status_code == 200, answer.text
    return answer


async def test_a_day_is_recorded_once_and_brought_up_to_date(place: Place) -> None:
    trend = place.room.trend
    assert trend.last(NOW) is None
    trend.record(NOW - timedelta(days=1))
    assert trend.record(NOW) == trend.record(NOW) == 4, "two tenants, each with its volumes and one policy"
    yesterday, today = trend.days(Scope(), days_of(NOW, 2))
    assert today is not None and yesterday is not None
    assert (today.rows.compliant, today.rows.missing, today.volumes.total) == (2, 1, 3)
    place.snapshots()
    trend.record(NOW + timedelta(hours=3))
    again = trend.days(Scope(), days_of(NOW, 1))[0]
    assert again is not None and (again.rows.compliant, again.rows.missing) == (0, 3), "the last of a day is its end"
    assert trend.days(Scope(), days_of(NOW, 2))[0] == yesterday, "a day that is over stays as it was"
    assert trend.days(Scope(), days_of(NOW, 4))[:2] == [None, None]


async def test_the_trend_within_a_role(place: Place) -> None:
    for back in range(1, 4):
        place.room.trend.record(NOW - timedelta(days=back))
    answer = await place.get("/q/snapshot/compliance/trend", days=6)
    assert [(day["date"], day["recorded"]) for day in answer["trend"]] == [
        ("2026-11-15", False), ("2026-11-16", False), ("2026-11-17", True), ("2026-11-18", True), ("2026-11-19", True),
        ("2026-11-20", True),
    ]  # fmt: skip
    assert answer["trend"][0]["rows"] is None, "nobody judged then: not known, and not 0"
    assert answer["trend"][-2]["rows"]["compliance_pct"] == answer["trend"][-1]["rows"]["compliance_pct"] == 66.7
    for caller, percent in ((LIMITED, 100.0), (DOMAIN, 50.0)):
        mine = await place.get("/q/snapshot/compliance/trend", caller, days=2)
        assert [day["volumes"]["compliance_pct"] for day in mine["trend"]] == [percent, percent]
    none = await place.get("/q/snapshot/compliance/trend", days=2, policy="weekly_4")
    assert none["trend"][0]["rows"]["total"] == 0, "judged, and no volume had that policy"
    overview = await place.get("/q/snapshot/compliance/summary")
    (policy,) = overview["policies"]
    assert policy["trend"][-4:] == [66.7, 66.7, 66.7, 66.7] and policy["trend"][0] is None


async def test_what_is_too_old_goes(place: Place) -> None:
    place.room.trend.record(NOW - timedelta(days=401))
    place.room.trend.record(NOW)
    assert place.room.trend.days(Scope(), days_of(NOW - timedelta(days=401), 1)) == [None]


async def test_the_night(place: Place) -> None:
    """Every hour a record, once a day a report, files that go in time; and a clock that was set back."""
    nightly, reports = place.room.nightly, place.room.reports
    start = NOW.replace(hour=0, minute=10)
    written: list[int] = []
    for minutes in range(0, 24 * 60, 20):
        place.now = start + timedelta(minutes=minutes)
        before = place.room.trend.last(place.now)
        nightly.tick(place.now)
        written.append(int(place.room.trend.last(place.now) != before))
        assert (reports.newest() is not None) == (place.now.hour >= 6)
    assert sum(written) == 24
    names = sorted(path.name for path in reports.folder.iterdir())
    assert names == ["compliance-2026-11-20.csv", "compliance-2026-11-20.xlsx"], "nothing half-written is left"
    place.now = start - timedelta(hours=2)
    nightly.tick(place.now)
    assert place.room.trend.last(place.now) == place.now, "a clock that was set back does not stop the records"
    own = reports.folder / "compliance-mine.csv"
    own.write_text("kept")
    for back in range(1, 100):
        place.now = start + timedelta(days=back, hours=7)
        nightly.tick(place.now)
    files = sorted(path.name for path in reports.folder.glob("compliance-2*.csv"))
    assert len(files) == 90 and files[0] == "compliance-2026-11-30.csv"
    assert own.read_text() == "kept", "what somebody put there is his"


async def test_no_reports_when_none_are_kept(place: Place) -> None:
    place.settings = Settings.model_validate({"reports": {"keep_days": 0}})
    place.room.nightly.tick(NOW)
    assert not place.room.reports.folder.exists()
    assert place.room.trend.last(NOW) == NOW, "the trend is kept all the same"


async def test_a_report_that_cannot_be_written_is_told_and_made_later(place: Place) -> None:
    folder = place.room.reports.folder
    folder.write_text("in the way")
    place.room.nightly.tick(NOW)
    assert str(folder) in (place.room.nightly.problem or "")
    folder.unlink()
    place.room.nightly.tick(NOW)
    assert place.room.nightly.problem is None and place.room.reports.newest() == NOW.date()


async def test_a_workbook_with_five_sheets(place: Place) -> None:
    answer = await download(place)
    assert answer.headers["x-qdeck-rows"] == "3"
    assert answer.headers["content-disposition"] == 'attachment; filename="compliance-20261120-1530.xlsx"'
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["Summary", "Volumes", "Tenants", "Domains", "Policies"]
    head, *rows = book["Volumes"].iter_rows(values_only=True)
    assert "last_snapshot_at UTC" in head and len(rows) == 3
    tenants = list(book["Tenants"].iter_rows(values_only=True))
    assert [row[2] for row in tenants[1:]] == ["acme-prod", "labs-dev"], "the least compliant first"
    summary = {row[0]: row[1:] for row in book["Summary"].iter_rows(values_only=True)}
    assert summary["compliant"] == (2, 2) and summary["volumes without a policy"] == (None, 2)


@pytest.mark.parametrize("by", ["rows", "volume", "tenant", "domain", "policy"])
async def test_a_table_in_every_format(place: Place, by: str) -> None:
    listed = await place.get("/q/snapshot/compliance", by=by, status=["compliant", "missing"])
    rows = list(csv.DictReader(io.StringIO((await download(place, by=by, format="csv")).text)))
    found = (await download(place, by=by, format="json")).json()
    assert len(rows) == len(found) == listed["total"]
    assert list(rows[0]) == list(found[0])
    limited = list(csv.DictReader(io.StringIO((await download(place, LIMITED, by=by, format="csv")).text)))
    assert len(limited) == 1


async def test_names_from_clouds_are_never_formulas(place: Place) -> None:
    evil = '=HYPERLINK("http://x","y")'
    projects = [{**DOCUMENTS["project"][0], "name": "@SUM(1)"}]
    take_in(place.estate, "project", projects, NOW)
    take_in(place.estate, "volume", [volume(1, "p1", metadata=ASKED, name=evil),
                                     volume(2, "p1", metadata=ASKED, name="a\x1b[31m\u202eb")], NOW)  # fmt: skip
    for by in ("rows", "tenant"):
        text = (await download(place, by=by, format="csv")).text
        for row in csv.reader(io.StringIO(text)):
            assert not any(cell.startswith(("=", "@", "+")) for cell in row), row
        assert "\x1b" not in text and "\u202e" not in text
    book = openpyxl.load_workbook(io.BytesIO((await download(place)).content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert evil in {cell.value for cell in cells}, "in a workbook it is a text as it is"


async def test_who_took_a_report_is_recorded(place: Place) -> None:
    await download(place, by="tenant", format="csv")
    _, rows = place.audit.page(limit=5)
    assert [(row["action"], row["target"]) for row in rows] == [("snapshot.compliance.export", "tenant")]


async def test_a_day_on_which_nothing_was_ever_listed_is_not_recorded(tmp_path: Path) -> None:
    place = Place(tmp_path, {})
    place.room.nightly.tick(NOW)
    assert (place.room.trend.last(NOW), place.room.nightly.problem) == (None, None)
    place.close()
