import json

from infra.settings import Settings
from tests.helm.chart import PRODUCTION, named


def test_the_settings_are_ones_that_the_code_reads_and_takes() -> None:
    data = named("ConfigMap", values=PRODUCTION)["settings"]["data"]
    given = {name.removeprefix("STOCKSTREAM_").lower(): value for name, value in data.items()}
    assert set(given) <= set(Settings.model_fields)
    settings = Settings(**given | {"zones": json.loads(given["zones"])})
    assert settings.partitions == 24
    assert list(settings.zones) == ["Europe/London", "America/New_York"]


def test_a_further_setting_is_passed_on() -> None:
    data = named("ConfigMap", "settings.INPUT_DEADLINE_SECONDS=90.5")["settings"]["data"]
    assert data["STOCKSTREAM_INPUT_DEADLINE_SECONDS"] == "90.5"
