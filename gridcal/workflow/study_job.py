"""The job of a study file: model, data and methods, each made when it is first asked for."""

from __future__ import annotations

import functools
from typing import Any

import xarray as xr

from gridcal.calibration import calibrate
from gridcal.calibration.target import Block
from gridcal.process.model import ProcessModel
from gridcal.screening import screen
from gridcal.study.folder import Study
from gridcal.workflow.choices import build_blocks, build_method, build_morris, screening_targets
from gridcal.workflow.config import ScreeningSection, StudyConfig
from gridcal.workflow.sources import Sources, build_sources


class StudyJob:
    """What the stages of a two-step study are made from.

    Parameters
    ----------
    config : StudyConfig
        The study file.
    sources : Sources, optional
        Its data, if others than it names.

    Attributes
    ----------
    study : Study
        The folder, once the job has begun.
    """

    study: Study

    def __init__(self, config: StudyConfig, sources: Sources | None = None) -> None:
        self.config = config
        if sources is not None:
            self.sources = sources

    @functools.cached_property
    def model(self) -> ProcessModel:
        """The model, with its choices."""
        return self.config.model.build()

    @functools.cached_property
    def blocks(self) -> tuple[Block, ...]:
        """What is calibrated against what."""
        blocks = build_blocks(self.config.calibration)
        for block in blocks:
            block.check(self.model)
        return blocks

    @functools.cached_property
    def method(self) -> Any:
        """How it is calibrated."""
        return build_method(self.config.calibration)

    @functools.cached_property
    def sources(self) -> Sources:
        """The data, opened; nothing is computed."""
        return build_sources(self.config, self.model)

    @functools.cached_property
    def posterior(self) -> xr.Dataset:
        """The lazy calibration of all samples."""
        sources, section = self.sources, self.config.calibration
        return calibrate(
            sources.samples,
            self.model,
            self.blocks,
            self.method,
            seed=self.config.seed,
            period=sources.period,
            chunk=section.chunk,
        )

    @functools.cached_property
    def effects(self) -> xr.Dataset:
        """The lazy screening of all samples."""
        section = self.config.screening or ScreeningSection()
        return screen(
            self.sources.samples,
            self.model,
            build_morris(section, self.config.seed),
            targets=screening_targets(self.config, section),
            period=section.period or self.sources.period,
            dead=section.dead,
            chunk=section.chunk,
        )
