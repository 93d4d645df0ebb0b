from typing import Any

from tests.helm.chart import PRODUCTION, SMALL, named


def job(name: str = "features", *sets: str, production: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = named("FlinkDeployment", *sets, values=PRODUCTION if production else SMALL)[name]
    return found["spec"]  # type: ignore[no-any-return]


def test_each_zone_has_its_own_job_and_its_own_checkpoints() -> None:
    jobs = named("FlinkDeployment", values=PRODUCTION)
    assert set(jobs) == {"features", "features-america-new-york"}
    folders = {each["spec"]["flinkConfiguration"]["execution.checkpointing.dir"] for each in jobs.values()}
    assert len(folders) == 2
    zones = [each["spec"]["job"]["args"] for each in jobs.values()]
    assert [args[args.index("--zone") + 1] for args in zones] == ["Europe/London", "America/New_York"]


def test_a_job_that_keeps_failing_ends_and_nobody_ends_it_through_its_rest_port() -> None:
    options = job()["flinkConfiguration"]
    assert options["restart-strategy.type"] == "fixed-delay"
    assert int(options["restart-strategy.fixed-delay.attempts"]) > 0
    assert (options["web.submit.enable"], options["web.cancel.enable"]) == ("false", "false")


def test_state_has_the_disk_that_it_is_given() -> None:
    volumes = job("features", "features.scratchSize=40Gi")["podTemplate"]["spec"]["volumes"]
    assert {"name": "scratch", "emptyDir": {"sizeLimit": "40Gi"}} in volumes


def test_exactly_once_is_asked_for_or_not() -> None:
    assert "--exactly-once" not in job()["job"]["args"]
    assert "--exactly-once" in job(production=True)["job"]["args"]


def test_an_option_of_a_store_is_passed_on_and_the_charts_own_prevail() -> None:
    assert job(production=True)["flinkConfiguration"]["s3.endpoint"] == "https://objects.example.com"
    given = job("features", "features.flinkConfiguration.high-availability\\.type=none")
    assert given["flinkConfiguration"]["high-availability.type"] == "kubernetes"
