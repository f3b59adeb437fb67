"""Files of a run folder that are damaged: named, or gone on from safely; never a traceback, never a silent loss."""

import contextlib
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Done, ablate
from hostile_strings import controls
from small_studies import SMALL

from ablation.analysis.analyse import analyse
from ablation.analysis.results import from_records
from ablation.designs import arms_of
from ablation.errors import AblationError, ComponentError, DamagedFileError
from ablation.run_folder import RunFolder
from ablation.sealed import BrokenSealError, seal, unseal
from ablation.trial import Outcome
from ablation.trial_files import read_outcome

ONE_EPOCH = SMALL.replace("epochs: 3", "epochs: 1")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of six trials that a run has finished."""
    place = tmp_path_factory.mktemp("finished")
    (place / "small.yaml").write_text(ONE_EPOCH)
    done = run(place)
    assert done.code == 0, done.stderr
    return place


@pytest.fixture
def place(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def run(place: Path) -> Done:
    with contextlib.chdir(place):
        return ablate(place, "run", "small.yaml", "--no-tracking", "--slots", "1")


def command(place: Path, *arguments: str) -> Done:
    with contextlib.chdir(place):
        return ablate(place, *arguments)


def outcomes(place: Path) -> list[Path]:
    return sorted(place.glob("runs/small/trials/*/outcome.json"))


def scores(place: Path) -> dict[str, object]:
    return {one.trial.id: (one.outcome and one.outcome.test) for one in RunFolder(place / "runs/small").records()}


def flipped(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :]


def damaged(content: bytes, draw: random.Random, flips: int) -> Iterator[bytes]:
    """Cut at many places, with flipped bits, emptied, overwritten with nothing, made something else."""
    yield from (content[: len(content) * part // 12] for part in range(12))
    yield from (flipped(content, draw) for _ in range(flips))
    yield from (b"\0" * len(content), b"null", b"[]", b"{}", b"\xff\xfe", b'"' * 9000, b"[" * 9000, content * 2)


@pytest.mark.parametrize(
    "name", ["outcome.json", "trial.json", "events.jsonl", "attempts.jsonl", "study.json", "study.yaml"]
)
def test_a_damaged_file_is_named_or_gone_on_from(name: str, place: Path) -> None:
    folder = RunFolder(place / "runs/small")
    path = next(iter(sorted(folder.path.rglob(name))))
    content, told = path.read_bytes(), 0
    for bad in damaged(content, random.Random(name), 10 if "jsonl" in name or "yaml" in name else 60):
        path.write_bytes(bad)
        error = refusal(folder)
        told += error is not None
        # A choice that its component does not know is told by the component.
        assert error is None or name in str(error) or isinstance(error, ComponentError)
    assert (told > 20) == (name in {"outcome.json", "trial.json", "study.json"}), told


def refusal(folder: RunFolder) -> AblationError | None:
    """The error of whoever reads all of a run folder and analyses it."""
    try:
        study = folder.beginning().study
        records = folder.records()
        folder.source_text()
        analyse(from_records(study, arms_of(study, records), records))
    except AblationError as error:
        return error
    return None


@pytest.mark.parametrize("name", ["outcome.json", "trial.json", "study.json"])
@pytest.mark.parametrize("arguments", [("status",), ("report",), ("plan",)])
def test_commands_name_the_file_and_the_way_out(name: str, arguments: tuple[str, ...], place: Path) -> None:
    path = next(iter(sorted((place / "runs/small").rglob(name))))
    path.write_bytes(b'{"version": \x1b[31m')
    done = command(place, *arguments, "runs/small")
    assert done.code == 5, done.stderr
    assert str(path.relative_to(place)) in done.stderr
    assert "Restore it" in done.stderr
    assert "Traceback" not in done.stderr
    assert controls(done.stderr) == []


def test_a_torn_outcome_is_put_aside_and_its_trial_runs_again_to_the_same_end(place: Path) -> None:
    before, torn = scores(place), outcomes(place)[0]
    content = torn.read_bytes()
    torn.write_bytes(content[: len(content) // 2])
    others = {path: path.read_bytes() for path in outcomes(place)[1:]}
    done = run(place)
    assert done.code == 0, done.stderr
    aside = torn.parent / "earlier-1" / "outcome.json"
    assert f"warning: a damaged outcome now lies in {aside.parent.relative_to(place)}" in done.stderr
    assert aside.read_bytes() == content[: len(content) // 2]
    assert done.stderr.count("launched") == 1
    assert scores(place) == before
    assert {path: path.read_bytes() for path in others} == others
    assert "launched" not in run(place).stderr


@pytest.fixture(scope="module")
def one_outcome(finished: Path) -> bytes:
    return outcomes(finished)[0].read_bytes()


def test_each_flipped_bit_of_an_outcome_is_noticed_and_its_trial_can_be_run_again(
    tmp_path: Path, one_outcome: bytes
) -> None:
    assert Outcome.model_validate_json(unseal(one_outcome)).status == "complete"
    for bit in range(8 * len(one_outcome)):
        changed = bytearray(one_outcome)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BrokenSealError):
            unseal(bytes(changed))
        if bit % 101 == 0 or bit < 16:
            (tmp_path / "outcome.json").write_bytes(changed)
            with pytest.raises(DamagedFileError) as told:
                read_outcome(tmp_path)
            assert told.value.torn, bit


def test_an_outcome_in_which_a_digit_changed_is_put_aside_named_and_never_counted(place: Path) -> None:
    before, path = scores(place), outcomes(place)[1]
    content = path.read_bytes()
    at = content.index(b'"accuracy":0.') + len(b'"accuracy":0.')
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    for asked in ("status", "report"):
        done = command(place, asked, "runs/small")
        assert done.code == 5
        assert f"{path.relative_to(place)} is damaged" in done.stderr
    done = run(place)
    assert done.code == 0, done.stderr
    assert f"warning: a damaged outcome now lies in {path.parent.relative_to(place)}/earlier-1" in done.stderr
    assert done.stderr.count("launched") == 1
    assert scores(place) == before
    explained = command(place, "explain", "runs/small", path.parent.name)
    assert explained.code == 0, explained.stderr
    assert f"{path.parent.relative_to(place)}/earlier-1: damaged" in explained.stdout


def test_an_epoch_in_which_a_bit_flipped_is_left_out(place: Path) -> None:
    folder = RunFolder(place / "runs/small")
    path = next(iter(sorted(folder.path.glob("trials/*/events.jsonl"))))
    line = path.read_bytes()
    for byte in range(len(line) - 1):
        path.write_bytes(line[:byte] + bytes([line[byte] ^ 1]) + line[byte + 1 :])
        record = folder.record(path.parent.name)
        assert record is not None
        assert record.epochs == ()


def test_predictions_that_are_whole_and_not_this_trials_are_left_out_and_named(place: Path) -> None:
    one, other = sorted(place.rglob("predictions.npz"))[:2]
    one.write_bytes(other.read_bytes())
    done = command(place, "report", "runs/small")
    assert done.code == 0
    assert f"1 trial whose predictions.npz is damaged ({one.parent.name})" in done.stdout


@pytest.mark.parametrize("sealed", [False, True])
def test_an_outcome_of_another_version_is_neither_overwritten_nor_passed_over(place: Path, sealed: bool) -> None:
    """All outcomes of a study are like that where a later version of the package wrote them, or one without sums."""
    other, text = outcomes(place)[0], '{"status":"complete","invented later":1}'
    other.write_text(seal(text) if sealed else text)
    for arguments in (("run", "runs/small", "--no-tracking"), ("status", "runs/small")):
        done = command(place, *arguments)
        assert done.code == 5
        assert f"{other.relative_to(place)} is damaged, or of another version" in done.stderr
    assert other.read_text() == (seal(text) if sealed else text)


def test_an_event_torn_at_any_byte_costs_that_epoch_alone(place: Path) -> None:
    folder = RunFolder(place / "runs/small")
    path = next(iter(sorted(folder.path.glob("trials/*/events.jsonl"))))
    line = path.read_bytes()
    assert line.count(b"\n") == 1
    second = seal(unseal(line.rstrip()).decode().replace('"epoch":1', '"epoch":2')).encode() + b"\n"
    for length in range(len(second) + 1):
        path.write_bytes(line + second[:length])
        record = folder.record(path.parent.name)
        assert record is not None
        assert [epoch.epoch for epoch in record.epochs] == ([1, 2] if length == len(second) else [1])


def test_damaged_predictions_are_left_out_and_named_and_weights_are_not_opened(place: Path) -> None:
    broken = [*place.rglob("predictions.npz"), *place.rglob("weights.pt")]
    assert len(broken) > 6
    for path in broken:
        path.write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    for arguments in (("report", "runs/small"), ("status", "runs/small"), ("run", "small.yaml", "--no-tracking")):
        done = command(place, *arguments)
        assert done.code == 0, done.stderr
        assert arguments[0] == "status" or "6 trials whose predictions.npz is damaged" in done.stdout
    assert not list(place.rglob("pwned"))


def test_strange_things_among_the_trials_are_left_alone(place: Path) -> None:
    trials = place / "runs/small/trials"
    (trials / ".DS_Store").write_bytes(b"\0")
    (trials / "\x1b[31m<b>").mkdir()
    (trials / "loop").symlink_to(trials)
    assert command(place, "status", "runs/small").code == 0
    assert run(place).code == 0


def test_a_damaged_line_of_rates_is_as_good_as_none(place: Path) -> None:
    (place / "runs/rates.jsonl").write_bytes(b'{"machine": "x\x00\n\xff\xfe\n[]\n{"machine": 1}\nnull\n')
    assert command(place, "plan", "small.yaml").code == 0


def test_a_holder_that_cannot_be_read_is_nobody(place: Path) -> None:
    for content in (b"", b"[]", b"null", b"\xff", b'{"process": "x"}', b"{" * 9000):
        (place / "runs/small/driver.json").write_bytes(content)
        assert command(place, "status", "runs/small").code == 0
    assert run(place).code == 0


def test_an_index_that_is_no_database_is_named(place: Path) -> None:
    (place / "runs/small/study.db").write_bytes(b"\x1b[31mno database" * 1000)
    outcomes(place)[0].unlink()
    done = run(place)
    assert "Traceback" not in done.stderr
    assert controls(done.stderr) == []
    assert done.code in (0, 5)
    assert done.code == 0 or "study.db" in done.stderr
