"""What MLflow holds of a study, name by name: docs/reference/mlflow.md is written from these tables.

`<...>` in a name stands for any text: the level of a factor is under `factor.<factor>`. Stores are held against the
tables by `tests/tracking/named.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Meaning(NamedTuple):
    """What is written under a name, and in what unit; `only` says where, if not in every study or complete trial."""

    text: str
    only: str = ""
    unit: str = ""


Names = Mapping[str, Meaning]

_STAMP = {
    "device": Meaning("the device, by its own name"),
    "host": Meaning("the name of the machine"),
    "threads": Meaning("CPU threads a trial"),
    "precision": Meaning("`float32` or `bfloat16`"),
    "versions": Meaning("of Python, the package and the libraries that results depend on"),
    "code": Meaning("the sums of the source of the package and of each component of the trial"),
    "mlflow.source.git.commit": Meaning("the commit of the working directory", "in a git repository"),
    "git dirty": Meaning("whether files differed from that commit", "in a git repository"),
}
_RUN_NAME = Meaning("the name of the run")
_SOURCE = {
    "mlflow.user": Meaning("who ran the command"),
    "mlflow.source.name": Meaning("`ablate`"),
    "mlflow.source.type": Meaning("`LOCAL`"),
}

TRIAL_PARAMETERS: Names = {
    "factor.<factor>": Meaning("the level of that factor", "where the factor takes part in the arm"),
    "seed_block": Meaning("the seed block, counted from 0"),
    "setting.<key>": Meaning(
        "each setting by its dotted key in the study file, such as `setting.recipe.learning_rate`; of "
        "`setting.preprocessing` and `setting.augmentations` the names of the steps in their order"
    ),
}
_OWN = "of each of the study's `metrics`"
_TESTED = "of a study that is evaluated on `test`"
_SHARE, _NATS, _OF_THE_METRIC = "share of images", "nats an image", "that of the metric"
_ON_VALIDATION = {
    "validation/accuracy": Meaning("on the validation images", unit=_SHARE),
    "validation/loss": Meaning("on the validation images", unit=_NATS),
    "validation/<metric>": Meaning("on the validation images", _OWN, _OF_THE_METRIC),
}
_ON_TEST = {
    "test/accuracy": Meaning("on the test images, with the final weights", _TESTED, _SHARE),
    "test/loss": Meaning("on the test images, with the final weights", _TESTED, _NATS),
    "test/<metric>": Meaning("on the test images, with the final weights", f"{_OWN}, {_TESTED}", _OF_THE_METRIC),
}
EPOCH_METRICS: Names = {
    "train/accuracy": Meaning("mean over the epoch's augmented batches", unit=_SHARE),
    "train/loss": Meaning("mean over the epoch's augmented batches", unit=_NATS),
    "train/learning_rate": Meaning("the learning rate of the epoch's last step"),
    **_ON_VALIDATION,
    "epoch_seconds": Meaning("how long the epoch took", unit="seconds"),
}
TRIAL_METRICS: Names = {
    **_ON_TEST,
    "seconds": Meaning("from the first step to the last score", unit="seconds"),
    "images_per_second": Meaning("training images by the time of training", unit="images a second"),
    "parameters": Meaning("how many numbers the model learns", unit="numbers"),
    "peak_memory_bytes": Meaning("the most memory of the device, on a CPU of the process", unit="bytes"),
}
TRIAL_TAGS: Names = {
    "arm": Meaning("the arm: `baseline`, or the levels that differ from it"),
    "seed block": Meaning("the seed block, counted from 0"),
    "baseline": Meaning("`true`", "of trials of the baseline"),
    "factor.<factor>": TRIAL_PARAMETERS["factor.<factor>"],
    "optuna trial": Meaning("the number of the trial in Optuna's storage"),
    "status": Meaning("`complete`, `diverged`, `pruned` or `failed`"),
    "reason": Meaning("why", "of a trial that is not complete"),
    "folder": Meaning("the trial's folder, as the command was told it"),
    **_STAMP,
    "mlflow.runName": _RUN_NAME,
    **_SOURCE,
    "mlflow.parentRunId": Meaning("the run of the study"),
    "ablation.trial": Meaning("the run folder and the trial; by this tag its run is found again"),
    "ablation.record": Meaning("the sum of the record that the run was written from"),
}
TRIAL_ARTIFACTS: Names = {
    "confusion.html": Meaning("the confusion matrix of the evaluated images", "of a complete or pruned trial"),
    "predictions.npz": Meaning("the class probabilities of the evaluated images", "of a complete or pruned trial"),
    "log.txt": Meaning("what the trial printed", "of a trial that printed anything"),
}
TRIAL_DATA_SETS: Names = {
    "<data set> training": Meaning("the images that were trained on, in the context `training`"),
    "<data set> <split>": Meaning("the images that the outcome was read on, in the context `evaluation`"),
}
STUDY_TAGS: Names = {
    "study": Meaning("the name of the study"),
    "question": Meaning("what it asks"),
    "scale": Meaning("the scale that it was run at"),
    "design": Meaning("the rule that lists the arms"),
    "seed blocks": Meaning("how many are planned; of a growing plan, at most"),
    "arms": Meaning("how many are planned"),
    "trials": Meaning("how many are planned"),
    "metric": Meaning("what is compared, and on which images: `accuracy on test`"),
    "margin": Meaning("effects inside it count as equivalent, in the metric's own unit"),
    "digest": Meaning("the sum of all that decides results, as `study.json` and the report have it"),
    "status": Meaning("`running`, `paused` or `complete`"),
    "confirms": Meaning("the run folder of the search that it confirms", "of a confirmation"),
    "confirmed by": Meaning("the run folders of its confirmations", "of a search that was confirmed"),
    **_STAMP,
    "code": Meaning("the sum of the source of the package"),
    "mlflow.runName": _RUN_NAME,
    **_SOURCE,
    "mlflow.note.content": Meaning("the description: first the question, in the end the findings"),
    "ablation.study": Meaning("the run folder; by this tag the study's run and its models are found again"),
}
STUDY_ARTIFACTS: Names = {
    "study.yaml": Meaning("the study file, as it was written"),
    "report/report.html": Meaning("the report"),
    "report/findings.md": Meaning("the findings in Markdown"),
    "report/findings.json": Meaning("the findings as data"),
    "report/findings.tex": Meaning("the findings as a table for LaTeX"),
    "report/results.csv": Meaning("the scores and costs of every trial"),
}
EXPERIMENT_TAGS: Names = {
    "mlflow.note.content": Meaning("the description above the table of runs: the question and the findings"),
    "mlflow.sharedViewState.arms": Meaning("the view Arms"),
}
MODEL_TAGS: Names = {
    "arm": TRIAL_TAGS["arm"],
    "seed block": TRIAL_TAGS["seed block"],
    **_SOURCE,
    "mlflow.note.content": Meaning("how to load and use it"),
    "ablation.study": Meaning("the run folder of its study"),
    "ablation.weights": Meaning("the sha256 of the weights that it was made from"),
}
MODEL_METRICS: Names = {**_ON_VALIDATION, **_ON_TEST}
