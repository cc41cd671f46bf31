from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.estate.estate import Estate
from tests.store.estate.cloud import open_estate


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    with open_estate(tmp_path) as opened:
        yield opened
