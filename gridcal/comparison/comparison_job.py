"""The job of a comparison: model and data, each made when it is first asked for."""

from __future__ import annotations

import functools
import json
from typing import Any

import numpy as np
import xarray as xr

from gridcal.comparison.config import ComparisonConfig
from gridcal.comparison.sources import ComparisonSources, comparison_sources
from gridcal.process.model import ProcessModel
from gridcal.study.folder import Study


class ComparisonJob:
    """What the stages of a comparison are made from.

    Parameters
    ----------
    config : ComparisonConfig
        The study file.

    Attributes
    ----------
    study : Study
        The folder, once the job has begun.
    """

    study: Study

    def __init__(self, config: ComparisonConfig) -> None:
        self.config = config

    @functools.cached_property
    def model(self) -> ProcessModel:
        """The model, with its choices."""
        return self.config.model.build()

    @functools.cached_property
    def sources(self) -> ComparisonSources:
        """The data."""
        return comparison_sources(self.config, self.model)

    @functools.cached_property
    def searched(self) -> list[str]:
        """Parameters that are searched.

        Raises
        ------
        ModelError
            If the model has none of that name.
        """
        names = self.config.objective.fit or [p.name for p in self.model.parameters if not p.inert]
        for name in names:
            self.model.parameters[name]
        return list(names)

    @property
    def rows(self) -> xr.Dataset:
        """Number of each site, over the sites, in the tiles of the calibration."""
        labels = self.study.open("sites")["site"].values
        rows = xr.Dataset({"row": ("site", np.arange(labels.size))}, coords={"site": labels})
        return rows.chunk(site=self.config.calibration.chunk)

    @property
    def document(self) -> str:
        """The study file, as JSON."""
        return json.dumps(self.config.model_dump(mode="json"), sort_keys=True)

    @property
    def ticket(self) -> dict[str, Any]:
        """What the pieces of work are handed: folder, study file, and the fingerprint of the sites they are to find there."""
        return {
            "folder": str(self.study.path.resolve()),
            "document": self.document,
            "mark": str(self.study.open("sites").attrs.get("fingerprint", "")),
        }
