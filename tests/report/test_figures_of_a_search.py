"""History, slices, parallel coordinates and importances of a search: first the values, then that they can be drawn."""

from dataclasses import replace

import pytest
from examples import search_page, suggestions
from test_page import HOSTILE, Document

from ablation.hypotheses import Suggestions
from ablation.report import Page, render
from ablation.report.figures import importances, search_history, search_parallel, search_scatter
from ablation.report.figures.search_trials import Trials, ranking, trials_of
from ablation.study import LevelsFactor, RangeFactor


@pytest.fixture
def trials() -> Trials:
    page = search_page()
    return trials_of(page.records, page.study)


def without(trials: Trials, *statuses: str) -> Trials:
    return replace(trials, all=tuple(trial for trial in trials.all if trial.status not in statuses))


def test_complete_trials_are_ranked_by_validation_and_equals_by_number(trials):
    scores = [trial.score for trial in trials.ranked]
    assert len(scores) == 36
    assert scores == sorted(scores, reverse=True)
    loss = trials_of(search_page().records, search_page().study.model_copy(update={"metric": "loss"}))
    assert [trial.score for trial in loss.ranked] == sorted(trial.score for trial in loss.ranked)
    alike = replace(trials, all=tuple(replace(trial, score=0.5) for trial in reversed(trials.all)))
    numbers = [trial.number for trial in alike.ranked]
    assert numbers == sorted(numbers)
    assert [row[0] for row in ranking(trials, 3).rows] == [str(trial.number) for trial in trials.ranked[:3]]


def test_levels_stand_in_the_order_of_the_study(trials):
    assert trials.levels("optimizer") == ["sgd", "adamw"]
    assert trials.levels("learning_rate") == []
    assert trials.is_logarithmic("learning_rate")
    assert not trials.is_logarithmic("momentum")


def test_the_history_keeps_the_best_complete_score_so_far(trials):
    value = search_history.compute(trials)
    running = [score for score in value.best if score is not None]
    assert running == sorted(running)
    assert running[-1] == trials.ranked[0].score
    assert len(value.trials) == len(value.best) == 40
    assert "3 pruned, 1 failed" in value.title
    pruned = next(at for at, trial in enumerate(value.trials) if trial.status == "pruned")
    assert value.best[pruned] == value.best[pruned - 1]


def test_the_history_draws_each_ending_in_its_own_shape_and_what_failed_at_the_edge(trials):
    drawing = search_history.draw(search_history.compute(trials))
    assert [trace.name for trace in drawing.figure.data] == [
        "best so far", "complete", "pruned, at its last epoch", "failed",
    ]  # fmt: skip
    assert len({trace.marker.symbol for trace in drawing.figure.data[1:]}) == 3
    low, high = drawing.figure.layout.yaxis.range
    (failed,) = drawing.figure.data[3].y
    assert low < failed < low + 0.1 * (high - low)
    assert len(drawing.table.rows) == 40


def test_a_history_of_one_score_has_an_axis(trials):
    one = replace(trials, all=trials.ranked[:1])
    low, high = search_history.compute(one).span
    assert low < one.all[0].score < high
    assert search_history.compute(replace(trials, all=trials.of("failed"))) is None


def test_slices_say_what_the_best_trials_share(trials):
    value = search_scatter.compute(trials)
    best = [trial.level("learning_rate") for trial in value.ranked[:10]]
    assert value.title.startswith("The ten best trials have learning_rate from 0.0")
    assert f"to {max(best):.3g}, all from" in value.title
    named = {"optimizer": trials.factors["optimizer"]}
    value = search_scatter.compute(replace(trials, factors=named))
    sgd = [sum(trial.level("optimizer") == "sgd" for trial in some) for some in (value.ranked[:10], value.ranked)]
    assert value.title == f"{sgd[0]} of the ten best trials have optimizer sgd, {sgd[1]} of all 36 do"
    few = replace(trials, all=trials.ranked[:12])
    assert search_scatter.compute(few).title == "12 complete trials show little of any factor"
    assert search_scatter.compute(replace(trials, all=())) is None


def test_slices_have_a_panel_a_factor_and_the_scale_of_a_range(trials):
    drawing = search_scatter.draw(search_scatter.compute(trials))
    assert drawing.figure.layout.xaxis.type == "log"
    assert drawing.figure.layout.xaxis2.ticktext == ("sgd", "adamw")
    assert [sum(len(trace.x) for trace in drawing.figure.data[at : at + 2]) for at in (0, 2)] == [36, 36]
    sgd = sum(trial.level("momentum") is not None for trial in trials.ranked)
    assert sum(len(trace.x) for trace in drawing.figure.data[4:]) == sgd
    many = {f"factor {at}": LevelsFactor(levels={"a": {}, "b": {}}) for at in range(20)}
    crowded = search_scatter.compute(replace(trials, factors=many))
    assert len(search_scatter.draw(crowded).figure.data) == 18


def test_lines_run_through_their_levels_to_their_score(trials):
    value = search_parallel.compute(trials)
    assert [scale.name for scale in value.scales] == ["learning_rate", "optimizer", "momentum", "validation accuracy"]
    assert (len(value.best), len(value.others), len(value.pruned)) == (10, 26, 3)
    assert [line.places[-1] for line in (value.best[0], value.others[-1])] == [1.0, 0.0]
    for line in (*value.best, *value.others, *value.pruned):
        rate, optimizer, momentum, score = line.places
        assert rate is not None
        assert 0 <= rate <= 1
        assert optimizer == {"sgd": 0.0, "adamw": 1.0}[line.trial.level("optimizer")]
        assert (momentum is not None and momentum < 0) == (line.trial.level("momentum") is None)
        assert (score is None) == (line.trial.status == "pruned")


def test_a_log_range_is_placed_on_its_log_scale(trials):
    middle = replace(trials.ranked[0], levels=(("learning_rate", 10**-1.5), ("optimizer", "sgd")))
    value = search_parallel.compute(replace(trials, all=(middle, *trials.ranked[1:])))
    assert value.best[0].places[0] == pytest.approx(0.5)


def test_parallel_coordinates_of_losses_have_the_smallest_at_the_top():
    page = search_page()
    value = search_parallel.compute(trials_of(page.records, page.study.model_copy(update={"metric": "loss"})))
    assert value.best[0].places[-1] == 1.0
    bottom, top = (float(text.split()[0]) for _, text in value.scales[-1].ticks)
    assert bottom > top


def test_scores_that_are_all_alike_have_no_parallel_coordinates(trials):
    alike = replace(trials, all=tuple(replace(trial, score=0.5) for trial in trials.all))
    assert search_parallel.compute(alike) is None


def test_importances_say_what_stands_out():
    value = importances.compute(suggestions().importances)
    assert value.title == "Beyond what chance shows: learning_rate by PED-ANOVA. A hypothesis, to be tested"
    none = [each.model_copy(update={"bars": each.bars[1:]}) for each in suggestions().importances]
    assert importances.compute(none).title == "No factor stands out from what chance alone would show"
    assert importances.compute(()) is None


def test_every_bar_is_drawn_over_what_chance_shows():
    drawing = importances.draw(importances.compute(suggestions().importances))
    noise, shares, *_ = drawing.figure.data
    assert list(noise.x) == pytest.approx([31, 55, 20])
    assert list(shares.x) == pytest.approx([82, 12, 6])
    assert len(set(shares.marker.color)) == 2
    assert [shape.x0 for shape in drawing.figure.layout.shapes] == pytest.approx([55, 74])
    assert drawing.table.rows[1][:2] == ("momentum (where optimizer=sgd)", "PED-ANOVA")
    assert drawing.figure.layout.yaxis2.ticktext == ("learning_rate", "optimizer")


def test_a_search_without_importances_says_what_they_need():
    few = Suggestions(warnings=("Importances need 10 scored trials.",))
    document = Document(render(replace(search_page(), suggestions=few)))
    assert "Importances need 10 scored trials." in document.shown
    assert "importances-plot" not in {attrs["id"] for attrs in document.all("figure")}


def hostile_search_page() -> Page:
    """Every name of a search, hostile."""
    page = search_page()
    names = {name: f"{name} {HOSTILE}" for name in page.study.factors}
    factors = {
        names["learning_rate"]: page.study.factors["learning_rate"],
        names["optimizer"]: LevelsFactor(levels={f"sgd {HOSTILE}": {}, f"adamw {HOSTILE}": {}}),
        names["momentum"]: RangeFactor(sets="recipe.optimizer.momentum", range=[0.5, 0.99]),
    }

    def rename(record):
        levels = {
            names[name]: f"{level} {HOSTILE}" if isinstance(level, str) else level
            for name, level in record.trial.arm.levels.items()
        }
        arm = record.trial.arm.model_copy(update={"levels": levels, "name": f"{record.trial.arm.name} {HOSTILE}"})
        return record.model_copy(update={"trial": record.trial.model_copy(update={"arm": arm})})

    bars = [
        each.model_copy(
            update={
                "bars": tuple(
                    bar.model_copy(update={"factor": names[bar.factor], "where": HOSTILE}) for bar in each.bars
                )
            }
        )
        for each in page.suggestions.importances
    ]
    levels = tuple(
        one.model_copy(update={"factor": names[one.factor], "level": HOSTILE}) for one in page.analysis.levels
    )
    return replace(
        page, study=page.study.model_copy(update={"factors": factors}), records=[*map(rename, page.records)],
        suggestions=Suggestions(importances=tuple(bars), warnings=(HOSTILE,)),
        analysis=page.analysis.model_copy(update={"levels": levels}),
    )  # fmt: skip


def test_hostile_names_stay_text():
    document = Document(render(hostile_search_page()))
    assert len(document.all("script")) == len(Document(render(search_page())).all("script"))
    assert document.all("img") == []
    figures = [text for tag, text in document.texts if tag == "script" and text.startswith("{")]
    assert not any("<b>" in text or "\\u003cimg" in text for text in figures)


def test_of_ten_trials_or_fewer_none_is_among_the_best(trials):
    few = replace(trials, all=tuple(trial for trial in trials.all if trial.status == "complete")[:4])
    drawn = search_scatter.draw(search_scatter.compute(few)).figure.data
    assert {trace.name for trace in drawn if len(trace.x)} == {"complete trials"}
    parallel = search_parallel.draw(search_parallel.compute(few)).figure.data
    assert {trace.name for trace in parallel} == {"complete trials"}


@pytest.mark.parametrize(("count", "step"), [(4, 1), (8, 1), (16, 2), (20, 5), (40, 5)])
def test_the_history_counts_in_whole_trials(trials, count, step):
    axis = search_history.draw(search_history.compute(replace(trials, all=trials.all[:count]))).figure.layout.xaxis
    assert axis.dtick == step
    assert axis.range[0] < 0


def test_a_short_logarithmic_axis_has_ticks_between_the_decades(trials):
    narrow = replace(trials, all=tuple(one for one in trials.all if 0.02 < one.level("learning_rate") < 0.4))
    drawing = search_scatter.draw(search_scatter.compute(narrow))
    assert {"0.03", "0.1", "0.3"} <= set(drawing.figure.layout.xaxis.ticktext)
    assert drawing.figure.layout.yaxis.title.text == "validation accuracy (%)"
