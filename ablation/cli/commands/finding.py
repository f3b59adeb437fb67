"""Commands that say what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ablation.cli import options
from ablation.cli.app import app

_HigherIsBetter = Annotated[
    bool | None,
    typer.Option(
        "--higher-is-better/--lower-is-better",
        help="With `--from`: what is good of the metric; known of accuracy and loss, asked for of all others.",
        show_default=False,
    ),
]
_Margin = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="With `--from`: effects inside it count as equivalent, in the metric's own unit. Default: 0.002 of "
        "accuracy, 0.01 nats of loss; asked for of all others.",
        metavar="EFFECT",
    ),
]
_Out = Annotated[
    Path | None, typer.Option(help="With `--from`: the folder for the report. Default: the table's.", metavar="DIR")
]
_Watch = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="Write it whenever a trial has ended, as long as the study runs; the page in a browser loads itself "
        "again.",
    ),
]


@app.command()
def report(
    study: Annotated[
        Path | None, typer.Argument(metavar="STUDY", help="A study file, or the run folder of a study.")
    ] = None,
    scale: options.WhichScale = None,
    runs_dir: options.RunsDir = options.RUNS,
    data_dir: options.DataDir = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--from", help="Analyse anybody's table instead: columns of factors, a seed and a metric.", metavar="CSV"
        ),
    ] = None,
    metric: Annotated[str, typer.Option(help="With `--from`: the column to analyse.", metavar="NAME")] = "accuracy",
    higher_is_better: _HigherIsBetter = None,
    margin: _Margin = None,
    out: _Out = None,
    watch: _Watch = False,
    as_json: options.Json = False,
) -> None:
    """Write a study's findings report again, or that of a table of results."""
    from ablation.cli.findings import Measure, report_study, report_table, watch_study
    from ablation.errors import InputError
    from ablation.sources.roots import data_at

    if (study is None) == (table is None):
        raise InputError("give either a STUDY or --from results.csv.")
    if watch and study is None:
        raise InputError("--watch follows a STUDY that runs; a table stays as it is.")
    if table is not None:
        report_table(table, out or table.parent, Measure(metric, higher_is_better, margin), as_json)
    elif study is not None:
        with data_at(data_dir):
            (watch_study if watch else report_study)(study, runs_dir, scale, as_json)


@app.command()
def compare(
    study: options.StudyArgument,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME...", help="A and B: two arms, or one to compare with the baseline."),
    ] = None,
    other: Annotated[
        Path | None,
        typer.Option("--with", help="Take B from this study; one NAME then stands for both.", metavar="STUDY"),
    ] = None,
    trials: Annotated[bool, typer.Option("--trials", help="The names are those of two trials.")] = False,
    fail_on_regression: Annotated[
        str | None,
        typer.Option(
            help="Exit with 6 where B falls short by at least this, with 95 % confidence: `0.5pp` of accuracy, or "
            "`0.02nats` of loss. `0pp` is any regression that is told from zero.",
            metavar="SIZE",
        ),
    ] = None,
    images: Annotated[int, typer.Option(min=0, help="How many disagreeing images to print.", metavar="N")] = 10,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write the page `compare.html`, `compare.json` (what `--json` prints) and `disagreements.csv` there.",
            metavar="DIR",
        ),
    ] = None,
    scale: options.WhichScale = None,
    runs_dir: options.RunsDir = options.RUNS,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Compare two arms of a study, an arm in two studies, or two trials: scores, cost, classes and images."""
    from ablation.cli.compare import Asked, Showing, compare_sides
    from ablation.sources.roots import data_at

    asked = Asked(study, names or (), other, runs_dir, scale, trials)
    with data_at(data_dir):
        compare_sides(asked, Showing(fail_on_regression, images, out, as_json))
