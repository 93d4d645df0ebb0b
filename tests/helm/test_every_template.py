from pathlib import Path

import pytest

from tests.helm.chart import ALL_VALUES, CHART, rendered

TESTS = Path(__file__).parent / "templates"
TEMPLATES = [each.relative_to(CHART / "templates") for each in sorted(CHART.rglob("templates/**/*.yaml"))]


@pytest.mark.parametrize("template", TEMPLATES, ids=str)
def test_every_template_has_its_tests(template: Path) -> None:
    assert (TESTS / template.parent / f"test_{template.stem.replace('-', '_')}.py").exists()


@pytest.mark.parametrize("template", [each for each in TEMPLATES if each.stem != "checks"], ids=str)
def test_every_template_makes_something_of_the_example_values(template: Path) -> None:
    source = f"# Source: stockstream/templates/{template.as_posix()}"
    assert any(source in rendered(values=values) for values in ALL_VALUES)
