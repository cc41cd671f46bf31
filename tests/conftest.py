"""What all tests share: no example of Hypothesis is timed, for the machine has other work too; and engines that tests
start read the settings in `config`, not those of whoever runs the tests.
"""

import os
from pathlib import Path

from hypothesis import settings

os.environ["XDG_CONFIG_HOME"] = str(Path(__file__).parent / "config")

settings.register_profile("house", deadline=None)
settings.load_profile("house")
