"""The check that leans on no distribution: were the signs of the differences drawn by chance?"""

from __future__ import annotations

import numpy as np
from scipy import stats

from ablation.analysis.moments import Floats
from ablation.analysis.multiplicity import INTEGRATION_SEED

_RESAMPLES = 2**13 - 1


def sign_flip_p(differences: Floats) -> float | None:
    """The two-sided p of the mean of one contrast in each seed block, over all ways to flip signs; None below two.

    Exact up to 12 seed blocks, from a fixed sample of 8,191 flips beyond (Fisher 1935, The Design of Experiments). It
    is not corrected for other contrasts, and cannot go below 2^(1 - blocks).
    """
    if differences.size < 2:
        return None
    tested = stats.permutation_test(
        (differences,),
        _mean,
        permutation_type="samples",
        n_resamples=_RESAMPLES,
        vectorized=True,
        rng=np.random.default_rng(INTEGRATION_SEED),
    )
    return float(tested.pvalue)


def _mean(values: Floats, axis: int) -> Floats:
    return np.asarray(values.mean(axis=axis))
