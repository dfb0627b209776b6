import pytest
import yaml
from distributed import LocalCluster

from gridcal.cli import main
from gridcal.study.ledger import Ledger

TINY = {
    "title": "tiny twin",
    "data": {"kind": "twin", "lat": 3, "lon": 4, "years": 1, "samples": 10},
    "calibration": {"method": "cmaes", "blocks": [{"fit": ["eps_max"], "to": {"variable": "gpp"}}]},
}


@pytest.mark.parametrize("scheme", ["tcp://", ""])
def test_a_running_scheduler_is_named_on_the_command_line(tmp_path, capsys, scheme):
    (tmp_path / "a.yml").write_text(yaml.safe_dump(TINY))
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None) as cluster:
        address = scheme + cluster.scheduler_address.removeprefix("tcp://")
        command = ["run", str(tmp_path / "a.yml"), "-o", str(tmp_path / "s"), "--until", "samples", "--scheduler", address]
        assert main(command) == 0
        assert f"scheduler: {address}" in capsys.readouterr().out
        keys = cluster.scheduler.transition_log
        assert any("-tile-" in str(entry[0]) for entry in keys)
    assert list(Ledger(tmp_path / "s" / "samples.ledger", "").folder.glob("tiles/*.json"))
