"""Settings of every process: environment `STOCKSTREAM_*` over `<run_dir>/stack.json` over defaults."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    JsonConfigSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from infra.errors import StockstreamError

WebAddress = Annotated[str, Field(pattern=r"^https?://[^\s\"<>]+$")]


class Settings(BaseSettings):
    """Addresses, folders, intervals and limits; never a model's hyper-parameters."""

    model_config = SettingsConfigDict(env_prefix="STOCKSTREAM_", frozen=True, extra="ignore")

    run_dir: Path = Field(Path(".run/local"), description="where this stack keeps its files")
    data: Path = Field(Path("."), description="where data is looked for that the project does not ship")
    bootstrap_servers: str = Field("127.0.0.1:9092", description="Kafka brokers, host:port, comma separated")
    partitions: int = Field(4, ge=1, le=1024, description="partitions of every topic")
    zones: dict[str, list[str]] = Field(
        {"Europe/London": ["gb-main"]}, min_length=1, description="the locations of each time zone, as JSON"
    )
    out_of_orderness_seconds: int = Field(60, ge=0, description="disorder within which results are exact")
    feature_step_seconds: int = Field(3600, ge=10, description="interval of day-to-date feature rows")
    features_state_backend: Literal["hashmap", "rocksdb"] = Field(
        "hashmap",
        description="where a features job keeps its state: on the heap, or on disk if it outgrows it",
    )
    features_heap_mib: int = Field(1024, ge=256, description="heap of a features job's JVM")
    checkpoint_interval_seconds: float = Field(5.0, gt=0, description="Flink checkpoint interval")
    forecast_paths: int = Field(500, ge=50, le=100_000, description="joint demand paths per forecast")
    planner_replicas: int = Field(2, ge=1, description="must divide the partitions")
    input_deadline_seconds: float = Field(60.0, gt=0, description="wait for stale inputs of a due epoch")
    score_deadline_seconds: float = Field(
        10.0, gt=0, description="wait for scores and plans before a forecast"
    )
    allocation_deadline_seconds: float = Field(90.0, gt=0, description="wait for missing partitions")
    solver_time_limit_seconds: float = Field(10.0, gt=0, description="limit of one allocation solve")
    revision_watch: bool = Field(
        False,
        description="decide between reviews too where stock falls too fast, a day outruns its forecast or an "
        "order is late",
    )
    revision_freeze_hours: float = Field(
        24.0, ge=0, description="after a decision between reviews a SKU is left alone, except by planners"
    )
    revision_least_units: int = Field(1, ge=1, description="least change of a decision between reviews")
    revision_least_share: float = Field(0.1, ge=0, description="the same, as a share of what was wanted")
    api_host: str = Field("127.0.0.1", description="address the HTTP API binds to")
    api_port: int = Field(8000, ge=0, le=65535, description="port of the HTTP API")
    api_tokens_file: Path | None = Field(
        None,
        description="who may use the API (YAML or JSON); api-tokens.json of the run directory if not given",
    )
    prometheus_url: WebAddress | None = Field(None, description="Prometheus, as the API reaches its alerts")
    prometheus_link: WebAddress | None = Field(None, description="Prometheus, as a browser reaches it")
    grafana_link: WebAddress | None = Field(None, description="Grafana, as a browser reaches it")
    metrics_port: int = Field(8080, ge=0, le=65535, description="port of Ray's metrics")
    flink_metrics_port: int = Field(9249, ge=0, le=65535, description="port of Flink's metrics")

    @property
    def time_zone(self) -> str:
        """The first zone: its features job also handles what names no known location."""
        return next(iter(self.zones))

    @property
    def locations(self) -> list[str]:
        """Locations of the first zone."""
        return self.zones[self.time_zone]

    def features_job(self, zone: str) -> str:
        """Name of a zone's features job: `features`, and the zone for all but the first."""
        return "features" if zone == self.time_zone else f"features-{zone.replace('/', '-')}"

    def features_metrics_port(self, zone: str) -> int:
        """Port of a zone's features job's metrics: one after the other, in the order of the zones."""
        return self.flink_metrics_port + list(self.zones).index(zone)

    @property
    def tokens_file(self) -> Path:
        return self.api_tokens_file or self.run_dir / "api-tokens.json"

    @property
    def archive_dir(self) -> Path:
        return self.run_dir / "archive"

    @property
    def panel_dir(self) -> Path:
        return self.run_dir / "panel"

    @property
    def models_dir(self) -> Path:
        return self.run_dir / "models"

    @property
    def checkpoint_dir(self) -> Path:
        return self.run_dir / "checkpoints"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Called by pydantic: arguments over environment over `stack.json` of the run directory."""
        given = init_settings.init_kwargs if isinstance(init_settings, InitSettingsSource) else {}
        run_dir = given.get("run_dir") or os.environ.get("STOCKSTREAM_RUN_DIR", ".run/local")
        return (
            init_settings,
            env_settings,
            JsonConfigSettingsSource(settings_cls, Path(run_dir) / "stack.json"),
        )


def load_settings(**overrides: Any) -> Settings:
    """Settings for an entry point; called once per process.

    Raises:
        StockstreamError: a value is unusable; names the setting, the value and what is accepted.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise StockstreamError(f"setting {name} has value {first['input']!r}: {first['msg']}") from None
