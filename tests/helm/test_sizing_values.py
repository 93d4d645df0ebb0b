from pathlib import Path

import pytest
import yaml

from infra.sizing import Shop, chart_values
from tests.helm.chart import CHART, KINDS, helm

SHOPS = [Shop(1, 1), Shop(500, 20_000), Shop(20_000, 200_000), Shop(312_000, 1_000_000)]


@pytest.mark.parametrize("shop", SHOPS, ids=str)
def test_the_chart_takes_the_values_of_any_size(shop: Shop, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(chart_values(shop)))
    known = [argument for kind in KINDS for argument in ("--api-versions", kind)]
    done = helm("template", "shop", str(CHART), "--values", str(values), *known)
    assert done.returncode == 0, done.stderr
