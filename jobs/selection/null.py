"""The empirical null: how far the z of noise lie from those of a standard normal (Efron 2004).

Of many columns most are noise, and what the middle of their z shows holds for all of them (genomic control: Devlin and
Roeder 1999): how wide they are, and what they have in common.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]

MIN_WIDTH = 1.02
MANY = 50  # z needed before what they show is believed
_MIDDLE, _DEVIATION = 2.0, 0.87963  # widths on either side of 0; standard deviation of a standard normal within
_COMMON = 2.5  # z up to which what all have in common is looked for
_FREEDOM = 0.6  # degrees of freedom of the width, for each code that tells it


def width_of_the_middle(z: Floats) -> float:
    """Standard deviation of the null part of z, by that of those within two of it; at least MIN_WIDTH.

    That errs less than the median of |z| does, and columns that act, which are further out, hardly count.
    """
    if len(z) < MANY:
        return MIN_WIDTH
    size = np.abs(z)
    width = max(MIN_WIDTH, float(np.median(size)) / float(ndtri(0.75)))
    for _ in range(10):
        near = size[size <= _MIDDLE * width]
        width = max(MIN_WIDTH, float(np.sqrt(np.mean(near**2))) / _DEVIATION)
    return width


def slope_of_the_middle(z: Floats, share: Floats) -> Floats:
    """(k,) how z goes with the shares (n, k) that each has of what is common: over the middle; 0 where few."""
    slope = np.zeros(share.shape[1])
    for _ in range(4 if len(z) >= MANY else 0):
        near = np.abs(z - share @ slope) <= _COMMON
        slope = np.asarray(np.linalg.lstsq(share[near], z[near])[0], np.float64)
    return slope


def normal_equivalent(z: Floats, n_codes: int) -> Floats:
    """Normal z as far out as z in units of a width that n codes have told: t distributed (Wallace 1959)."""
    freedom = _FREEDOM * n_codes
    size = np.sqrt(freedom * np.log1p(z**2 / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return np.copysign(size, z)
