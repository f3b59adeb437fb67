"""The one study that nobody disturbed, which all others are held against."""

from typing import Any

import pytest
from broken_runs import BrokenRuns


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    runs = BrokenRuns(tmp_path_factory.mktemp("undisturbed"))
    ended = runs.run()
    assert ended.code == 0, ended.stderr
    return runs.contents()
