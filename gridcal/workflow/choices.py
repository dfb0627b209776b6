"""What the sections of a study file choose: blocks, targets, the calibration method, the screening."""

from __future__ import annotations

from typing import Any

from gridcal.calibration import CMAES, MASM, AdaptiveMCMC
from gridcal.calibration.target import Block, Target
from gridcal.errors import ConfigError
from gridcal.screening import Morris
from gridcal.workflow.config import CalibrationSection, ScreeningSection, StudyConfig, TargetSection


def build_blocks(section: CalibrationSection) -> tuple[Block, ...]:
    """The blocks of a study file."""
    return tuple(Block(tuple(b.fit), _targets(b.to), b.constraint, b.carry, b.edc) for b in section.blocks)


def _targets(section: TargetSection | list[TargetSection]) -> Target | tuple[Target, ...]:
    if isinstance(section, TargetSection):
        return Target(**section.model_dump())
    return tuple(Target(**t.model_dump()) for t in section)


def build_method(section: CalibrationSection) -> Any:
    """The calibration method of a study file."""
    kinds = {"masm": MASM, "mcmc": AdaptiveMCMC, "cmaes": CMAES}
    options = section.options
    if section.method == "auto":
        if options:
            raise ConfigError("calibration.options are given, but the method is 'auto'", "Remove them, or name a method")
        return "auto"
    try:
        return kinds[section.method](**options)
    except TypeError as error:
        raise ConfigError(f"calibration.options of {section.method!r}: {error}", "Remove or rename the option") from error


def build_morris(section: ScreeningSection, seed: int) -> Morris:
    """The screening of a study file; the seed is the study's."""
    named = None if section.parameters is None else tuple(section.parameters)
    return Morris(
        section.trajectories, section.levels, seed, named, section.scale,
        section.functional, section.pool, section.resample, section.confidence,
    )  # fmt: skip


def screening_targets(config: StudyConfig, section: ScreeningSection) -> list[Target]:
    """Targets of the screening: its own, or the calibration's, each output and time scale once."""
    targets = [Target(**t.model_dump()) for t in section.targets or ()]
    if targets:
        return targets
    return list({(t.variable, t.every): t for b in build_blocks(config.calibration) for t in b.targets}.values())
