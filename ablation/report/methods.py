"""How the study was done, in words for the methods section of a paper, with what to cite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ablation.report.numbers import count, unit_in
from ablation.report.page import Page
from ablation.report.section import Section
from ablation.settings import Part, Recipe
from ablation.study import Study

_DESIGNS = {
    "one-factor": "a one-factor-at-a-time design",
    "leave-one-out": "a leave-one-out design",
    "factorial": "a full factorial design",
    "fractional": "a two-level fractional factorial design",
    "explicit": "a list of arms chosen one by one",
}

_WORKS = {
    "Dunnett": "Dunnett, C. W. (1955). A multiple comparison procedure for comparing several treatments with a "
    "control. Journal of the American Statistical Association 50, 1096–1121. doi:10.1080/01621459.1955.10501294",
    "single-step": "Hothorn, T., Bretz, F., Westfall, P. (2008). Simultaneous inference in general parametric "
    "models. Biometrical Journal 50, 346–363. doi:10.1002/bimj.200810425",
    "Holm": "Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of "
    "Statistics 6, 65–70.",
    "Brown-Forsythe": "Brown, M. B., Forsythe, A. B. (1974). Robust tests for the equality of variances. Journal of "
    "the American Statistical Association 69, 364–367. doi:10.1080/01621459.1974.10482955",
    "anytime-valid": "Lindon, M., Ham, D. W., Tingley, M., Bojinov, I. (2022). Anytime-valid linear models and "
    "regression adjusted causal inference in randomized experiments. arXiv:2210.08589",
    "alpha spending": "Kim, K., DeMets, D. L. (1987). Design and analysis of group sequential tests based on the "
    "type I error spending rate function. Biometrika 74, 149–154. doi:10.1093/biomet/74.1.149",
}
"""By a word of the method's text: a work is cited only where the method uses it."""

_EQUIVALENCE = (
    "Schuirmann, D. J. (1987). A comparison of the two one-sided tests procedure and the power approach for assessing "
    "the equivalence of average bioavailability. Journal of Pharmacokinetics and Biopharmaceutics 15, 657–680. "
    "doi:10.1007/BF01068419"
)


def section(page: Page) -> tuple[Section, ...]:
    """Paragraphs to be taken over, and the works that they rest on; none of a table, whose making nobody knows."""
    if page.study is None or page.is_search:
        return ()
    texts = (" ".join(_planned(page, page.study)), _trained(page.study), " ".join(_analysed(page, page.study)))
    return (Section(id="methods", title="Methods in words", paragraphs=texts, listed=tuple(_works(page))),)


def _planned(page: Page, study: Study) -> Iterator[str]:
    arms = count(len(page.arms) or len(page.analysis.arms), "arm")
    blocks = f"{'at most ' * page.grows}{count(page.analysis.planned_blocks, 'seed block')}"
    yield f"We compared {arms} in {_DESIGNS[study.design.kind]}, each in {blocks}."
    yield (
        "Within a seed block all arms shared the split into training and validation images, the order of the images, "
        "the random draws of each augmentation and, where their models had equal choices, the initial weights."
    )
    if page.finished_trials < page.planned_trials and not page.grows:
        yield f"So far {page.finished_trials} of {count(page.planned_trials, 'trial')} have finished."


def _trained(study: Study) -> str:
    baseline, recipe = study.baseline, study.baseline.recipe
    steps = _listed(", preprocessed by", baseline.preprocessing)
    prepared = steps + _listed(", training images augmented by", baseline.augmentations)
    return (
        f"The baseline was {_named(baseline.model)} on {_named(baseline.dataset)}{prepared}. It was trained for "
        f"{_recipe(recipe)}. A tenth of each class's training images was held out for validation; statistics for "
        "normalisation, where they were taken from data, were those of the remaining training images."
    )


def _recipe(recipe: Recipe) -> str:
    further = ", ".join(["cross-entropy", *_further(recipe)])
    return (
        f"{count(recipe.epochs, 'epoch')} with batches of {recipe.batch_size} images, {_named(recipe.optimizer)} at a "
        f"peak learning rate of {recipe.learning_rate:g} under the schedule {_named(recipe.schedule)}, {further}, "
        f"in {recipe.precision}"
    )


def _further(recipe: Recipe) -> Iterator[str]:
    """What a recipe adds."""
    if recipe.label_smoothing:
        yield f"label smoothing {recipe.label_smoothing:g}"
    if not recipe.decay_biases:
        yield "no weight decay of biases and scales"
    if recipe.gradient_clip:
        yield f"gradients clipped to a norm of {recipe.gradient_clip:g}"
    if recipe.weight_average:
        yield f"an exponential average of the weights ({recipe.weight_average:g}) scored in their place"
    if recipe.swa:
        yield f"the average of the weights after each of the last {recipe.swa:.0%} of the epochs scored in their place"
    if recipe.trainer is not None:
        yield f"trained by {_named(recipe.trainer)}"
    if recipe.mirrored_scoring:
        yield "scores over each image and its mirror image"


def _listed(told: str, parts: Sequence[Part]) -> str:
    return f"{told} {', '.join(map(_named, parts))}" if parts else ""


def _named(part: Part) -> str:
    choices = ", ".join(f"{name} {value}" for name, value in part.choices.items() if value is not None)
    return f"{part.name} ({choices})" if choices else part.name


def _analysed(page: Page, study: Study) -> Iterator[str]:
    unit = unit_in(study)
    yield f"{study.metric.capitalize()} was measured once, on the {study.evaluate_on} images after the last epoch."
    yield page.analysis.method
    if any("diverged" in arm.outcomes for arm in page.analysis.arms):
        yield "A diverged trial counted as the uniform guess."
    if not _has_intervals(page):
        return
    yield (
        "Effects are level minus reference, with intervals that hold for all contrasts together at 95 %; an effect was "
        f"called equivalent where two one-sided tests placed it within ±{unit.difference(study.margin).lstrip('+')}."
    )


def _works(page: Page) -> Iterator[str]:
    yield from (work for word, work in _WORKS.items() if word in page.analysis.method)
    if _has_intervals(page):
        yield _EQUIVALENCE


def _has_intervals(page: Page) -> bool:
    """Whether there is a spread to judge by; one seed block has none."""
    return any(one.low is not None for one in page.analysis.findings)
