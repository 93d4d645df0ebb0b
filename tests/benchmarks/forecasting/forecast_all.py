"""A forecast message for every series of the panel, as the Forecaster makes it: a step of `scale`."""

import time

import numpy as np

from infra.contracts.demand import EVALUATED_DAYS, HORIZON_DAYS, QUANTILE_LEVELS
from infra.settings import load_settings
from serving.forecast_source import Correction, load_source

AT_A_TIME = 1000


def main() -> None:
    """Makes and counts them; prints series a second."""
    settings = load_settings()
    source, panel = load_source(settings.models_dir, settings.panel_dir, settings.forecast_paths)
    if panel is None or source.predictor is None:
        raise SystemExit(f"no model to forecast with: {source.fallback_reason}")
    last = panel.units.shape[1] - 1 - HORIZON_DAYS
    began, made = time.perf_counter(), 0
    for first in range(0, len(panel.series), AT_A_TIME):
        part = panel.rows(slice(first, first + AT_A_TIME))
        none = np.zeros((len(part.series), len(EVALUATED_DAYS), len(QUANTILE_LEVELS)))
        window = part.window(last, source.history_days, source.horizon_days)
        made += len(source.forecast(window, part.series, 0, Correction(0, none, none)))
    seconds = time.perf_counter() - began
    print(f"{made:,} forecasts in {seconds:.0f} s, {made / seconds:.0f} a second", flush=True)


if __name__ == "__main__":
    main()
