"""What training left about the model that serves: until when it learned, how fast, how it did at its gate."""

from datetime import UTC, datetime, timedelta
from typing import Any

from infra.metrics import Meters


class ModelRecord:
    """A model's gauges, from its artifact's manifest and gate figures; what they lack is left out."""

    def __init__(self, manifest: dict[str, Any], gate: dict[str, Any]) -> None:
        self._manifest, self._gate = manifest, gate

    def record(self, meters: Meters) -> None:
        """Sets every gauge."""
        if (last_day := self._manifest.get("learned_until")) is not None:
            end = datetime.fromisoformat(last_day).replace(tzinfo=UTC) + timedelta(days=1)
            meters.record("stockstream_model_learned_until_seconds", end.timestamp())
        if (seconds := self._manifest.get("seconds_per_step")) is not None:
            meters.record("stockstream_model_step_seconds", seconds)
        if (series := self._gate.get("series")) is not None:
            meters.record("stockstream_model_series", series)
        for score, ratio in self._gate.get("ratio_to_better_baseline", {}).items():
            meters.record("stockstream_model_gate_ratio", ratio, score=score)
        for name, scores in self._gate.get("pooled", {}).items():
            meters.record("stockstream_model_gate_wql", scores["wql"], forecaster=name)
            covered = scores["coverage_80_of_14_days"]
            meters.record("stockstream_model_gate_coverage", covered, forecaster=name)
