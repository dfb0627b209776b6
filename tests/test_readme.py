import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


def example():
    (block,) = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    return block


def run(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(source, "README.md", "exec"), names)
    return names


def test_example_runs_on_a_small_region(tmp_path, monkeypatch):
    source = example()
    small = source.replace("twin()", "twin(6, 8, 2)").replace("n=96", "n=16").replace("gc.MASM()", "gc.CMAES()")
    assert small.count("twin(6, 8, 2)") == small.count("n=16") == small.count("gc.CMAES()") == 1
    names = run(small, tmp_path, monkeypatch)
    assert names["theta"].sizes == {"lat": 6, "lon": 8}
    assert float(names["fluxes"]["gpp"].mean()) > 0.0
    assert (tmp_path / "my.study").is_dir()


@pytest.mark.slow
def test_example_runs_as_it_stands(tmp_path, monkeypatch):
    names = run(example(), tmp_path, monkeypatch)
    assert int(names["good"].sum()) > 80
