from pathlib import Path

import pytest

from ablation.addresses import database_file, masked, sqlite_uri, storage_errors
from ablation.errors import AblationError, InputError
from ablation.tracking import default_uri


@pytest.mark.parametrize("folder", ["plain", "with space", "100%", "a%20b", "ü#é", "what?"])
def test_an_sqlite_address_leads_back_to_its_file(folder: str) -> None:
    file = Path("/data") / folder / "mlflow.db"
    assert database_file(sqlite_uri(file)) == file


@pytest.mark.parametrize("uri", ["http://host:5000", "postgresql://host/db", "sqlite://", "sqlite:///:memory:"])
def test_other_addresses_have_no_file(uri: str) -> None:
    assert database_file(uri) is None


def test_the_default_is_a_file_in_the_runs_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    assert default_uri(Path("runs")) == f"sqlite:///{tmp_path}/runs/mlflow.db"


def test_the_environment_names_another_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking:5000")
    assert default_uri(Path("runs")) == "http://tracking:5000"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:secret@host:5000/x", "http://***@host:5000/x"),
        ("see https://token@host and http://a:b@c", "see https://***@host and http://***@c"),
        ("postgresql://u:p@ss@host/db", "postgresql://***@host/db"),
        ("postgresql://u:p/w@host/db", "postgresql://***@host/db"),
        ("postgresql//u:p@host", "postgresql//***@host"),
        ("at http://host:5000/a from me@home", "at http://host:5000/a from me@home"),
        ("postgresql://host/db?user=u&password=p&x=1", "postgresql://host/db?user=***&password=***&x=***"),
        ("sqlite:////runs/mlflow.db", "sqlite:////runs/mlflow.db"),
        ("http://host/?api_key=abc", "http://host/?api_key=***"),
    ],
)
def test_secrets_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


SECRET = "hunter2"
FORMS = [
    "mssql+pyodbc:///?odbc_connect=DRIVER%3D%7BODBC+Driver+18%7D%3BSERVER%3Ddb%3BUID%3Dme%3BPWD%3Dhunter2",
    "mssql+pyodbc:///?odbc_connect=DRIVER={ODBC Driver 18};SERVER=db;UID=me;PWD=hunter2",
    "mysql://host/db?passwd=hunter2",
    "mysql://host/db?charset=utf8&pwd=hunter2",
    "https://account.blob.core.windows.net/store?sv=2024&sig=hunter2%3D",
    "host=db user=me password=hunter2 dbname=studies",
    "password='hunter2 and more' host=db",
    "postgresql://me:open hunter2@host:5432/db",
    "postgresql://me:a@b/hunter2@host/db",
    "postgresql://hunter2@host/db",
    "http://me:hunter2@host:5000/a?x=1#top",
    "s3://bucket/store?AWS_SECRET_ACCESS_KEY=hunter2",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", ["{}", "cannot connect to {}: timed out", "engine('{}') at 3 from me@home"])
def test_no_secret_of_an_address_is_shown_in_any_form(form: str, text: str) -> None:
    shown = masked(text.format(form))
    assert SECRET not in shown
    assert "more" not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    "said", ["login failed with open hunter2!", "open%20hunter2", "FATAL: open+hunter2", "('open hunter2', 5432)"]
)
def test_a_known_secret_is_found_without_its_address(said: str) -> None:
    shown = masked(said, "postgresql://me:open%20hunter2@host/db?sslmode=true")
    assert SECRET not in shown
    assert masked("it is true", "sqlite:///x.db?uri=true") == "it is true"


def test_what_a_storage_raises_is_one_error_without_its_secrets() -> None:
    uri = "postgresql://u:secret@host/db"
    with (
        pytest.raises(AblationError, match=r"postgresql://\*\*\*@host/db cannot be used: OSError") as told,
        storage_errors(uri),
    ):
        raise OSError(f"no answer from {uri}")
    assert "secret" not in str(told.value)
    assert told.value.__cause__ is None
    assert told.value.exit_code == 5


def test_an_error_that_is_ours_already_stays() -> None:
    with pytest.raises(InputError, match="another digest"), storage_errors("sqlite://"):
        raise InputError("another digest")


def test_a_missing_driver_is_told_with_where_it_comes_from() -> None:
    with pytest.raises(AblationError, match=r"ablation-harness\[postgresql\]"), storage_errors("postgresql://host/db"):
        raise ImportError("No module named 'psycopg'")
