"""The parts of a model card that say how good a model is, how that is known, and where it comes from."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from ablation.analysis.images import wilson
from ablation.analysis.sentences import counted
from ablation.exporting.facts import Facts, table
from ablation.keeping import best_first
from ablation.study import Search
from ablation.visible import in_markdown


def evaluation(facts: Facts) -> Iterator[str]:
    """How good it is, on how many images."""
    right, images = facts.right
    low, high = wilson(right, images)
    rows = [
        (
            f"accuracy on {facts.split} images",
            f"{100 * right / images:.2f} % ({right:,} of {images:,}; 95 % interval "
            f"[{100 * low:.2f}, {100 * high:.2f}] %, Wilson)",
        ),
        (f"loss on {facts.split} images", f"{facts.scores.loss:.4f} nats, mean cross-entropy"),
    ]
    if facts.split == "test" and (validation := facts.outcome.validation):
        rows.append(
            ("validation images", f"accuracy {100 * validation.accuracy:.2f} %, loss {validation.loss:.4f} nats")
        )
    yield from table(*rows)
    yield ""
    yield (
        "Measured by the trial itself, when its training had ended. The interval is over images like these, for this "
        "one trained model; it says nothing of other seeds or other images."
    )


def parity(facts: Facts) -> Iterator[str]:
    """How far the file is from the trial."""
    images = facts.agreements[0].images
    yield f"The file was opened again and run on {images:,} of the {facts.split} images. Its probabilities beside"
    yield ""
    yield "| | largest difference | on other classes, in the mean | images with another class | allowed |"
    yield "|---|---|---|---|---|"
    names = {"record": "what the trial recorded", "eager model": "the model in PyTorch, in float32"}
    for one in facts.agreements:
        bound = f"{one.bound:g} at most" if one.bounded == "largest" else f"{100 * one.bound:g} % in the mean"
        moved = f"{100 * one.moved:.2g} %"
        yield f"| {names[one.against]} | {one.largest:.2g} | {moved} | {one.other_class} | {bound} |"
    yield ""
    precision = facts.outcome.stamp.precision if facts.outcome.stamp else "an unknown precision"
    yield f"The trial computed in {precision} and recorded its probabilities as float16; the file computes in float32."


def limits(facts: Facts) -> Iterator[str]:
    """What nobody may expect of it, and why its score may flatter it."""
    study, settings = facts.begun.study, facts.record.trial.arm.settings
    yield f"- It knows the {len(facts.description.classes)} classes above alone, and gives every image one of them."
    yield (
        f"- Nothing is known of images that are unlike those of {in_markdown(settings.dataset.name)}, nor of how its "
        "probabilities fit how often it is right."
    )
    yield f"- {_seeds(facts)}"
    if isinstance(study.design, Search):
        yield (
            f"- The study is a search of {study.design.trials} trials, which reads validation scores alone, and the "
            "best of many looks better than it is. `ablate confirm` measures its best arms on fresh seed blocks and "
            "test images."
        )
    elif facts.split == "validation":
        yield "- It was measured on validation images, which also decide whose weights are kept: this flatters it."
    else:
        yield (
            f"- The study measured {counted(facts.arms, 'arm')} on the same test images. Where a model was picked by "
            "these scores, luck was picked too: on new images it is then likely to be right less often."
        )
    if confirms := facts.begun.confirms:
        yield (
            f"- The study confirms arms that the search {in_markdown(confirms.folder)} had chosen, on seed blocks that "
            "were fresh to it."
        )
    yield "- This card names no licence. That of the data set may bind those who use the model."


def _seeds(facts: Facts) -> str:
    """What the other seed blocks of the arm say of this one."""
    ranked = best_first(facts.of_the_arm)
    found = [
        scores.accuracy
        for one in ranked
        if one.outcome and (scores := one.outcome.scores(facts.record.trial.evaluate_on))
    ]
    if len(found) < 2:
        return "It is one seed block of its arm, the only complete one: what another seed would give is not known."
    low, high = (f"{100 * value:.2f} %" for value in (min(found), max(found)))
    best = ranked[0].trial.id == facts.record.trial.id
    kept = " This one has the best validation accuracy of them, which is therefore optimistic." if best else ""
    return (
        f"It is one seed block of its arm. The arm came to accuracies of {low} to {high} on {facts.split} images in "
        f"its {len(found)} complete seed blocks, {100 * statistics.fmean(found):.2f} % in the mean.{kept}"
    )


def provenance(facts: Facts) -> Iterator[str]:
    """Where it comes from."""
    trial, stamp = facts.record.trial, facts.outcome.stamp
    rows = [
        ("study", f"{in_markdown(facts.begun.study.folder_name)}, digest `{facts.begun.digest}`"),
        ("trial", f"`{trial.id}`, seed block {trial.block}, {facts.outcome.status}"),
        ("levels", in_markdown(", ".join(f"{name}={level}" for name, level in trial.arm.levels.items())) or "none"),
    ]
    if stamp:
        changed = ", with changes that were not committed" if stamp.git_dirty else ""
        commit = f"`{stamp.git_commit}`{changed}" if stamp.git_commit else "not in a checkout"
        rows += [
            (
                "trained",
                f"{stamp.started}, on {in_markdown(stamp.device)}, {counted(stamp.threads, 'CPU thread')} a trial",
            ),
            ("versions", in_markdown(", ".join(f"{name} {version}" for name, version in stamp.versions.items()))),
            ("git commit", commit),
            ("code, sha256", ", ".join(f"{in_markdown(name)} `{found[:12]}`" for name, found in stamp.code.items())),
        ]
    yield from table(*rows)
