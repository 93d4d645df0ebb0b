import yaml

from tests.helm.chart import CHART
from tests.helm.chart_readme import README, readme, values_table

VALUES = (CHART / "values.yaml").read_text()


def test_the_charts_readme_says_what_the_values_say() -> None:
    written = README.read_text()
    assert written == readme(written, VALUES), "python -m tests.helm.chart_readme"


def test_every_value_stands_in_the_table() -> None:
    table = values_table(VALUES)
    assert [name for name in yaml.safe_load(VALUES) if f"| `{name}" not in table] == []


def test_a_comment_of_two_lines_and_one_of_a_group_are_kept() -> None:
    table = values_table(
        "# Group.\ngroup:\n  # -- One\n  # two.\n  leaf: 1\n  # -- Inner.\n  inner:\n    deep: {a: 1}\n"
    )
    assert "### `group`\n\nGroup.\n" in table
    assert "| `group.leaf` | `1` | One two. |" in table
    assert "| `group.inner` |  | Inner. |" in table
    assert '| `group.inner.deep` | `{"a": 1}` |  |' in table
