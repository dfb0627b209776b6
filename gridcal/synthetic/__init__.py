"""Known truth: a region and flux sites whose parameters were planted."""

from gridcal.synthetic.region import PLANTED, Twin, twin
from gridcal.synthetic.sites import SyntheticSites, synthetic_sites

__all__ = ["PLANTED", "SyntheticSites", "Twin", "synthetic_sites", "twin"]
