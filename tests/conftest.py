"""What all tests share: no example of Hypothesis is timed, for the machine has other work too."""

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
