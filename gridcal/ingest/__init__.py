"""From real data sets to cubes a model can run on."""

from gridcal.ingest.climatological_year import climatological_year_cube
from gridcal.ingest.flux_sites import calibration_years, flux_site_cube
from gridcal.ingest.forest_towers import forest_tower_cube
from gridcal.ingest.leaf_area import lai_from_evi, lai_from_fapar
from gridcal.ingest.phenocam import by_first_year, phenocam_cube

__all__ = [
    "by_first_year",
    "calibration_years",
    "climatological_year_cube",
    "flux_site_cube",
    "forest_tower_cube",
    "lai_from_evi",
    "lai_from_fapar",
    "phenocam_cube",
]
