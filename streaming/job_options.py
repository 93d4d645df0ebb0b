"""Flink's options for the features job: checkpoints kept on disk, and restored from the latest of them."""

from pathlib import Path
from zoneinfo import available_timezones

from infra.errors import StockstreamError
from infra.settings import Settings

JARS = Path(__file__).parents[1] / ".run" / "jars" / "flink"
SECONDS_OF_A_DAY = 86_400
RELEASE_SECONDS = 10
"""Facts leave `stock_state` at multiples of this, so that a window's step has to be one."""
STATE_DAYS = 4
"""State outlives the daily stock snapshot and the days in which a duplicate may come."""


def check_arguments(settings: Settings, zone: str, parallelism: int) -> None:
    """Refuses what Flink would refuse later, in a long trace.

    Raises:
        StockstreamError: names the argument, its value and what is accepted.
    """
    step = settings.feature_step_seconds
    if zone not in settings.zones:
        known = ", ".join(settings.zones)
        raise StockstreamError(f"zone has value {zone!r}: one of {known} (setting zones) is accepted")
    if zone not in available_timezones():
        raise StockstreamError(f"zone has value {zone!r}: a time zone such as Europe/London is accepted")
    if SECONDS_OF_A_DAY % step or step % RELEASE_SECONDS:
        raise StockstreamError(
            f"setting feature_step_seconds has value {step}: a divisor of {SECONDS_OF_A_DAY} and multiple of"
            f" {RELEASE_SECONDS} is accepted"
        )
    if parallelism > settings.partitions:
        raise StockstreamError(
            f"parallelism has value {parallelism}: at most the {settings.partitions} partitions is accepted"
        )


def checkpoint_dir(settings: Settings, zone: str) -> Path:
    """Folder of the checkpoints of a zone's job."""
    return settings.checkpoint_dir / settings.features_job(zone)


def savepoint_dir(settings: Settings, zone: str) -> Path:
    """Folder of the savepoints of a zone's job."""
    return checkpoint_dir(settings, zone) / "savepoints"


def keep_step(folder: Path, step_seconds: int, restoring: bool) -> None:
    """Notes the step beside the checkpoints: windows that another step has cut would go on wrongly.

    Raises:
        StockstreamError: the state to be restored has another step.
    """
    note = folder / "feature_step_seconds"
    kept = note.read_text() if restoring and note.exists() else str(step_seconds)
    if kept != str(step_seconds):
        raise StockstreamError(
            f"setting feature_step_seconds has value {step_seconds}: {kept} is accepted, the step of the"
            f" state in {folder}, or --fresh to read everything again"
        )
    folder.mkdir(parents=True, exist_ok=True)
    note.write_text(kept)


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint or savepoint under the folder, or None."""
    complete = [path for path in folder.glob("**/_metadata") if path.stat().st_size > 0]
    newest = max(complete, key=lambda path: path.stat().st_mtime_ns, default=None)
    return newest.parent if newest else None


def query_configuration(zone: str) -> dict[str, str]:
    """Flink's options that the queries need wherever the job runs."""
    return {
        "pipeline.name": f"demand features {zone}",
        "pipeline.object-reuse": "true",
        "pipeline.auto-watermark-interval": "20 ms",
        "execution.buffer-timeout.interval": "5 ms",
        "table.local-time-zone": zone,
        "table.optimizer.reuse-optimize-block-with-digest-enabled": "true",
        "table.exec.state.ttl": f"{STATE_DAYS} d",
        "table.exec.source.idle-timeout": "0 ms",
        "table.exec.uid.generation": "ALWAYS",
    }


def configuration(
    settings: Settings, zone: str, parallelism: int, restore_from: Path | None
) -> dict[str, str]:
    """Flink's options for a features job with a Flink of its own."""
    reporter = "org.apache.flink.metrics.prometheus.LoopbackReporter$Factory"
    options = query_configuration(zone) | {
        "pipeline.jars": connector_jars(),
        "parallelism.default": str(parallelism),
        "execution.checkpointing.interval": f"{round(settings.checkpoint_interval_seconds * 1000)} ms",
        "execution.checkpointing.dir": checkpoint_dir(settings, zone).resolve().as_uri(),
        "execution.checkpointing.savepoint-dir": savepoint_dir(settings, zone).resolve().as_uri(),
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "state.backend.type": settings.features_state_backend,
        "execution.checkpointing.incremental": "true",
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": "3",
        "restart-strategy.fixed-delay.delay": "1 s",
        "metrics.reporter.prom.factory.class": reporter,
        "metrics.reporter.prom.port": str(settings.features_metrics_port(zone)),
    }
    if restore_from:
        options["execution.state-recovery.path"] = restore_from.resolve().as_uri()
        options["execution.state-recovery.claim-mode"] = "CLAIM"
    return options


def connector_jars() -> str:
    """URIs of the jars that the job needs, semicolon separated.

    Raises:
        StockstreamError: there are none.
    """
    jars = sorted(JARS.glob("*.jar"))
    if not jars:
        raise StockstreamError(f"no Flink connector in {JARS}; run 'make setup'")
    return ";".join(jar.resolve().as_uri() for jar in jars)
