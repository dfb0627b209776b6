"""The benchmark scripts run at toy size and print their figures."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"


def run(*command, timeout=120):
    found = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_raw_kernel_against_lazy_path():
    text = run(FOLDER / "bench_lue.py", "--pixels", 32, "--days", 60, "--repeats", 3)
    number = r"\s+([0-9.]+)\s+"
    raw, lazy, kept = (float(re.search(name + number, text)[1]) for name in ("raw kernel", "lazy path", "lazy keeps"))
    assert raw > 0.1  # million pixel-days a CPU second
    assert lazy > 0.01
    assert 0.0 < kept < 200.0
    assert "median of 3 pairs" in text


LINE = """
import numpy as np

names = ("slope", "level")
bounds = ((-1.0, 1.0), (-1.0, 1.0))
time = np.linspace(-1.0, 1.0, 20)
observations = 0.3 * time + 0.1
sigma = 0.2


def simulate(theta):
    return theta[0] * time + theta[1]
"""


@pytest.fixture
def line(tmp_path):
    """A straight line and the exact posterior of its two parameters in the unit cube: independent normals, no bound near."""
    (tmp_path / "line.py").write_text(LINE)
    time = np.linspace(-1.0, 1.0, 20)
    sd = 0.2 / np.sqrt(np.array([(time**2).sum(), 20.0]))
    mean = (np.array([0.3, 0.1]) + 1.0) / 2.0
    draws = mean + np.random.default_rng(1).normal(size=(20_000, 2)) * sd / 2.0
    np.savez(tmp_path / "ref_line.npz", mean=mean, sd=sd / 2.0, S=draws)
    return tmp_path / "line.py"


def test_posterior_of_a_straight_line(line):
    text = run(FOLDER / "bench_masm.py", "--problems", line, "--seeds", 2, "--max-runs", 80)
    seeds = re.findall(r"line seed (\d): (\d+) runs, error ([0-9.]+) sd, TV ([0-9.]+), own ([0-9.]+) s, status (\d)", text)
    assert [s[0] for s in seeds] == ["0", "1"]
    for _, runs, error, distance, _, status in seeds:
        assert 0 < int(runs) <= 80
        assert float(error) < 0.2  # standard deviations of the exact posterior
        assert float(distance) < 0.1
        assert status == "0"
    summary = text.splitlines()[-1]
    assert re.match(r"line: runs median \d+ max \d+ \| error median .* \| own seconds .* \| verified 2/2$", summary)


def test_ibis_benchmark_runs_small():
    text = run(FOLDER / "bench_ibis.py", "--years", 1, "--repeats", 1, "--lanes", 2)
    assert "2 lanes" in text
    assert "ms per pixel-year" in text


def test_peers_are_compared_on_the_same_problem(line):
    text = run(FOLDER / "masm_peers.py", "--problems", line, "--seeds", 2, "--methods", "masm,demc,pycma", "--long", 0)
    rows = re.findall(r"line +(\S+) +runs +(\d+) \| error +(\S+) \[(\S+)\] \| TV (\S+) \| (?:above best|cost) +(\S+)", text)
    assert [r[0] for r in rows] == ["masm", "demc", "pycma"]
    assert float(rows[0][2]) < 0.2
    assert float(rows[1][2]) < 0.2
    assert rows[2][2] == "nan"  # an optimiser has no posterior
    assert int(rows[2][1]) <= 110
    assert re.search(r"masm against demc \(\d+ runs\): smaller error in \d of 2", text)
    with pytest.raises(AssertionError, match="unknown method"):
        run(FOLDER / "masm_peers.py", "--problems", line, "--methods", "simplex")


@pytest.mark.slow
def test_dask_keeps_its_workers_busy():
    text = run(FOLDER / "masm_dask.py", "--pixels", 8, "--chunk", 1)
    assert int(re.search(r"8 pixels, (\d) verified", text)[1]) >= 6
    assert 0 < int(re.search(r"in tasks (\d+) %", text)[1]) <= 110


def test_spie_benchmark_runs_small():
    text = run(FOLDER / "bench_spie.py", "--sites", 40, "--years", 1, "--repeats", 3)
    ratio = float(re.search(r"one-site / fused\s+([0-9.]+)", text)[1])
    assert ratio > 0.5
    assert "ns a site-day" in text
    assert "core-seconds" in text


@pytest.mark.slow  # its small twin is the plan of a tiny study in tests/workflow/test_stages.py
def test_plan_accuracy_runs_small(tmp_path):
    block = "[{fit: [Topt], to: {variable: gpp}}]"
    text = "title: t\ndata: {kind: twin, lat: 3, lon: 4, years: 1, samples: 10}\nlearn: {method: mean, diso: 9, folds: 2}\n"
    text += f"calibration: {{method: cmaes, blocks: {block}}}\ncompute: {{cluster: none}}\n"
    (tmp_path / "small.yml").write_text(text)
    found = re.search(
        r"small: time expected .* ratio ([0-9.]+) .* memory .* ratio ([0-9.]+)",
        run(FOLDER / "plan_accuracy.py", tmp_path / "small.yml"),
    )
    assert 0.02 < float(found[1]) < 50.0
    assert 0.7 < float(found[2]) < 1.3  # one process: the plan's own


def test_dalec_benchmark_runs_small():
    text = run(FOLDER / "bench_dalec.py", "--days", 100, "--repeats", 1, "--lanes", 8)
    assert len(re.findall(r"8 lanes: one site\s+[0-9.]+, region\s+[0-9.]+ million pixel-days", text)) == 2
    assert re.search(r"exponential: [0-9.]+ ns", text)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif("GRIDCAL_DATA" not in os.environ, reason="GRIDCAL_DATA is not set")
def test_screening_of_ibis_dalec_at_real_climates_runs_small(tmp_path):
    small = ("--trajectories", 2, "--pixels", 1, "--scored", 1, "--spin-up", 2, "--no-towers")
    wanted = ("--check", "--csv", tmp_path / "effects.csv", "--output", tmp_path)
    text = run(FOLDER / "screen_ibis_dalec.py", *small, *wanted, timeout=900)
    assert "the same bytes at another chunking: True" in text
    assert "10 inert parameters exactly zero: True" in text
    assert "2 climates x 68 runs x 2 years" in text
    rows = (tmp_path / "effects.csv").read_text().splitlines()
    assert len(rows) == 1 + 2 * 33 * 2
    assert len(list(tmp_path.glob("screening-mean-*.png"))) == 2


def test_no_mutation_passes_the_door_in_silence():
    lines = run(FOLDER / "door_mutations.py", "--draws", 1, "--say").splitlines()[1:]
    ends = [(lines[k], lines[k + 1].strip()) for k in range(0, len(lines), 2)]
    assert len(ends) >= 20
    for operator, end in ends:
        if operator.startswith("no trace"):
            assert end.startswith("silent"), operator  # the README says what no door can see
        elif "under the old label" in operator:  # this draw is degF called degC, a temperature either way: in the README too
            assert end.startswith("silent"), f"{operator}: {end}"
        else:
            assert end.startswith(("equal", "told", "refused")), f"{operator}: {end}"
