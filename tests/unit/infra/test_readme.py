"""The README's tables say what the code says."""

from pathlib import Path

from infra.contracts.topics import TOPICS
from infra.settings import Settings

README = (Path(__file__).parents[3] / "README.md").read_text()


def settings_rows() -> list[str]:
    return [
        f"| `STOCKSTREAM_{name.upper()}` | `{field.default}` | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


def test_every_setting_stands_in_the_readme_with_its_default() -> None:
    assert [row for row in settings_rows() if row not in README] == []


def test_every_topic_stands_in_the_readme() -> None:
    assert [name for name in TOPICS if f"`{name}`" not in README] == []
