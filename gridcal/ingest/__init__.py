"""From real data sets to cubes a model can run on."""

from gridcal.ingest.climatological_year import climatological_year_cube
from gridcal.ingest.flux_sites import calibration_years, flux_site_cube

__all__ = ["calibration_years", "climatological_year_cube", "flux_site_cube"]
