"""A study in which every text is hostile, and what the command made of it."""

import pytest
from command import Done, ablate
from hostile_study import write_hostile


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The hostile study after `ablate report`."""
    folder = write_hostile(tmp_path_factory.mktemp("hostile") / "study")
    return ablate(folder, "report", str(folder))
