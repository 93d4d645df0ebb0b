import importlib.util
from pathlib import Path
from typing import Any

import yaml

from tests.helm.chart import PRODUCTION, SMALL, named


def service(*sets: str, values: Path = SMALL) -> dict[str, Any]:
    found: dict[str, Any] = named("RayService", *sets, values=values)[""]
    return found["spec"]  # type: ignore[no-any-return]


def test_ray_refuses_whoever_has_no_token() -> None:
    assert service()["rayClusterConfig"]["authOptions"] == {"mode": "token"}
    off = service("serving.tokenAuthentication=false")
    assert off["rayClusterConfig"]["authOptions"] == {"mode": "disabled"}


def test_the_application_is_one_that_the_code_has() -> None:
    (application,) = yaml.safe_load(service()["serveConfigV2"])["applications"]
    module, name = application["import_path"].split(":")
    found = importlib.util.find_spec(module)
    assert found is not None
    assert found.origin is not None
    assert f"def {name}(" in Path(found.origin).read_text()


def test_workers_are_as_many_as_asked_for_and_the_head_computes_nothing() -> None:
    cluster = service(values=PRODUCTION)["rayClusterConfig"]
    (workers,) = cluster["workerGroupSpecs"]
    assert (workers["replicas"], workers["minReplicas"], workers["maxReplicas"]) == (3, 3, 3)
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


def test_changed_settings_make_a_new_cluster() -> None:
    def mark(*sets: str) -> Any:
        head = service(*sets)["rayClusterConfig"]["headGroupSpec"]
        return head["template"]["metadata"]["annotations"]["stockstream.io/settings"]

    assert mark() != mark("settings.INPUT_DEADLINE_SECONDS=90.5")


def test_the_api_knows_the_holders_of_the_secret_that_the_values_name() -> None:
    pod = service("serving.apiTokens.secretName=holders")["rayClusterConfig"]["headGroupSpec"]["template"][
        "spec"
    ]
    (container,) = pod["containers"]
    told = {each["name"]: each.get("value") for each in container["env"]}
    mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    (secret,) = (each["secret"] for each in pod["volumes"] if each["name"] == "api-tokens")

    assert told["STOCKSTREAM_API_TOKENS_FILE"] == mounted["api-tokens"] + "/" + secret["items"][0]["path"]
    assert secret["secretName"] == "holders"
    assert "api-tokens" not in str(service())
