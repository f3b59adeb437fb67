import dataclasses
import os
import shutil
import socket
import time
from pathlib import Path

import pytest
from made_up import NOTE, made_up_record, made_up_study
from mlflow import MlflowClient
from seen import look

from ablation.addresses import sqlite_uri
from ablation.errors import TrackingError
from ablation.study import Study
from ablation.tracking.mlflow_tracker import RECORD_TAG, TRIAL_TAG, MlflowTracker
from ablation.trial import Record

BASELINE = "crop=with · seed block 0"


def begun(uri: str, study: Study | None = None) -> MlflowTracker:
    tracker = MlflowTracker(uri)
    tracker.begin(study or made_up_study(), NOTE)
    return tracker


def question_of(uri: str) -> str:
    """What stands above the runs."""
    return MlflowClient(uri).get_experiment("1").tags["mlflow.note.content"]


def run_ids(uri: str) -> dict[str, str]:
    return {run.info.run_name: run.info.run_id for run in MlflowClient(uri).search_runs(["1"])}


def test_a_trial_becomes_a_child_run_with_all_that_is_known(store: str, folder: Path) -> None:
    begun(store).log(made_up_record(accuracy=0.9), folder)
    run = look(store)[BASELINE]
    assert run["status"] == "FINISHED"
    assert run["times"] == (1_795_341_600_000, 1_795_341_604_000)
    assert run["params"]["factor.crop"] == "with"
    assert run["metrics"]["validation/loss"] == [(1, 1_795_341_601_500, 0.5), (2, 1_795_341_603_000, 0.25)]
    assert run["metrics"]["test/accuracy"] == [(0, 1_795_341_604_000, 0.9)]
    assert run["inputs"] == [("digits test", "ab" * 6, ["evaluation"]), ("digits training", "ab" * 6, ["training"])]
    assert run["artifacts"] == ["confusion.html", "log.txt", "predictions.npz"]
    assert run["tags"]["mlflow.source.name"] == "ablate"
    assert run["tags"]["mlflow.user"]
    ids = run_ids(store)
    assert MlflowClient(store).get_run(ids[BASELINE]).data.tags["mlflow.parentRunId"] == ids["shifts"]


@pytest.mark.parametrize(
    ("status", "shown"),
    [("complete", "FINISHED"), ("diverged", "FINISHED"), ("pruned", "FINISHED"), ("failed", "FAILED")],
)
def test_the_status_is_told(store: str, tmp_path: Path, status: str, shown: str) -> None:
    begun(store).log(made_up_record(status=status), tmp_path / "without any file")
    run = look(store)[BASELINE]
    assert run["status"] == shown
    assert run["tags"]["status"] == status
    assert run["artifacts"] == (["confusion.html"] if status != "failed" else [])


def test_the_parent_run_tells_the_study_first_and_its_findings_at_the_end(store: str, tmp_path: Path) -> None:
    tracker = begun(store)
    parent = look(store)["shifts"]
    assert parent["status"] == "RUNNING"
    assert "Does shifting help?" in parent["tags"]["mlflow.note.content"]
    assert parent["tags"]["design"] == "leave-one-out"
    assert parent["tags"]["digest"] == NOTE.digest
    (tmp_path / "report.html").write_text("a report")
    tracker.end("# Findings\n" + "none\n" * 2000, [tmp_path / "report.html", tmp_path / "missing.csv"], complete=True)
    parent = look(store)["shifts"]
    assert parent["status"] == "FINISHED"
    links, empty, heading, *_ = parent["tags"]["mlflow.note.content"].splitlines()
    assert links.startswith("[Report](#PAGE/artifacts/report/report.html")
    assert (empty, heading) == ("", "# Findings")
    assert parent["tags"]["mlflow.note.content"].endswith("report/findings.md among the artifacts.")
    assert parent["artifacts"] == ["report/findings.md", "report/report.html"]


def test_a_paused_study_goes_on_in_the_same_run(store: str, folder: Path) -> None:
    tracker = begun(store)
    tracker.log(made_up_record(block=0), folder)
    tracker.end("so far", [], complete=False)
    assert look(store)["shifts"]["status"] == "KILLED"
    again = begun(store)
    assert look(store)["shifts"]["status"] == "RUNNING"
    assert look(store)["shifts"]["tags"]["mlflow.note.content"].endswith("\n\nso far")
    assert question_of(store).endswith("\n\nso far")
    again.log(made_up_record(block=0), folder)
    again.log(made_up_record(block=1), folder)
    again.pause()
    assert (look(store)["shifts"]["status"], look(store)["shifts"]["tags"]["status"]) == ("KILLED", "paused")
    last = begun(store)
    for block in (0, 1):
        last.log(made_up_record(block=block), folder)
    last.end("done", [], complete=True)
    assert set(look(store)) == {"shifts", BASELINE, "crop=with · seed block 1"}
    assert look(store)["shifts"]["tags"]["status"] == "complete"


def test_logging_again_changes_nothing(store: str, folder: Path) -> None:
    tracker = begun(store)
    tracker.log(made_up_record(), folder)
    before, ids = look(store), run_ids(store)
    tracker.log(made_up_record(), folder)
    begun(store).log(made_up_record(), folder)
    assert (look(store), run_ids(store)) == (before, ids)


def test_writing_a_run_over_again_changes_nothing(store: str, folder: Path) -> None:
    begun(store).log(made_up_record(), folder)
    before, ids = look(store), run_ids(store)
    MlflowClient(store).update_run(ids[BASELINE], status="RUNNING")
    begun(store).log(made_up_record(), folder)
    assert (look(store), run_ids(store)) == (before, ids)


def test_a_run_whose_writing_broke_off_is_completed(store: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = begun(store)
    with monkeypatch.context() as broken:
        broken.setattr(MlflowClient, "log_batch", _refuse)
        with pytest.raises(TrackingError, match="disk full"):
            tracker.log(made_up_record(), folder)
    assert look(store)[BASELINE]["status"] == "RUNNING"
    tracker.log(made_up_record(), folder)
    assert look(store)[BASELINE]["status"] == "FINISHED"
    assert look(store)[BASELINE]["metrics"]["test/accuracy"]


def test_a_create_that_worked_twice_leaves_one_run(store: str, folder: Path) -> None:
    tracker = begun(store)
    tracker.log(made_up_record(), folder)
    client = MlflowClient(store)
    first = run_ids(store)[BASELINE]
    client.update_run(first, status="RUNNING")
    tags = client.get_run(first).data.tags
    client.create_run("1", tags={key: tags[key] for key in (TRIAL_TAG, RECORD_TAG)}, run_name="twin")
    begun(store).log(made_up_record(), folder)
    assert len(look(store)) == 2
    (trial,) = (run for name, run in look(store).items() if name != "shifts")
    assert trial["status"] == "FINISHED"
    assert trial["metrics"]["test/accuracy"]


def test_at_the_end_only_runs_with_a_record_are_left_and_none_is_open(store: str, folder: Path) -> None:
    tracker, client = begun(store), MlflowClient(store)
    for block in (0, 1):
        tracker.log(made_up_record(block=block), folder)
    ids = run_ids(store)
    tags = client.get_run(ids[BASELINE]).data.tags
    kept = {key: tags[key] for key in (TRIAL_TAG, RECORD_TAG, "mlflow.parentRunId")}
    client.create_run("1", tags=kept, run_name="twin of a closed run, left open")
    client.create_run("1", tags={"mlflow.parentRunId": ids["shifts"]}, run_name="a person's own")
    again = begun(store)
    client.create_run("1", tags=client.get_run(ids["shifts"]).data.tags)  # a twin of the study
    again.log(made_up_record(block=0), folder)
    again.end("", [], complete=False)  # the trial of block 1 was put back
    left = sorted((run.info.run_name, run.info.status) for run in client.search_runs(["1"]))
    assert left == [("a person's own", "RUNNING"), (BASELINE, "FINISHED"), ("shifts", "KILLED")]


def test_ending_a_study_again_changes_nothing(store: str, folder: Path) -> None:
    for _ in range(2):
        tracker = begun(store)
        tracker.log(made_up_record(), folder)
        tracker.end("# Findings", [], complete=True)
        seen = look(store)
        assert seen["shifts"]["times"] == (1_795_341_600_000, 1_795_341_604_000)
        assert tracker.log(made_up_record(), folder) is False


def test_a_trial_that_was_trained_anew_replaces_its_run(store: str, folder: Path) -> None:
    begun(store).log(made_up_record(status="failed"), folder)
    begun(store).log(made_up_record(status="complete"), folder)
    runs = look(store)
    assert set(runs) == {"shifts", BASELINE}
    assert runs[BASELINE]["tags"]["status"] == "complete"


def test_a_deleted_database_is_rebuilt(store: str, folder: Path, empty_database: Path) -> None:
    records = [made_up_record(block=block, crop=level) for block in (0, 1) for level in ("with", "without")]
    _whole_study(store, records, folder)
    before = look(store)
    for place in ("mlflow.db", "mlartifacts"):
        _remove(folder.parent / "runs" / place)
    other = sqlite_uri(Path(shutil.copy(empty_database, folder.parent / "runs" / "new.db")))
    _whole_study(other, records, folder)
    after = look(other)
    assert len(before) == 5
    assert after == before


def test_a_deleted_parent_or_study_comes_back(store: str, folder: Path) -> None:
    begun(store).log(made_up_record(), folder)
    client = MlflowClient(store)
    client.delete_run(run_ids(store)["shifts"])
    begun(store).log(made_up_record(), folder)
    ids = run_ids(store)
    assert client.get_run(ids[BASELINE]).data.tags["mlflow.parentRunId"] == ids["shifts"]
    client.delete_experiment("1")
    begun(store).log(made_up_record(), folder)
    assert BASELINE in look(store)


def test_two_run_folders_of_one_study_do_not_mix(store: str, folder: Path) -> None:
    begun(store).log(made_up_record(), folder)
    other = MlflowTracker(store)
    other.begin(made_up_study(), dataclasses.replace(NOTE, key="another folder"))
    other.log(made_up_record(accuracy=0.5), folder)
    names = [run.info.run_name for run in MlflowClient(store).search_runs(["1"])]
    assert sorted(names) == sorted([BASELINE, "shifts"] * 2)


def test_hostile_names_and_great_sizes_are_taken(store: str, folder: Path) -> None:
    levels = {f"f'\"\n/<|{number}": "l" * 7000 for number in range(130)}
    begun(store).log(made_up_record(**levels), folder)
    (run,) = (seen for name, seen in look(store).items() if name != "shifts")
    assert sum(key.startswith("factor.") for key in run["params"]) == 130
    assert run["status"] == "FINISHED"


def test_the_question_stands_above_the_runs_and_the_findings_below_it(store: str) -> None:
    tracker = begun(store)
    assert question_of(store) == "**Does shifting help?**"
    tracker.end("# Findings\n" + "one\n" * 2000, [], complete=True)
    question, empty, links, *found = question_of(store).splitlines()
    assert (question, empty) == ("**Does shifting help?**", "")
    assert "[Arms side by side](#/experiments/1/runs?workflowType=machine_learning&viewStateShareKey=arms)" in links
    assert found[1:3] == ["# Findings", "one"]
    assert found[-1] == "… cut here; the rest is in the run of the study."


def test_a_new_store_is_made_silently_wherever_it_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "100% ü sp%20ce" / "mlflow.db"
    begun(sqlite_uri(file)).log(made_up_record(), tmp_path)
    assert file.exists()
    assert look(sqlite_uri(file))[BASELINE]["artifacts"] == ["confusion.html"]
    assert (file.parent / "mlartifacts" / "shifts").is_dir()
    assert capfd.readouterr() == ("", "")


def test_a_refused_connection_is_told_quickly_and_without_the_password() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    before = time.monotonic()
    with pytest.raises(TrackingError) as refused:
        begun(f"http://me:secret@127.0.0.1:{port}")
    assert time.monotonic() - before < 5
    assert f"http://***@127.0.0.1:{port}" in str(refused.value)
    assert "secret" not in str(refused.value)
    assert refused.value.exit_code == 5


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be read as one" * 9, None])
def test_an_unusable_file_is_told_at_once(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "mlflow.db"
    file.mkdir() if content is None else file.write_bytes(content)
    before = time.monotonic()
    with pytest.raises(TrackingError, match=r"mlflow\.db"):
        begun(sqlite_uri(file))
    assert time.monotonic() - before < 2


def test_what_the_user_set_stays(monkeypatch: pytest.MonkeyPatch, store: str) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", raising=False)
    begun(store)
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "1"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def _whole_study(uri: str, records: list[Record], folder: Path) -> None:
    tracker = begun(uri)
    for record in records:
        tracker.log(record, folder)
    tracker.end("# Findings", [], complete=True)


def _refuse(*arguments: object, **choices: object) -> None:
    raise OSError("disk full")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def test_a_search_and_its_confirmation_lead_to_each_other_whenever_the_second_comes(store: str) -> None:
    begun(store).end("", (), complete=True)
    linked = dataclasses.replace(NOTE, links={"confirmed by": "shifts-confirm"})
    MlflowTracker(store).link(made_up_study(), linked)
    run = look(store)["shifts"]
    assert run["tags"]["confirmed by"] == "shifts-confirm"
    assert run["status"] == "FINISHED"
    MlflowTracker(store).link(made_up_study("never tracked"), linked)
    assert set(look(store)) == {"shifts"}
    MlflowTracker(store).begin(made_up_study(), dataclasses.replace(NOTE, links={"confirms": "search"}))
    assert look(store)["shifts"]["tags"]["confirms"] == "search"
