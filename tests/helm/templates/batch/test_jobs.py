import pytest

from infra.cli import VERBS
from tests.helm.chart import PRODUCTION, named

JOBS = ["archive", "history", "retrain", "backtest"]


@pytest.mark.parametrize("job", JOBS)
def test_a_job_runs_its_verb_and_never_beside_itself(job: str) -> None:
    spec = named("CronJob", values=PRODUCTION)[job]["spec"]
    (container,) = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert (container["command"], container["args"][0]) == (["stockstream"], job)
    assert job in VERBS
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] > 0


def test_what_is_switched_off_is_not_there() -> None:
    assert set(named("CronJob", "batch.history.enabled=false", "training.enabled=false")) == {
        "archive",
        "retrain",
    }
