import subprocess
import sys
from pathlib import Path

from tests.helm.chart import named


def test_one_heartbeat_beats_and_a_second_never_beside_it() -> None:
    spec = named("Deployment")["heartbeat"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_its_command_is_one_that_the_code_has() -> None:
    (container,) = named("Deployment")["heartbeat"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["stockstream"]
    verb, option, seconds = container["args"]
    asked = [str(Path(sys.executable).with_name("stockstream")), verb, "--help"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert option in said
    assert float(seconds) > 0


def test_it_can_be_left_out() -> None:
    assert named("Deployment", "heartbeat.enabled=false") == {}
