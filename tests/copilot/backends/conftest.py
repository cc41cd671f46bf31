"""Loads the makers' clients before anything is timed: they load much of themselves when they are first used."""

import pytest

from copilot.backends.base import Limits
from tests.copilot.backends import speech
from tests.copilot.backends.asking import MAKERS, ask
from tests.copilot.backends.server import serving


@pytest.fixture(scope="session", autouse=True)
def _clients() -> None:
    for maker in MAKERS:
        with serving(speech.say(maker, "12.")) as server:
            ask(maker, server, limits=Limits(first=60, total=60))
