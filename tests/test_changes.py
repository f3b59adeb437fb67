"""Each difference of a study file is an extension, decides no result, or makes another study."""

from pathlib import Path

import pytest
from small_studies import SEARCH, SMALL, load

from ablation.changes import Comparison, compare
from ablation.study import Study

FACTORIAL = SMALL.replace("design: one-factor", "design: factorial")
FLIP = "  flip: {none: {}, flipped: {augmentations.flip: {}}}\n"
STEPS = SMALL.replace("recipe:", "augmentations: {cutout: {size: 2}, color_jitter: {}}\nrecipe:")
EXPLICIT = SMALL.replace("design: one-factor", "design: {kind: explicit, arms: {both: {crop: shifted, flip: flipped}}}")


@pytest.fixture
def compared(tmp_path: Path):
    """Compare two texts of one study file."""

    def compare_texts(before: str, after: str) -> Comparison:
        return compare(study(before), study(after))

    def study(text: str) -> Study:
        path = tmp_path / "small.yaml"
        path.write_text(text)
        return load(path)

    return compare_texts


def changed(text: str, before: str, after: str) -> str:
    assert before in text
    return text.replace(before, after)


@pytest.mark.parametrize("text", [SMALL, FACTORIAL, EXPLICIT, SEARCH])
def test_the_same_file_differs_in_nothing(compared, text: str) -> None:
    assert compared(text, text) == Comparison()


@pytest.mark.parametrize(
    ("text", "before", "after", "extended"),
    [
        (SMALL, "seeds: 2", "seeds: 3", ["1 more seed block (2 -> 3)"]),
        (
            SMALL,
            "{padding: 2}}}",
            "{padding: 2}}, wide: {augmentations.crop: {padding: 4}}}",
            ["1 more arm (crop=wide)"],
        ),
        (
            SMALL,
            "design:",
            "  wide: {narrow: {}, broad: {model.width: 8}}\ndesign:",
            ["1 more arm (wide=broad)"],
        ),
        (
            FACTORIAL,
            "design:",
            "  wide: {narrow: {}, broad: {model.width: 8}}\ndesign:",
            ["4 more arms (wide=broad; flip=flipped, wide=broad; crop=shifted, wide=broad; "
             "crop=shifted, flip=flipped, wide=broad)"],
        ),
        (EXPLICIT, "flipped}}}", "flipped}, one: {flip: flipped}}}", ["1 more arm (one)"]),
        (SEARCH, "trials: 5", "trials: 8", ["3 more trials (5 -> 8)"]),
    ],
)  # fmt: skip
def test_more_of_the_same_extends_the_study(compared, text: str, before: str, after: str, extended: list[str]) -> None:
    found = compared(text, changed(text, before, after))
    assert found == Comparison(extended=tuple(extended))


def test_blocks_and_arms_can_come_together_with_words(compared) -> None:
    after = changed(SMALL, "seeds: 2", "seeds: 4").replace("question: Do", "question: Really, do")
    found = compared(
        SMALL, changed(after, "{padding: 2}}}", "{padding: 2}}, wide: {augmentations.crop: {padding: 4}}}")
    )
    assert found.extended == ("2 more seed blocks (2 -> 4)", "1 more arm (crop=wide)")
    assert [line.partition(":")[0] for line in found.cosmetic] == ["question"]
    assert not found.refused


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ("question: Do", "question: Really, do", "question"),
        ("margin:", "execution: {checkpoint_seconds: 5}\nmargin:", "execution.checkpoint_seconds"),
        ("margin:", "execution: {hang_seconds: 5}\nmargin:", "execution.hang_seconds"),
        ("margin:", "execution: {keep: none}\nmargin:", "execution.keep"),
        ("margin:", "tracking: {models: best}\nmargin:", "tracking.models"),
    ],
)
@pytest.mark.parametrize("text", [SMALL, SEARCH])
def test_what_decides_no_result_may_change(compared, text: str, before: str, after: str, key: str) -> None:
    found = compared(text, changed(text, before, after))
    assert not found.refused
    assert not found.extended
    assert key in {line.partition(":")[0] for line in found.cosmetic}


def test_another_spelling_of_the_same_settings_changes_nothing(compared) -> None:
    found = compared(SMALL, changed(SMALL, "{padding: 2}}", "{padding: 2}, recipe.epochs: 3}"))
    assert found == Comparison(cosmetic=("factors.crop.levels.shifted.recipe.epochs: not there -> 3",))


def test_the_order_of_factors_moves_no_arm_of_a_one_factor_design(compared) -> None:
    lines = SMALL.splitlines()
    crop, flip = (
        next(i for i, line in enumerate(lines) if "crop:" in line),
        next(i for i, line in enumerate(lines) if "flip:" in line),
    )
    lines[crop], lines[flip] = lines[flip], lines[crop]
    found = compared(SMALL, "\n".join(lines))
    assert found == Comparison(cosmetic=("factors: the order of factors or levels changed",))


@pytest.mark.parametrize(
    ("text", "before", "after", "says"),
    [
        (SMALL, "epochs: 3", "epochs: 4", "recipe.epochs: 3 -> 4"),
        (SMALL, "normalize: {}", "normalize: {statistics: given, mean: [0.5], std: [0.2]}",
         "preprocessing.normalize.mean: not there -> [0.5]"),
        (SMALL, "normalize: {}", "normalize: {statistics: image}",
         "preprocessing.normalize.statistics: dataset -> image"),
        (SMALL, "recipe:", "augmentations: {cutout: {size: 2}}\nrecipe:", "augmentations.cutout.size: not there -> 2"),
        (STEPS, "{cutout: {size: 2}, color_jitter: {}}", "{color_jitter: {}, cutout: {size: 2}}",
         "augmentations: cutout, color_jitter -> color_jitter, cutout"),
        (SMALL, "width: 4", "width: 8", "model.width: 4 -> 8"),
        (SMALL, "test_size: 96", "test_size: 48", "dataset.test_size: 96 -> 48"),
        (SMALL, "margin: 0.05", "margin: 0.1", "margin: 0.05 -> 0.1"),
        (SMALL, "margin:", "metric: loss\nmargin:", "metric: accuracy -> loss"),
        (SMALL, "margin:", "evaluate_on: validation\nmargin:", "evaluate_on: test -> validation"),
        (SMALL, "margin:", "execution: {threads: 2}\nmargin:", "execution.threads: 1 -> 2"),
        (SMALL, "margin:", "execution: {device: cpu}\nmargin:", "execution.device: auto -> cpu"),
        (SMALL, "seeds: 2", "seeds: 1", "seeds: 2 -> 1"),
        (SMALL, "one-factor", "factorial", "design.kind: one-factor -> factorial"),
        (SMALL, "padding: 2", "padding: 3", "arm crop=shifted: planned -> not planned with these settings"),
        (SMALL, "padding: 2", "padding: 3", "factors.crop.levels.shifted.augmentations.crop.padding: 2 -> 3"),
        (SMALL, "shifted:", "moved:", "arm crop=shifted: now called crop=moved"),
        (SMALL, "crop: {none:", "crop: {absent:", "arm baseline: crop=none -> crop=absent"),
        (SMALL, FLIP, "", "arm flip=flipped: planned -> not planned"),
        (EXPLICIT, "both:", "together:", "arm both: now called together"),
        (SEARCH, "trials: 5", "trials: 4", "design.trials: 5 -> 4"),
        (SEARCH, "seeds: 2", "seeds: 3", "seeds: 2 -> 3"),
        (SEARCH, "sampler: tpe", "sampler: random", "design.sampler: tpe -> random"),
        (SEARCH, "1.0e-3, 1.0", "1.0e-2, 1.0", "factors.rate.range: [0.001, 1.0] -> [0.01, 1.0]"),
        (SEARCH, "trials: 5", "trials: 8, pruner: median", "design.pruner: none -> median"),
    ],
)  # fmt: skip
def test_all_else_is_another_study(compared, text: str, before: str, after: str, says: str) -> None:
    found = compared(text, changed(text, before, after))
    assert any(line.startswith(says) for line in found.refused), found
    assert not found.extended
