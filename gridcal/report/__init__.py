"""One self-contained HTML page about a study."""

from __future__ import annotations

from pathlib import Path

from gridcal.study.folder import Study
from gridcal.study.progress import progress
from gridcal.version import __version__

__all__ = ["write_report"]


def write_report(study: Study, path: str | Path | None = None, *, title: str | None = None) -> Path:
    """Write the report of a study.

    Parameters
    ----------
    study : Study
        The study; sections are written for what it holds, and what is absent is said.
    path : path, optional
        The file; ``report.html`` in the study folder without it.
    title : str, optional
        Heading; the study's title without it.

    Returns
    -------
    Path
        The file written. It needs no network and refers to nothing outside.
    """
    from gridcal.report import sections as s
    from gridcal.report.page import cards, page

    if "predictions" in study.stages(complete=True):
        from gridcal.report.comparison import write_comparison_report

        return write_comparison_report(study, path, title=title)
    record = study.read_record("provenance") or {}
    target = Path(path) if path is not None else study.path / "report.html"
    with progress(9, "writing the report") as step:
        posterior, truth, theta = (s.load(study, n) for n in ("posterior", "truth", "parameters"))
        step(1)
        made = [("samples", "Samples", s.samples(study, posterior, theta))]
        step(1)
        effects = s.load(study, "screening")
        if effects is not None:
            made.append(("screening", "Screening", s.screening(effects, study.read_record("recommendation"))))
        made.append(("posteriors", "Posteriors", s.posteriors(study, posterior, truth)))
        step(1)
        if truth is not None:
            made.append(("recovery", "Planted and recovered", s.recovery(posterior, truth, theta)))
        step(1)
        made.append(("skill", "Skill", s.skill(s.load(study, "skill"))))
        step(1)
        learner = s.learning(s.load(study, "learner_skill"), s.load(study, "importance"), study.read_record("screen"))
        made.append(("learning", "Learning", learner))
        step(1)
        made.append(("maps", "Parameter maps", s.maps(theta)))
        step(1)
        made.append(("fluxes", "Fluxes", s.fluxes(s.load(study, "fluxes"))))
        step(1)
        made.append(("provenance", "Provenance", s.provenance(record, study.read_record("caveats"))))
        heading = title or record.get("title") or f"Study {study.path.name}"
        model = record.get("model", {}).get("name", "")
        lead = f"Model {model}, seed {record['seed']}, made on {record['created']}" if record else "A gridcal study"
        html = page(str(heading), lead, cards(study.read_record("headline") or {}), made, f"Written by gridcal {__version__}")
        part = target.with_name(f".{target.name}.partial")
        part.write_text(html, encoding="utf-8")
        part.replace(target)
        step(1)
    return target
