"""Where MLflow's pages show a study, and the view of them that is set up for it.

MLflow keeps a view that a person saves as a tag of the experiment, lists it under Views, and opens it by an address.
A version of MLflow that keeps views in another way shows its own default.
"""

from __future__ import annotations

import json

from ablation.study import Search, Study
from ablation.tracking import rows

ARMS = "arms"
VIEW_TAG = f"mlflow.sharedViewState.{ARMS}"

_NAME, _CREATED, _DURATION = "attributes.`Run Name`", "runDateAndNestInfo", "duration"
_NAME_WIDTH, _METRIC_WIDTH = 280, 150
"""Pixels: MLflow's own 190 and 100 cut off which seed block a run is, and of what split a score."""


def runs_page(experiment: str, *, prepared: bool = True) -> str:
    """The table of an experiment's runs, as what follows the address of the server; `prepared`: in our view."""
    view = f"&viewStateShareKey={ARMS}" if prepared else ""
    return f"#/experiments/{experiment}/runs?workflowType=machine_learning{view}"


def links(experiment: str, parent: str) -> str:
    """Markdown that leads to what is worth a look; it holds on every server and port."""
    run, query = f"#/experiments/{experiment}/runs/{parent}", "?workflowType=machine_learning"
    pages = {
        "Report": f"{run}/artifacts/report/report.html{query}",
        "Arms side by side": runs_page(experiment),
        "Charts": f"{runs_page(experiment)}&compareRunsMode=CHART",
        "Models": f"#/experiments/{experiment}/models{query}",
    }
    return " · ".join(f"[{name}]({page})" for name, page in pages.items())


def arms_view(study: Study, made: int) -> str:
    """The tag of the view, made at this time (milliseconds since 1970): one group an arm, by the study's metric.

    Columns hold metrics and factors; of so many factors that the tag would be too long, the first.
    """
    factors = [f"params.`{key}`" for key in rows.keyed({f"factor.{name}": "" for name in study.factors})]
    while len(text := _text(study, factors, made)) > rows.LONGEST_TAG:
        factors.pop()
    return text


def _text(study: Study, factors: list[str], made: int) -> str:
    other = "loss" if study.metric == "accuracy" else "accuracy"
    beside = "validation" if study.evaluate_on == "test" else "train"
    further = [f"{study.evaluate_on}/{part.name}" for part in study.metrics if part.name != study.metric]
    shown = (
        f"{study.evaluate_on}/{study.metric}",
        f"{study.evaluate_on}/{other}",
        *further,
        f"{beside}/{study.metric}",
    )
    first, *_ = metrics = [f"metrics.`{key}`" for key in shown]
    columns = [*metrics, *factors, "params.`seed_block`"]
    by_arm = {"aggregateFunction": "average", "groupByKeys": [{"mode": "tag", "groupByData": "arm"}]}
    state = {
        "searchFilter": "tags.arm LIKE '%'",  # the trials, and not the study's own run
        "orderByKey": first,
        "orderByAsc": not study.higher_is_better,
        "selectedColumns": columns,
        "columnOrder": [_NAME, *columns, _CREATED, _DURATION],
        "columnWidths": {_NAME: _NAME_WIDTH, **dict.fromkeys(metrics, _METRIC_WIDTH)},
        "groupBy": None if isinstance(study.design, Search) else by_arm,  # a search seldom repeats an arm
        "runsHiddenMode": "SHOW_ALL",
    }
    return json.dumps({"name": "Arms", "createdAt": made, "updatedAt": made, "state": json.dumps(state)})
