from tests.helm.chart import PRODUCTION, named, objects, pods


def test_a_monitor_reads_a_port_that_the_pods_have() -> None:
    monitors = named("PodMonitor", values=PRODUCTION)
    assert set(monitors) == {"features", "serving", "kafka", "brokers"}
    ports = {
        port["name"]
        for pod in pods(objects(values=PRODUCTION))
        for container in pod["containers"]
        for port in container.get("ports", [])
    }
    for name in ("features", "serving"):
        (endpoint,) = monitors[name]["spec"]["podMetricsEndpoints"]
        assert endpoint["port"] in ports


def test_prometheus_finds_them_by_the_label_that_was_given() -> None:
    for monitor in named("PodMonitor", values=PRODUCTION).values():
        assert monitor["metadata"]["labels"]["release"] == "kube-prometheus-stack"


def test_nothing_is_monitored_unless_asked_for() -> None:
    assert named("PodMonitor") == {}
