"""gridcal: pixel-wise calibration of biosphere models, and the extrapolation of their parameters to the whole grid."""

from gridcal.version import __version__

__all__ = ["__version__"]
