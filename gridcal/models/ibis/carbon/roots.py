"""Roots and water stress (Jackson et al. 1996, 1997 for the profile)."""

from __future__ import annotations

from gridcal.kernels.elementary import vexp, vlog
from gridcal.kernels.jit import lane


@lane
def root_share(beta, top, bottom):
    """Share of the roots between two depths (cm): differences of 1 - beta**depth, normalised to 400 cm."""
    log = vlog(beta)
    return (vexp(top * log) - vexp(bottom * log)) / (1.0 - vexp(400.0 * log))


def root_profile(beta1, beta2):
    """Root shares of the six layers: trees (``froot``, parameter beta2), and the mean with the lower canopy's (beta1)."""
    froot1 = root_share(beta2, 0.0, 10.0)
    froot2 = root_share(beta2, 10.0, 25.0)
    froot3 = root_share(beta2, 25.0, 50.0)
    froot4 = root_share(beta2, 50.0, 100.0)
    froot5 = root_share(beta2, 100.0, 200.0)
    froot6 = root_share(beta2, 200.0, 400.0)
    both1 = 0.5 * (root_share(beta1, 0.0, 10.0) + froot1)
    both2 = 0.5 * (root_share(beta1, 10.0, 25.0) + froot2)
    both3 = 0.5 * (root_share(beta1, 25.0, 50.0) + froot3)
    both4 = 0.5 * (root_share(beta1, 50.0, 100.0) + froot4)
    both5 = 0.5 * (root_share(beta1, 100.0, 200.0) + froot5)
    both6 = 0.5 * (root_share(beta1, 200.0, 400.0) + froot6)
    return froot1, froot2, froot3, froot4, froot5, froot6, both1, both2, both3, both4, both5, both6


def stress_begin(stressfac):
    """Start of the sum over layers, and the constant of the stress curve."""
    stresstu = 0.0
    stress_scale = 1.0 / (1.0 - vexp(stressfac))
    return stresstu, stress_scale


def stress_of_layer(wsoi_k, wisoi_k, swilt, sfield, stressfac, stress_scale, froot_k, stresstu):
    """Water stress of a soil layer (0 full stress to its root share) and the running sum over layers, ``stresstu``."""
    awc = min(max((wsoi_k * (1.0 - wisoi_k) - swilt) / (sfield - swilt), 0.0), 1.0)
    z = (1.0 - vexp(stressfac * awc)) * stress_scale
    stressu_k = froot_k * min(max(z, 0.0), 1.0)
    stresstu = stresstu + stressu_k
    return stressu_k, stresstu
