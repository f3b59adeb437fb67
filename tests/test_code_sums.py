"""Sums of source code: they change with what a component runs, and with nothing else."""

import time
from pathlib import Path

import pytest

from ablation.code_sums import module_sum, package_sum

FILES = {
    "lab/net.py": "import numpy\nfrom lab.layers import deep\nfrom .sizes import WIDTH\nfrom . import shapes\n",
    "lab/layers/deep.py": "import lab.odd\nfrom ..sizes import WIDTH\n",
    "lab/layers/__init__.py": "",
    "lab/sizes.py": "WIDTH = 3\n",
    "lab/shapes.py": "",
    "lab/odd.py": "from lab import net\n",
    "lab/unused.py": "",
    "other/thing.py": "",
}
"""`lab` itself is a package without an `__init__.py`."""


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def sum_now(lab: Path) -> str:
    module_sum.cache_clear()
    return module_sum("lab.net", lab / "lab/net.py", "lab")


@pytest.mark.parametrize("name", FILES)
def test_whatever_a_component_imports_of_its_package_is_part_of_it(lab: Path, name: str) -> None:
    before = sum_now(lab)
    (lab / name).write_text(FILES[name] + "# changed\n")
    assert (sum_now(lab) != before) == (name not in {"lab/unused.py", "other/thing.py"})
    (lab / name).write_text(FILES[name])
    assert sum_now(lab) == before


def test_it_is_the_same_wherever_the_package_lies(lab: Path, tmp_path: Path) -> None:
    before = sum_now(lab)
    (tmp_path / "moved").mkdir()
    (lab / "lab").rename(tmp_path / "moved" / "lab")
    assert sum_now(tmp_path / "moved") == before


def test_a_file_that_is_no_python_has_a_sum(lab: Path) -> None:
    (lab / "lab/net.py").write_bytes(b"def broken(\0")
    assert len(sum_now(lab)) == 16


def test_the_package_is_summed_in_a_moment_and_once() -> None:
    package_sum.cache_clear()
    started = time.process_time()
    first = package_sum(frozenset({"models"}))
    assert time.process_time() - started < 0.2  # some 5 ms
    assert package_sum(frozenset({"models"})) is first
    assert package_sum(frozenset()) != first
