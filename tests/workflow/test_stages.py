"""The job as a list of stages: what a changed key redoes, what must be asked for, stages from outside, plans."""

import copy
import dataclasses
import json
import shutil

import numpy as np
import pytest
import xarray as xr
import yaml

from gridcal.cli import main
from gridcal.comparison.config import parse_comparison
from gridcal.comparison.stages import STAGES as COMPARISON
from gridcal.errors import ConfigError, StudyError
from gridcal.plot.style import new_figure, style
from gridcal.report.page import image
from gridcal.study.folder import Study
from gridcal.study.pipeline import run_stages
from gridcal.study.plan import plan_stages
from gridcal.study.stage import Figures, Stage, check_list, followers, opened, owned, participating, read_once, unowned
from gridcal.workflow import jobs
from gridcal.workflow.config import parse_config
from gridcal.workflow.demo import demo_config
from gridcal.workflow.pipeline import run_study
from gridcal.workflow.stages import STAGES
from gridcal.workflow.stages.skill import SKILL
from gridcal.workflow.study_job import StudyJob

TINY = {
    "title": "tiny twin",
    "seed": 2,
    "data": {"kind": "twin", "lat": 3, "lon": 4, "years": 1, "samples": 10},
    "calibration": {
        "method": "cmaes",
        "options": {"max_evaluations": 60},
        "blocks": [{"fit": ["eps_max", "Topt"], "to": {"variable": "gpp"}}],
        "chunk": 6,
    },
    "learn": {"method": "ridge", "diso": 5.0, "folds": 2, "accept": ["ok", "not_converged"]},
    "compute": {"cluster": "none"},
}
MADE = {
    "samples": ["samples"], "truth": ["truth"], "calibration": ["posterior"], "learning": ["learner_skill", "importance"],
    "parameters": ["parameters"], "fluxes": ["fluxes"], "skill": ["skill"],
}  # fmt: skip


def changed(**sections):
    document = copy.deepcopy(TINY)
    for name, keys in sections.items():
        document[name] = {**document.get(name, {}), **keys} if isinstance(keys, dict) else keys
    return document


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return run_study(parse_config(TINY), tmp_path_factory.mktemp("stages") / "tiny.study")


@pytest.fixture
def study(finished, tmp_path):
    shutil.copytree(finished.path, tmp_path / "tiny.study")
    return Study(tmp_path / "tiny.study")


class ToyJob(StudyJob):
    """The real study file, and data that nobody reads."""

    @property
    def sources(self):
        return type("Sources", (), {"inputs": [], "caveats": []})


def toy(stage):
    """A stage as it is declared, that makes three numbers in no time."""

    def make(job):
        stores = {name: xr.Dataset({"x": ("pixel", np.arange(3.0))}) for name in stage.makes}
        return stores | {name: {"made by": stage.name} for name in stage.records}

    return dataclasses.replace(stage, make=make, depends=lambda job: {}, check=lambda job: None, folders=())


TOYS = tuple(toy(stage) for stage in STAGES)


def run_toys(document, path, **options):
    return run_stages(ToyJob(parse_config(document)), options.pop("stages", TOYS), path, **options)


@pytest.fixture
def toys(tmp_path):
    """A finished study of the real list's declarations, with toy results."""
    return run_toys(TINY, tmp_path / "toys.study")


def stamps(study):
    """When each data set was last begun."""
    return {name: (study.path / f"{name}.ledger" / "stage.json").stat().st_mtime_ns for name in study.stages()}


def redone(study, document, run=run_toys, **options):
    """Stages that a run of `document` makes again."""
    before, said = stamps(study), []
    run(document, study.path, say=said.append, **options)
    after = stamps(study)
    assert study.verify() == []
    names = {name for name in after if before.get(name) != after[name]}
    return {stage for stage, made in MADE.items() if names & set(made)}, said


def test_every_key_of_a_study_file_belongs_to_a_stage():
    full = changed(screening={"trajectories": 4}, map={"every": "8-day", "kind": "same"}, model={"bounds": {"Topt": [6, 30]}})
    for document in (TINY, full, demo_config().model_dump(mode="json")):
        assert unowned(STAGES, parse_config(document).identity()) == []
    compare = parse_comparison({"kind": "compare", "data": {"kind": "synthetic", "sites": 20}})
    assert unowned(COMPARISON, compare.identity()) == []


def test_a_key_belongs_to_the_stages_that_name_the_longest_part_of_it():
    sites = {"kind": "flux-sites", "hold_out": ["US-Ha1"]}
    identity = parse_config(changed(data=sites, map={"kind": "climatological-year"}) | {"data": sites}).identity()
    by_name = {stage.name: owned(stage, STAGES, identity) for stage in STAGES}
    assert "data.hold_out" in by_name["learning"]
    assert "data.hold_out" not in by_name["samples"]
    assert "data.sites" in by_name["samples"]
    assert "map.every" in by_name["fluxes"]
    assert "map.every" not in by_name["parameters"]
    assert "seed" in by_name["samples"]


def run_real(document, path, **options):
    return run_study(parse_config(document), path, **options)


def test_a_score_key_costs_scores_alone(study):
    found, said = redone(study, changed(evaluate={"scales": ["8-day", "monthly"]}), run_real)
    assert found == {"skill"}
    assert "evaluate.scales" in said[0]
    assert "'skill'" in said[0]
    assert study.open("skill")["scale"].values.tolist() == ["8-day", "monthly"]
    assert study.config["evaluate"]["scales"] == ["8-day", "monthly"]
    assert redone(study, changed(evaluate={"scales": ["8-day", "monthly"]}), run_real) == (set(), [])


def test_a_key_of_the_learner_redoes_what_follows_and_no_calibration(toys):
    found, _ = redone(toys, changed(learn={"options": {"alpha": 5.0}}))
    assert found == {"learning", "parameters", "fluxes", "skill"}


def test_a_key_of_the_map_redoes_the_map(toys):
    assert redone(toys, changed(map={"kind": "same", "every": "monthly"}))[0] == {"fluxes"}


def test_title_and_machine_redo_nothing(toys):
    document = TINY | {"title": "another", "compute": {"cluster": "none", "workers": 1}}
    assert redone(toys, document) == (set(), [])
    assert toys.read_record("provenance")["title"] == "another"


def test_a_calibration_is_not_redone_unasked(toys):
    document = changed(calibration={"options": {"max_evaluations": 80}})
    with pytest.raises(StudyError, match=r"max_evaluations: 60 -> 80.*'calibration'.*learning.*--from calibration"):
        run_toys(document, toys.path)
    assert toys.config["calibration"]["options"]["max_evaluations"] == 60
    assert redone(toys, document, redo_from="calibration")[0] == {"calibration", "learning", "parameters", "fluxes", "skill"}


def test_something_older_than_what_was_asked_for_is_refused(toys):
    document = changed(data={"samples": 12})
    with pytest.raises(StudyError, match="--from samples"):
        run_toys(document, toys.path, redo_from="calibration")
    assert redone(toys, document, redo_from="samples")[0] == set(MADE)


def test_redo_makes_a_stage_and_what_follows_again(toys):
    assert redone(toys, TINY, redo_from="parameters")[0] == {"parameters", "fluxes"}
    assert redone(toys, TINY)[0] == set()


def test_a_run_can_stop_early_and_go_on(tmp_path):
    early = run_toys(TINY, tmp_path / "a.study", until="calibration")
    assert set(early.stages(complete=True)) == {"samples", "truth", "posterior"}
    assert jobs.status(early)[-1]["complete"] is False
    done = run_toys(TINY, tmp_path / "a.study")
    assert set(done.stages(complete=True)) == {name for made in MADE.values() for name in made}


def test_unknown_stages_are_named(toys):
    for option in ({"until": "learnin"}, {"redo_from": "screening"}):
        with pytest.raises(ConfigError, match="samples, truth, calibration"):
            run_toys(TINY, toys.path, **option)


def test_an_interrupted_redo_goes_on(toys):
    document = changed(learn={"options": {"alpha": 5.0}})
    broken = [dataclasses.replace(s, make=lambda job: 1 / 0) if s.name == "fluxes" else s for s in TOYS]
    with pytest.raises(ZeroDivisionError):
        run_toys(document, toys.path, stages=broken)
    assert toys.stages(complete=True)[-1] == "parameters"
    # taking the change back redoes what had been redone
    assert redone(toys, TINY)[0] == {"learning", "parameters", "fluxes", "skill"}


def test_a_folder_of_an_older_layout_is_read_and_not_run(study):
    file = study.path / "study.json"
    file.write_text(file.read_text().replace('"schema": 2', '"schema": 1'))
    for stage in study.path.glob("*.ledger/stage.json"):
        stage.write_text(json.dumps(json.loads(stage.read_text()) | {"depends_on": None}))
    older = Study(study.path)
    with pytest.raises(
        StudyError, match=r"'samples' .* does not say what it was made from \(an older gridcal made it\)"
    ) as found:
        run_study(parse_config(TINY), study.path)
    assert "\n" not in str(found.value)
    assert older.verify() == []
    assert all(row["complete"] for row in jobs.status(older))
    assert "Nash-Sutcliffe" in jobs.write_report(older, stages=[SKILL]).read_text()


def _totals(job):
    factor = job.config.more.get("totals", {}).get("factor", 1.0)
    gpp = job.study.open("fluxes")["gpp"]
    return {"totals": xr.Dataset({"total": factor * gpp.mean(("lat", "lon"))}), "largest": float(factor * gpp.max())}


def _draw_totals(study):
    found = opened(study, "totals")
    assert found is not None
    with style():
        figure = new_figure(4.0, 2.0)
        figure.subplots().plot(found["total"].values)
    return image(figure, "total of the region by period")


TOTALS = Stage(
    name="totals",
    label="adding up",
    make=_totals,
    makes=("totals",),
    records=("largest",),
    reads=("fluxes",),
    figures=(Figures("totals", "Totals of the region", _draw_totals),),
)


class Entry:
    """An installed package's entry point."""

    def load(self):
        return TOTALS


def test_a_stage_from_outside_is_seen_everywhere(study, monkeypatch, capsys):
    monkeypatch.setattr(jobs, "entry_points", lambda group: [Entry()] if group == "gridcal.stages" else [])
    kind = jobs.KINDS[0]
    document = TINY | {"more": {"totals": {"factor": 2.0}}}
    assert redone(study, document, run_real, stages=kind.list_of_stages())[0] == set()
    twice = study.open("totals")["total"].values
    np.testing.assert_allclose(twice, 2.0 * study.open("fluxes")["gpp"].mean(("lat", "lon")).values, rtol=1e-6)
    assert study.read_record("largest") == pytest.approx(2.0 * float(study.open("fluxes")["gpp"].max()))
    assert main(["status", str(study.path)]) == 0
    assert "totals" in capsys.readouterr().out
    assert jobs.stages_of(study)[-1] is TOTALS
    page = jobs.write_report(study, stages=jobs.stages_of(study)[-1:]).read_text()
    assert 'id="totals"' in page
    assert "Totals of the region" in page
    document = TINY | {"more": {"totals": {"factor": 3.0}}}
    before = stamps(study)
    _, said = redone(study, document, run_real, stages=kind.list_of_stages())
    assert {name for name, stamp in stamps(study).items() if before[name] != stamp} == {"totals"}
    assert "more.totals.factor: 2.0 -> 3.0" in said[0]
    with pytest.raises(ConfigError, match="there is no stage 'total'"):
        redone(study, TINY | {"more": {"total": {}}}, run_real, stages=kind.list_of_stages())


def test_a_list_out_of_order_is_refused():
    def stage(name, **keys):
        return Stage(name, name, lambda job: {}, **keys)

    with pytest.raises(ConfigError, match="stands after it"):
        check_list([stage("b", reads=("a",)), stage("a")])
    with pytest.raises(ConfigError, match="two stages are called 'a'"):
        check_list([stage("a"), stage("a")])
    with pytest.raises(ConfigError, match="two stages make 'x'"):
        check_list([stage("a", makes=("x",)), stage("b", records=("x",))])
    check_list(STAGES)
    check_list(COMPARISON)
    assert [s.name for s in followers("learning", STAGES)] == ["learning", "parameters", "fluxes", "skill", "headline"]
    assert "screening" not in [s.name for s in participating(STAGES, parse_config(TINY))]


def test_a_stage_must_make_what_it_declares(toys):
    empty = Stage("empty", "nothing", lambda job: {}, makes=("nothing",))
    with pytest.raises(StudyError, match="did not make 'nothing'"):
        run_toys(TINY, toys.path, stages=(*TOYS, empty))
    number = Stage("number", "a number", lambda job: {"number": 3}, makes=("number",))
    with pytest.raises(StudyError, match="made a int for 'number'"):
        run_toys(TINY, toys.path, stages=(*TOYS, number))


def test_status_names_what_has_not_begun_and_what_belongs_to_no_stage(study):
    study.drop("skill")
    study.save("mine", xr.Dataset({"x": ("pixel", np.arange(3.0))}), fingerprint="mine")
    rows = {row["name"]: row for row in jobs.status(study)}
    assert rows["skill"]["stage"] == "skill"
    assert rows["skill"]["complete"] is False
    assert rows["mine"]["stage"] == ""
    assert rows["posterior"]["peak_bytes"] > 50e6
    assert rows["headline (record)"]["complete"] is True


def test_results_of_a_stage_that_no_longer_takes_part_are_shown(toys):
    toys.save("screening", xr.Dataset({"x": ("pixel", np.arange(3.0))}), fingerprint="of an earlier `gridcal screen`")
    assert "screening" in [stage.name for stage in jobs.stages_of(toys)]
    rows = {row["name"]: row["stage"] for row in jobs.status(toys)}
    assert rows["screening"] == "screening"


def test_fresh_does_not_delete_what_is_no_study(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-a-friend.txt").write_text("dear")
    with pytest.raises(StudyError, match="is no study"):
        run_study(parse_config(TINY), tmp_path / "letters", fresh=True)
    assert (tmp_path / "letters" / "to-a-friend.txt").read_text() == "dear"


def test_a_plan_touches_no_folder_and_counts_what_the_run_makes(finished, monkeypatch, tmp_path, capsys):
    file = tmp_path / "tiny.yml"
    file.write_text(yaml.safe_dump(TINY))
    title, rows, workers = jobs.plan(file)
    assert title == "tiny twin"
    assert workers == 1
    assert list(tmp_path.iterdir()) == [file]
    status = finished.status()
    for row in rows:
        made = MADE.get(row.name, [])
        if row.name in ("calibration", "parameters", "fluxes"):
            assert row.tiles == sum(status[name]["total"] for name in made)
            assert row.nbytes == pytest.approx(sum(finished.open(name).nbytes for name in made), rel=0.1)
            assert row.seconds > 0.0
            assert row.peak_bytes > 50e6
    monkeypatch.setattr(jobs, "plan", lambda *_, **__: (title, rows, workers))
    assert main(["plan", str(file)]) == 0
    text = capsys.readouterr().out
    assert "calibrating pixels" in text
    assert "in all" in text


def test_a_plan_refuses_what_a_run_would():
    with pytest.raises(ConfigError, match="no-such"):
        plan_stages(StudyJob(parse_config(changed(learn={"method": "no-such"}))), STAGES, 1)


def test_a_report_reads_each_store_once(finished, monkeypatch):
    read = []
    plain = Study.open
    monkeypatch.setattr(Study, "open", lambda self, name: read.append(name) or plain(self, name))
    jobs.write_report(finished)
    assert "posterior" in read
    assert len(read) == len(set(read))


def test_a_section_cannot_change_what_the_next_one_reads(finished):
    with read_once():
        first = opened(finished, "posterior")
        first["eps_max"] = first.eps_max * 0
        assert float(opened(finished, "posterior").eps_max.max()) > 0
