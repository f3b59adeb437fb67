"""Study files that are right give the study they describe; each wrong one gives exactly the message stored beside it.

A new case is two new files in cases: NAME.yaml, and NAME.txt with the message.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ablation import components, designs, study_file
from ablation.errors import InputError, StudyFileError
from ablation.settings import Part
from ablation.study import LevelsFactor, RangeFactor, Search, Study

CASES = Path(__file__).parent / "cases"

WHOLE = """\
question: Which steps raise accuracy?
dataset: {name: digits}
model: {name: resnet, depth: 20}
preprocessing: {normalize: {statistics: dataset}}
augmentations:
  crop: {padding: 1}
  flip:
recipe: {epochs: 16, optimizer: {name: sgd, momentum: 0.8}, learning_rate: 1, schedule: cosine}
factors:
  crop: {with: {}, without: {augmentations.crop: null}}
  momentum: {levels: {usual: {}, none: {recipe.optimizer.momentum: 0.0}}, when: {optimizer: sgd}}
  optimizer: {sgd: {}, adamw: {recipe.optimizer: {name: adamw}}}
design: factorial
seeds: 4
scales:
  laptop: {model: {name: small}, recipe: {epochs: 2, optimizer: {momentum: 0.5}}, seeds: 3}
  smoke:
    recipe.epochs: 1
    augmentations: {flip: null, cutout: {size: 2}}
    factors: {crop: null, optimizer: null, momentum: {usual: {}, none: {recipe.optimizer.momentum: 0.0}}}
    design: one-factor
"""


def load(folder: Path, text: str, scale: str | None = "full", *overrides: str) -> Study:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return study_file.load(path, scale, overrides, lambda: False)


def refusal(folder: Path, text: str, scale: str | None = "full", *overrides: str) -> str:
    with pytest.raises(InputError) as refused:
        load(folder, text, scale, *overrides)
    return str(refused.value).replace(str(folder / "mine.yaml"), "mine.yaml")


@pytest.mark.parametrize("case", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_wrong_files(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES)
    with pytest.raises(StudyFileError) as refused:
        study_file.load(Path(case.name), None, (), lambda: True)
    assert str(refused.value) + "\n" == case.with_suffix(".txt").read_text(encoding="utf-8")


def test_every_wrong_file_has_its_message_and_there_are_many() -> None:
    assert {path.stem for path in CASES.glob("*.yaml")} == {path.stem for path in CASES.glob("*.txt")}
    assert len(list(CASES.glob("*.yaml"))) >= 20


def test_a_whole_file(tmp_path: Path) -> None:
    study = load(tmp_path, WHOLE)
    settings = study.baseline
    assert (study.name, study.scale, study.folder_name, study.seeds) == ("mine", "full", "mine", 4)
    assert (study.metric, study.evaluate_on, study.margin) == ("accuracy", "test", 0.002)
    assert settings.model == components.complete("model", Part(name="resnet", choices={"depth": 20}))
    assert settings.model.choices["shortcut"] == "paper"
    assert [part.name for part in settings.augmentations] == ["crop", "flip"]
    assert settings.augmentations[1].choices == {"probability": 0.5, "direction": "horizontal"}
    assert settings.recipe.optimizer.choices == {"momentum": 0.8, "weight_decay": 0.0005, "nesterov": False}
    assert settings.recipe.schedule.name == "cosine"
    assert isinstance(settings.recipe.learning_rate, float)
    factor = study.factors["momentum"]
    assert isinstance(factor, LevelsFactor)
    assert (factor.reference, factor.when) == ("usual", {"optimizer": "sgd"})
    assert list(study.factors) == ["crop", "momentum", "optimizer"]


def test_a_study_survives_its_stored_form(tmp_path: Path) -> None:
    study = load(tmp_path, WHOLE)
    again = Study.model_validate_json(study.model_dump_json())
    assert again == study
    assert again.digest() == study.digest()
    assert designs.planned_trials(again) == designs.planned_trials(study)


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    short = "question: q\ndataset: digits\nmodel: small\nfactors: {e: {a: {}, b: {recipe.epochs: 2}}}\ndesign: search\n"
    study = load(tmp_path, short + "seeds: 1\nmetric: loss\n")
    assert (study.margin, study.evaluate_on) == (0.01, "validation")
    assert isinstance(study.design, Search)
    assert study.baseline.recipe.optimizer.name == "sgd"
    assert study.baseline.augmentations == ()


def test_spelled_out_defaults_are_the_same_study(tmp_path: Path) -> None:
    spelled = WHOLE.replace("{padding: 1}", "{padding: 1, padding_mode: constant}").replace(
        "seeds: 4", "seeds: 4\nmargin: 0.002"
    )
    assert load(tmp_path, spelled) == load(tmp_path, WHOLE)


@pytest.mark.parametrize(
    ("accelerator", "scales", "expected"),
    [(True, True, "full"), (False, True, "laptop"), (False, False, "full"), (True, False, "full")],
)
def test_the_scale_follows_the_machine(tmp_path: Path, accelerator: bool, scales: bool, expected: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WHOLE if scales else WHOLE.partition("scales:")[0])
    assert study_file.load(path, None, (), lambda: accelerator).scale == expected


def test_the_machine_is_not_asked_where_the_scale_is_given(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WHOLE)

    def never() -> bool:
        raise AssertionError("asked")

    assert study_file.load(path, "laptop", (), never).folder_name == "mine-laptop"


def test_a_scale_is_merged(tmp_path: Path) -> None:
    study = load(tmp_path, WHOLE, "laptop")
    recipe = study.baseline.recipe
    assert study.baseline.model.name == "small"
    assert "depth" not in study.baseline.model.choices  # a name replaces the component as a whole
    assert (recipe.epochs, recipe.learning_rate, study.seeds) == (2, 1.0, 3)
    assert (recipe.optimizer.name, recipe.optimizer.choices["momentum"]) == ("sgd", 0.5)


def test_a_scale_adds_removes_and_replaces(tmp_path: Path) -> None:
    study = load(tmp_path, WHOLE, "smoke")
    assert [part.name for part in study.baseline.augmentations] == ["crop", "cutout"]
    assert study.baseline.recipe.epochs == 1
    assert list(study.factors) == ["momentum"]
    assert study.factors["momentum"].when == {}
    assert study.design.kind == "one-factor"


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("recipe.epochs=3", lambda study: study.baseline.recipe.epochs == 3),
        ("model=vgg", lambda study: study.baseline.model.name == "vgg"),
        ("model.name=vgg", lambda study: study.baseline.model.choices["depth"] == 16),
        ("model.depth=32", lambda study: study.baseline.model.choices["depth"] == 32),
        ("augmentations.flip=null", lambda study: [part.name for part in study.baseline.augmentations] == ["crop"]),
        ("augmentations.flip=", lambda study: [part.name for part in study.baseline.augmentations] == ["crop"]),
        ("augmentations.cutout.size=3", lambda study: study.baseline.augmentations[-1].choices["size"] == 3),
        ("seeds=9", lambda study: study.seeds == 9),
        ("question='Why: again?'", lambda study: study.question == "Why: again?"),
        ("execution.threads=2", lambda study: study.execution.threads == 2),
    ],
)
def test_overrides(tmp_path: Path, override: str, read: Callable[[Study], bool]) -> None:
    text = WHOLE.replace(
        "crop: {with: {}, without: {augmentations.crop: null}}", "epochs: {a: {}, b: {recipe.epochs: 7}}"
    )
    assert read(load(tmp_path, text, "full", override))


def test_overrides_are_applied_in_turn_and_after_the_scale(tmp_path: Path) -> None:
    study = load(tmp_path, WHOLE, "laptop", "design={kind: search, trials: 3}", "design.trials=5", "recipe.epochs=4")
    assert (designs.planned_count(study), study.baseline.recipe.epochs, study.seeds) == (5, 4, 3)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("recipe.epochs", "--set recipe.epochs: write --set path=value, such as --set recipe.epochs=3."),
        ("=3", "--set =3: write --set path=value, such as --set recipe.epochs=3."),
        ("recipe.epochs=ten", '--set recipe.epochs=ten: recipe.epochs must be a whole number, not "ten".'),
        ("model.widht=3", '--set model.widht=3: resnet has no choice "widht".'),
        ("sedes.x=3", '--set sedes.x=3: a study file has no key "sedes". Did you mean seeds?'),
        ("sedes=3", '--set sedes=3: a study file has no key "sedes". Did you mean seeds?'),
        ("recipe.learning_rate=1e-3", "--set recipe.learning_rate=1e-3: YAML reads 1e-3 as text; write 1.0e-3"),
        ("augmentations=[flip", "--set augmentations=[flip: while parsing a flow sequence"),
        (
            "scales.smoke.seeds=3",
            "--set scales.smoke.seeds=3: scales stand at the top of a study file and nowhere else;",
        ),
    ],
)
def test_wrong_overrides_are_named(tmp_path: Path, override: str, message: str) -> None:
    assert refusal(tmp_path, WHOLE, "full", override).startswith(message)


def test_an_unknown_scale(tmp_path: Path) -> None:
    expected = "mine.yaml: there is no scale smoek. Did you mean smoke? Allowed: full, laptop, smoke."
    assert refusal(tmp_path, WHOLE, "smoek") == expected


def test_a_problem_of_a_scale_that_was_not_asked_for_is_told(tmp_path: Path) -> None:
    assert refusal(tmp_path, WHOLE.replace("recipe.epochs: 1", "recipe.epochs: 0"), "laptop") == (
        "mine.yaml:18:20: recipe.epochs must be at least 1, not 0."
    )


@pytest.mark.parametrize("name", ["my study", "-x", "..", "ünder", "a" * 81, "x."])
def test_the_name_of_a_study_must_name_a_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.yaml"
    path.write_text(WHOLE)
    with pytest.raises(InputError, match="Rename the file"):
        study_file.load(path, "full", (), lambda: False)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read: No such file.*`ablate init"):
        study_file.load(tmp_path / "none.yaml", None, (), lambda: False)
    (tmp_path / "latin.yaml").write_bytes(b"question: caf\xe9")
    with pytest.raises(InputError, match=r"not UTF-8 text \(byte 14\)"):
        study_file.load(tmp_path / "latin.yaml", None, (), lambda: False)


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())
    read = study_file.load(tmp_path / "mine.yaml", "full", (), lambda: False)
    assert read == load(tmp_path, WHOLE)


def test_level_names_may_be_any_text(tmp_path: Path) -> None:
    text = WHOLE.replace("{with: {}, without:", '{"mit, = 100 %": {}, 没有 🙂:')
    arms = designs.arms(load(tmp_path, text))
    assert {arm.levels["crop"] for arm in arms} == {"mit, = 100 %", "没有 🙂"}


def test_two_factors_may_set_one_key_where_their_conditions_exclude_each_other(tmp_path: Path) -> None:
    text = WHOLE.partition("design:")[0] + (
        "  fast: {sets: recipe.learning_rate, range: [0.1, 1.0], when: {optimizer: sgd}}\n"
        "  slow: {sets: recipe.learning_rate, range: [0.001, 0.01], scale: log, when: {optimizer: adamw}}\n"
        "design: {kind: search, trials: 4}\nseeds: 1\n"
    )
    factors = load(tmp_path, text).factors
    assert isinstance(factors["slow"], RangeFactor)
    assert "both change recipe.learning_rate" in refusal(
        tmp_path, text.replace("{optimizer: adamw}}", "{optimizer: sgd}}")
    )


@pytest.mark.parametrize("removal", ["augmentations.crop: null", "preprocessing.normalize: null", "model.norm: none"])
def test_leave_one_out_takes_removals(tmp_path: Path, removal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loo_lab").mkdir()
    source = "def build(c, i, *, norm: Literal['batch', 'none'] = 'batch'):\n    '''Net.'''\n"
    (tmp_path / "loo_lab" / "net.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    text = WHOLE.partition("factors:")[0].replace("{name: resnet, depth: 20}", "loo_lab.net")
    text += f"factors: {{part: {{with: {{}}, without: {{{removal}}}}}}}\ndesign: leave-one-out\nseeds: 2\n"
    assert len(designs.arms(load(tmp_path, text))) == 2


def test_the_order_of_levels_is_part_of_the_digest(tmp_path: Path) -> None:
    one = load(tmp_path, WHOLE)
    other = load(
        tmp_path,
        WHOLE.replace(
            "{with: {}, without: {augmentations.crop: null}}", "{without: {augmentations.crop: null}, with: {}}"
        ),
    )
    assert one.digest() != other.digest()
    assert one.digest() == load(tmp_path, WHOLE.replace("raise accuracy", "help")).digest()


def test_a_file_with_many_levels_is_checked_in_a_moment(tmp_path: Path) -> None:
    levels = ", ".join(f"e{number}: {{recipe.epochs: {number}}}" for number in range(1, 201))
    text = WHOLE.partition("factors:")[0] + f"factors: {{epochs: {{{levels}}}}}\ndesign: one-factor\nseeds: 2\n"
    started = time.process_time()
    assert len(designs.arms(load(tmp_path, text))) == 200
    assert time.process_time() - started < 3
