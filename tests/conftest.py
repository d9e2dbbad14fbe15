"""What holds for every test."""

from hypothesis import settings

# No deadline for one example: on a busy machine it fails tests that are right. pytest-timeout guards against hangs.
settings.register_profile("default", deadline=None)
settings.load_profile("default")
