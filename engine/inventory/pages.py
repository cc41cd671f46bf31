"""Pages of OpenStack lists: from bytes to rows, and what to ask for next. Pure: no input or output.

Links in answers are only read for their marker: the address is always ours, so a cloud behind a proxy with wrong links
still pages, and a
hostile link leads nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson

# Lists that follow `limit` and `marker` and never carry a link to the next page.
WITHOUT_LINKS = frozenset({"volume_attachment"})
MAX_ROWS = 20_000_000


class NotWhole(Exception):
    """The listing can not be read to its end; `str()` says why."""


class Degraded(NotWhole):
    """The service answered, and let it be known that a part of it does not: rows are missing that are still there."""


class BadPage(Exception):
    """One answer is not a page: cut off, not JSON, or without its list. Asking again may help."""


@dataclass(slots=True)
class Page:
    """One answer: its rows, the marker of the next page ("" = no link), and whether the service said it left rows
    out."""

    rows: list[Any]
    marker: str = ""
    truncated: bool = False


def parse(body: bytes, key: str, wrapper: str = "") -> Page:
    """The page in an answer's bytes. Raises BadPage."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadPage(f"the answer is not JSON or was cut off after {len(body)} bytes") from None
    if not isinstance(answer, dict) or not isinstance(answer.get(key), list):
        raise BadPage(f"the answer has no list {key!r}")
    rows = answer[key]
    if wrapper:
        rows = [row[wrapper] if isinstance(row, dict) and isinstance(row.get(wrapper), dict) else row for row in rows]
    return Page(rows, _marker(answer), answer.get("truncated") is True)


def _marker(answer: Mapping[str, Any]) -> str:
    """The marker in whatever link to a next page the answer has: `*_links`, Keystone's `links.next`, Glance's
    `next`."""
    links = answer.get("links")
    hrefs = [answer.get("next"), links.get("next") if isinstance(links, dict) else None]
    for name, value in answer.items():
        if name.endswith("_links") and isinstance(value, list):
            hrefs += [link.get("href") for link in value if isinstance(link, dict) and link.get("rel") == "next"]
    for href in hrefs:
        if isinstance(href, str) and href:
            try:
                query = dict(parse_qsl(urlsplit(href).query))
            except ValueError:
                continue
            if query.get("marker"):
                return query["marker"]
            raise BadPage("the answer has a link to a next page, but no marker in it")
    return ""


@dataclass(slots=True)
class Pager:
    """Walks one list: `query` is what to ask for now, `take` reads the answer's page and says whether there is more.

    fixed        query parameters of every page
    limit        rows asked for per page; 0 = the call has no paging
    style        "marker" or "offset"
    links        the service links to the next page whenever there is one
    id_key       where a row's marker lies
    """

    fixed: tuple[tuple[str, str], ...]
    limit: int
    style: str = "marker"
    links: bool = True
    id_key: str = "id"
    rows: int = 0
    marker: str = ""
    truncated: bool = False
    _seen: set[str] = field(default_factory=set)
    _before: list[str] = field(default_factory=list)
    _last_page: list[str] = field(default_factory=list)

    def query(self) -> list[tuple[str, str]]:
        """Query parameters of the page to read now."""
        query = list(self.fixed)
        if self.limit:
            query.append(("limit", str(self.limit)))
        if self.style == "offset" and self.rows:
            query.append(("offset", str(self.rows)))
        elif self.marker:
            query.append(("marker", self.marker))
        return query

    def take(self, page: Page) -> bool:
        """Note a page that arrived; True when another one has to be read. Raises NotWhole on a loop or an endless
        list."""
        self.rows += len(page.rows)
        self.truncated = page.truncated and not page.marker
        if self.rows > MAX_ROWS:
            raise NotWhole(f"the list did not end after {MAX_ROWS} rows")
        if self.style == "offset":
            return self._offset(page)
        if page.marker:
            return self._go_to(page.marker, page)
        if self.links or not self.limit or not page.rows:
            return False
        return self._go_to_last(page)

    def _offset(self, page: Page) -> bool:
        if not page.rows or not self.limit:
            return False
        ids = self._ids(page)
        if ids and ids == self._last_page:
            raise NotWhole("the service answers the same page again and again")
        self._last_page = ids
        return True

    def _go_to_last(self, page: Page) -> bool:
        """No links: the last row is the marker, until a page is empty."""
        ids = self._ids(page)
        if ids == self._last_page:
            if len(ids) > self.limit:
                return False  # the service pays no attention to limit and marker: this was everything
            raise NotWhole("the service answers the same page again and again")
        self._last_page = ids
        if not ids:
            raise NotWhole("the rows have no id to go on from")
        return self._go_to(ids[-1], page)

    def _go_to(self, marker: str, page: Page) -> bool:
        if marker in self._seen:
            raise NotWhole(f"the list runs in a circle: page after {marker[:60]!r} was already read")
        self._seen.add(marker)
        self.marker = marker
        self._before = [id for id in self._ids(page)[-6:] if id != marker]
        return True

    def lost(self) -> bool:
        """The row that was the marker is gone. Go back to the one before it; False when there is none left to try."""
        if self.style == "offset" or not self.marker or not self._before:
            return False
        self.marker = self._before.pop()
        return True

    def _ids(self, page: Page) -> list[str]:
        return [str(row[self.id_key]) for row in page.rows if isinstance(row, dict) and row.get(self.id_key)]


def address(base: str, path: str, query: list[tuple[str, str]]) -> str:
    """The absolute URL of a call."""
    url = f"{base.rstrip('/')}/{path.lstrip('/')}"
    return f"{url}?{urlencode(query)}" if query else url
