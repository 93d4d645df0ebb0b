import json

from tests.helm.chart import PRODUCTION, named


def test_each_dashboard_is_a_config_map_that_grafana_finds() -> None:
    maps = {name: each for name, each in named("ConfigMap", values=PRODUCTION).items() if "dashboard" in name}
    assert len(maps) == 4
    for each in maps.values():
        assert each["metadata"]["labels"]["grafana_dashboard"] == "1"
        (content,) = each["data"].values()
        assert json.loads(content)["panels"]


def test_there_are_none_unless_asked_for() -> None:
    assert set(named("ConfigMap")) == {"settings"}
