from typing import Any

from tests.helm.chart import PRODUCTION, named

GPU = "nvidia.com/gpu"


def trained_in(*sets: str) -> dict[str, Any]:
    pod = named("CronJob", *sets)["train"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    found: dict[str, Any] = container
    return found


def test_one_pod_trains_with_all_workers_and_their_gpus() -> None:
    assert trained_in()["args"] == ["train", "--workers", "2"]
    assert GPU not in trained_in()["resources"]["limits"]
    assert trained_in("training.gpus=true", "training.workers=3")["resources"]["limits"][GPU] == 3


def test_a_cluster_trains_with_a_gpu_for_each_worker_and_none_for_the_head() -> None:
    spec = named("RayCronJob", values=PRODUCTION)["train"]["spec"]["jobTemplate"]
    (workers,) = spec["rayClusterSpec"]["workerGroupSpecs"]
    head = spec["rayClusterSpec"]["headGroupSpec"]
    limits = [each["template"]["spec"]["containers"][0]["resources"]["limits"] for each in (workers, head)]
    assert [each.get(GPU) for each in limits] == [1, None]
    assert spec["entrypoint"] == f"python -m batch.train_forecaster --workers {workers['replicas']}"


def test_a_place_with_gpus_can_be_asked_for() -> None:
    cluster = named("RayCronJob", values=PRODUCTION)["train"]["spec"]["jobTemplate"]["rayClusterSpec"]
    pod = cluster["workerGroupSpecs"][0]["template"]["spec"]
    assert pod["nodeSelector"] == {"accelerator": "gpu"}
    assert pod["tolerations"][0]["key"] == GPU
