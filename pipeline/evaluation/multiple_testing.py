"""Corrections for testing many hypotheses at once."""

import numpy as np
from scipy.stats import false_discovery_control

from leadscore.pipeline.evaluation.close_rates import ANY_FALSE, FALSE_SHARE, Floats, Mask

_SET_ASIDE = 0.5


def benjamini_hochberg(chances: Floats) -> Mask:
    """Mark the chances, of shape (m,), that stand out among many, by Benjamini and Hochberg.

    At most ``FALSE_SHARE`` of the marked ones is chance, on average. That suits a sheet that people
    edit, in which one weak criterion in twenty does little harm. Holm's method would leave out many
    true ones to keep out that one.

    References
    ----------
    Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", Journal of the Royal
    Statistical Society B 57 (1995), 289-300.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.9, 0.03, 0.04])).tolist()
    [True, False, False, False]
    """
    return np.asarray(false_discovery_control(chances) <= FALSE_SHARE)


def holm_one_sided(chances: Floats) -> Mask:
    """Mark the one-sided chances, of shape (m,), that stand out, by Holm over those below a half.

    If none of them is more than chance, anything is marked with a chance of ``ANY_FALSE`` at most.
    This is for findings against somebody's own criteria. Most criteria are right: their chances lie
    near 1 and would only make the test stricter for the others. So chances above a half are left
    out, and the rest counts twice [2]_.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal
       of Statistics 6 (1979), 65-70.
    .. [2] Q. Zhao, D. S. Small, W. Su, "Multiple testing when many p-values are uniformly
       conservative", Journal of the American Statistical Association 114 (2019), 1291-1304.

    Examples
    --------
    >>> holm_one_sided(np.array([0.01, 0.9, 0.03, 0.04])).tolist()
    [False, False, False, False]
    >>> holm_one_sided(np.array([0.006, 0.9, 0.03, 0.04])).tolist()
    [True, False, False, False]
    """
    left = np.flatnonzero(chances <= _SET_ASIDE)
    order = left[np.argsort(chances[left], kind="stable")]
    limits = _SET_ASIDE * ANY_FALSE / np.arange(len(order), 0, -1)
    failed = np.flatnonzero(chances[order] > limits)
    found = np.zeros(len(chances), bool)
    found[order[: failed[0] if len(failed) else len(order)]] = True
    return found


def holm(p: list[float]) -> list[float]:
    """Return p-values that hold for all comparisons together (S. Holm, 1979).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p)), key=p.__getitem__)
    held, most = [0.0] * len(p), 0.0
    for place, index in enumerate(order):
        most = max(most, min(1.0, (len(p) - place) * p[index]))
        held[index] = most
    return held
