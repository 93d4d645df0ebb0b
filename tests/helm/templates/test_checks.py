import pytest

from tests.helm.chart import KINDS, template


@pytest.mark.parametrize("missing", KINDS[:3])
def test_a_cluster_that_lacks_an_operator_is_refused_by_name(missing: str) -> None:
    done = template(kinds=tuple(kind for kind in KINDS if kind != missing))
    assert done.returncode != 0
    assert f"this cluster has no {missing}: install" in done.stderr


def test_two_zones_cannot_own_one_location() -> None:
    zones = ("zones[0].name=Europe/London", "zones[0].locations[0]=a", "zones[1].name=Europe/Paris")
    done = template(*zones, "zones[1].locations[0]=a")
    assert "each location in one zone is accepted" in done.stderr
