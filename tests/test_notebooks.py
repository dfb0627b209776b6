import json
import re
from pathlib import Path

import jupytext
import nbclient
import nbformat
import pytest
import yaml

import gridcal as gc
from gridcal.workflow.config import parse_config

FOLDER = Path(__file__).parents[1] / "notebooks"
STEMS = sorted({p.stem for p in (*FOLDER.glob("*.ipynb"), *FOLDER.glob("*.py"))})
PROGRESS = re.compile(r"[a-z ]+: \d+/\d+ after .*, [\d.]+/(s|min|h)(, about .* left)?")
MAP_TEXT = FOLDER / "first_map.py"
SMALL = {
    "n_lat, n_lon, n_years = 12, 16, 2": "n_lat, n_lon, n_years = 8, 10, 2",
    "n_samples = 48": "n_samples = 20",
    'connect("local", workers=2)': "connect(None)",  # two processes take longer to start than twenty pixels
}
LEFT_BEHIND = """
import json

def median(run, where, metric):
    return float(scores[metric].sel(season="all", where=where, run=run))

print(json.dumps({
    "recovered": recovered, "mapped": mapped, "inside": inside, "limits": bounds,
    "ok": int((post.status == 0).sum()), "learnt_from": int(good.sum()), "damaged": again.verify(progress=False),
    "range": {name: [float(theta[name].min()), float(theta[name].max())] for name in fitted},
    "rmse": {run: median(run, "other pixels", "rmse") for run in ("default", "mapped")},
    "nse": median("mapped", "other pixels", "nse"), "kelvin": float(abs(mine["tas"] - cube["tas"]).max()),
    "gpp": float((abs(mine["gpp_obs"] - cube["gpp_obs"]) / (1 + abs(cube["gpp_obs"]))).max()),
}))
"""


def code(notebook):
    return [c for c in notebook.cells if c.cell_type == "code"]


def check_outputs(notebook):
    """Every code cell ran, in order; nothing failed, nothing warned."""
    assert [c.execution_count for c in code(notebook)] == list(range(1, len(code(notebook)) + 1))
    for cell in code(notebook):
        for out in cell.outputs:
            assert out.output_type != "error", cell.source
            if out.output_type == "stream" and out.name == "stderr":
                for line in filter(None, out.text.splitlines()):
                    assert PROGRESS.fullmatch(line), line
            elif out.output_type == "stream":
                assert "Warning" not in out.text


@pytest.mark.parametrize("stem", STEMS)
def test_notebook_and_text_are_in_step(stem):
    text, notebook = jupytext.read(FOLDER / f"{stem}.py"), jupytext.read(FOLDER / f"{stem}.ipynb")
    assert [(c.cell_type, c.source) for c in text.cells] == [(c.cell_type, c.source) for c in notebook.cells]
    assert text.metadata["jupytext"]["formats"] == notebook.metadata["jupytext"]["formats"] == "ipynb,py:percent"


@pytest.mark.parametrize("stem", STEMS)
def test_stored_outputs_can_be_read_on_the_web(stem):
    file = FOLDER / f"{stem}.ipynb"
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    check_outputs(notebook)
    assert file.stat().st_size < 600_000
    assert not re.search(r"/(home|root|tmp|work|Users)/", file.read_text())
    assert all("execution" not in c.metadata for c in notebook.cells)
    pictures = [o for c in code(notebook) for o in c.outputs if "image/png" in o.get("data", {})]
    assert len(pictures) >= len(re.findall(r"plt\.show\(\)|gc\.plot\.", "".join(c.source for c in code(notebook)))) > 0


def test_first_map_runs_on_a_small_region(tmp_path):
    source = MAP_TEXT.read_text()
    for large, small in SMALL.items():
        assert source.count(large) == 1
        source = source.replace(large, small)
    notebook = jupytext.reads(source, fmt="py:percent")
    notebook.cells.append(nbformat.v4.new_code_cell(LEFT_BEHIND))
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources, coalesce_streams=True).execute()
    check_outputs(notebook)
    found = json.loads(code(notebook)[-1].outputs[0].text)
    assert found["ok"] >= 18
    assert found["learnt_from"] >= 16
    assert set(found["recovered"]) == {"eps_max", "Topt", "kT", "WI"}
    assert min(found["recovered"].values()) > 0.9
    assert sorted(found["mapped"].values())[1] > 0.8
    for name, (low, high) in found["range"].items():
        assert found["limits"][name][0] <= low < high <= found["limits"][name][1]
    assert 0.8 < found["inside"] < 1.0
    assert found["rmse"]["mapped"] < 0.6 * found["rmse"]["default"]
    assert found["nse"] > 0.9
    assert found["damaged"] == []
    assert found["kelvin"] < 1e-3
    assert found["gpp"] < 1e-5
    printed = "".join(o.get("text", "") for c in code(notebook) for o in c.outputs)
    assert re.search(r"InputError: variable 'gpp_obs': units 'gC m-2'.* not a rate", printed)
    assert re.search(r"InputError: the cube lacks the variable 'vpd'.*kPa", printed)


def test_study_file_in_the_text_is_accepted():
    cells = jupytext.read(MAP_TEXT).cells
    (document,) = re.findall(r"```yaml\n(.*?)```", "\n".join(c.source for c in cells), flags=re.DOTALL)
    config = parse_config(yaml.safe_load(document))
    model = gc.models.model_named(config.model.name)
    for block in config.calibration.blocks:
        gc.Block(tuple(block.fit), gc.Target(**block.to.model_dump())).check(model)
    assert config.compute.cluster == "slurm"
