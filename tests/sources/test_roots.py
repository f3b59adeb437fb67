from __future__ import annotations

from pathlib import Path

import pytest

from ablation.errors import InputError
from ablation.sources.roots import data_at, find_cache_root, find_data_root


def test_option_goes_before_environment_before_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ABLATE_DATA", raising=False)
    assert find_data_root(None) == tmp_path / "cache" / "data"
    monkeypatch.setenv("ABLATE_DATA", str(tmp_path / "data"))
    assert find_data_root(None) == tmp_path / "data"
    assert find_data_root(tmp_path / "option") == tmp_path / "option"


def test_empty_variables_count_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_CACHE", "")
    monkeypatch.setenv("ABLATE_DATA", "")
    assert "ablation-harness" in find_cache_root().parts
    assert find_data_root(None) == find_cache_root() / "data"


def test_paths_are_absolute_and_know_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert find_data_root(Path("Größe 日本")) == tmp_path / "Größe 日本"
    monkeypatch.setenv("ABLATE_DATA", "~/data")
    assert find_data_root(None) == tmp_path / "home" / "data"


def test_file_is_no_data_root(tmp_path: Path) -> None:
    file = tmp_path / "cifar.tar.gz"
    file.write_bytes(b"")
    with pytest.raises(InputError, match="is a file; give the folder"):
        find_data_root(file)


def test_a_root_holds_within_a_block_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for outside in (str(tmp_path / "outside"), ""):
        monkeypatch.setenv("ABLATE_DATA", outside)
        before = find_data_root(None)
        with data_at(tmp_path / "inside"):
            assert find_data_root(None) == tmp_path / "inside"
        assert find_data_root(None) == before
