import os
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import yaml

from gridcal.cli import main
from gridcal.comparison.config import load_comparison
from gridcal.errors import ConfigError, StudyError
from gridcal.study.folder import Study
from gridcal.workflow.config import load_config, parse_config
from gridcal.workflow.demo import demo_config
from gridcal.workflow.jobs import write_report
from gridcal.workflow.pipeline import run_study
from gridcal.workflow.study_job import StudyJob

TINY = {
    "title": "tiny twin",
    "seed": 2,
    "data": {"kind": "twin", "lat": 6, "lon": 8, "years": 2, "samples": 16},
    "calibration": {
        "method": "cmaes",
        "blocks": [{"fit": ["eps_max", "Topt", "kT", "WI"], "to": {"variable": "gpp"}}],
        "chunk": 3,
    },
    "learn": {"method": "ridge", "diso": 2.0},
    "compute": {"cluster": "none"},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "tiny.study"
    return run_study(parse_config(TINY), folder)


def stored(folder):
    """Bytes of every chunk and metadata file of the stages."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.glob("*.zarr/**/*")) if p.is_file()}


def test_all_stages_are_there_and_finished(study):
    assert set(study.stages(complete=True)) == {
        "samples", "truth", "posterior", "learner_skill", "importance", "parameters", "fluxes", "skill"
    }  # fmt: skip
    assert study.verify() == []
    assert study.read_record("headline")["error removed"]["value"] > 20.0


def test_a_finished_study_computes_nothing_again(study):
    before = {p: p.stat().st_mtime_ns for p in study.path.glob("*.zarr/**/*") if p.is_file()}
    run_study(parse_config(TINY), study.path)
    after = {p: p.stat().st_mtime_ns for p in study.path.glob("*.zarr/**/*") if p.is_file()}
    assert before == after


def test_another_configuration_is_refused_and_names_the_key(study):
    with pytest.raises(StudyError, match="seed: 2 -> 3"):
        run_study(parse_config(TINY | {"seed": 3}), study.path)


def test_calibration_beats_the_default_in_years_it_did_not_see(study):
    skill = study.open("skill").load()
    nse = skill["rmse"].sel(season="all", period="validation").squeeze()
    assert float(nse.sel(run="calibrated").median()) < 0.6 * float(nse.sel(run="default").median())


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.images, self.loads, self.headings = [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "img":
            self.images.append(attrs)
        if tag in ("script", "link", "iframe") or (tag == "img" and not attrs["src"].startswith("data:")):
            self.loads.append((tag, attrs))
        if tag == "h2":
            self.headings.append(tag)


def test_report_is_one_page_without_outside_references(study):
    path = write_report(study)
    text = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert page.loads == []
    assert len(page.images) >= 8
    assert all(i["alt"] for i in page.images)
    assert len(page.headings) >= 7
    assert len(text) < 6_000_000
    for word in ("error removed", "gC m-2 d-1", "What the data do not hold", "tiny twin"):
        assert word in text


def test_report_of_a_study_without_stages_says_so(tmp_path):
    text = write_report(Study(tmp_path / "empty.study")).read_text(encoding="utf-8")
    assert "not in this study" in text


def test_status_report_and_verify_from_the_command_line(study, capsys):
    assert main(["status", str(study.path)]) == 0
    assert "posterior" in capsys.readouterr().out
    assert main(["verify", str(study.path)]) == 0
    assert main(["resume", str(study.path)]) == 0
    assert "error removed" in capsys.readouterr().out


def test_errors_are_one_message_and_status_one(tmp_path, capsys):
    file = tmp_path / "study.yml"
    file.write_text(yaml.safe_dump(TINY | {"lern": {"method": "ridge"}}))
    assert main(["run", str(file)]) == 1
    message = capsys.readouterr().err
    assert "lern" in message
    assert "'learn'" in message
    assert main(["status", str(tmp_path)]) == 1
    assert main(["run", str(tmp_path / "none.yml")]) == 1
    assert main(["no-such-command"]) == 2


@pytest.mark.parametrize(
    "command", [[], ["demo"], ["run"], ["resume"], ["status"], ["report"], ["catalog"], ["models", "show"]]
)
def test_help_teaches(command, capsys):
    main([*command, "--help"])
    text = capsys.readouterr().out
    assert "Usage" in text
    assert len(text) > 200


def test_catalog_and_models_are_listed(capsys):
    assert main(["catalog", "list"]) == 0
    assert main(["catalog", "show", "eastus-static"]) == 0
    assert main(["models", "list"]) == 0
    assert main(["models", "show", "lue"]) == 0
    text = capsys.readouterr().out
    assert "eps_max" in text
    assert "Bao et al. 2023" in text


def test_shipped_study_files_are_valid():
    files = sorted((Path(__file__).parents[2] / "notebooks" / "studies").glob("*.yml"))
    assert len(files) >= 2
    for file in files:
        if file.name.startswith("compare-"):
            assert load_comparison(file).title
            with pytest.raises(ConfigError, match="gridcal compare"):
                load_config(file)
        else:
            assert load_config(file).title
    assert demo_config().data.kind == "twin"


def test_a_run_killed_in_the_middle_resumes_to_the_same_bytes(study, tmp_path):
    file = tmp_path / "tiny.yml"
    file.write_text(yaml.safe_dump(TINY))
    folder = tmp_path / "killed.study"
    command = [sys.executable, "-m", "gridcal", "run", str(file), "--folder", str(folder)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"GRIDCAL_PROGRESS": "0"}
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and len(list(folder.glob("posterior.ledger/tiles/*.json"))) < 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = {p: p.stat().st_mtime_ns for p in folder.glob("posterior.ledger/tiles/*.json")}
    assert 2 <= len(done) <= 6
    assert not (folder / "posterior.ledger" / "COMPLETE").exists() or len(done) == 6
    run_study(parse_config(TINY), folder)
    assert {p: p.stat().st_mtime_ns for p in done} == done
    assert stored(folder) == stored(study.path)


def test_module_runs_as_a_program():
    found = subprocess.run([sys.executable, "-m", "gridcal", "version"], capture_output=True, text=True, check=True)
    assert found.stdout.startswith("gridcal 0.")


def test_headline_numbers_are_finite(study):
    for number in study.read_record("headline").values():
        assert np.isfinite(number["value"])
        assert number["units"]


SCREENED = TINY | {"screening": {"trajectories": 4, "resample": 50, "dead": {"gpp": 0.5}, "chunk": 6}}


def test_a_screening_is_a_stage_that_resumes_and_that_the_run_goes_on_from(tmp_path, capsys):
    file, folder = tmp_path / "s.yml", tmp_path / "s.study"
    file.write_text(yaml.safe_dump(SCREENED))
    assert main(["screen", str(file)]) == 0
    said = capsys.readouterr().out
    assert "eps_max" in said
    assert "keep" in said
    study = Study(folder)
    assert study.stages(complete=True) == ["samples", "screening"]
    effects = study.open("screening").load()
    assert effects.sizes["pixel"] == 16
    assert effects.attrs["seed"] == 2
    assert effects.attrs["period"] == "2001-01-01 .. 2001-12-31"
    kept = study.read_record("recommendation")["kept"]["gpp"]
    assert "eps_max" in kept
    assert not {"aT", "aW"} & set(kept)
    before = stored(folder)
    (folder / "screening.ledger" / "COMPLETE").unlink()
    next((folder / "screening.ledger").rglob("0001*")).unlink()
    run_study(load_config(file), folder)
    after = stored(folder)
    assert {k: v for k, v in after.items() if k in before} == before
    assert "posterior" in study.stages(complete=True)
    page = write_report(study).read_text()
    assert 'id="screening"' in page
    assert "gpp never reaches 0.5" in page


def test_a_study_file_without_screening_is_what_it_was_and_can_be_screened(study):
    assert "screening" not in parse_config(TINY).identity()
    assert parse_config(SCREENED).identity()["screening"]["trajectories"] == 4
    config = parse_config(TINY)
    found = StudyJob(config).effects
    assert found["target"].values.tolist() == ["gpp"]
    assert found.attrs["trajectories"] == 20
