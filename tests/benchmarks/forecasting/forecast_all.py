"""A forecast message for every series of the panel, as the Forecaster makes it: a step of `scale`."""

import time

from infra.contracts.demand import HORIZON_DAYS
from infra.settings import load_settings
from serving.made_quantiles import uncorrected
from serving.promoted_model import load_source

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
        window = part.window(last, source.history_days, source.horizon_days)
        made += len(source.forecast(window, part.series, 0, uncorrected(0)))
    seconds = time.perf_counter() - began
    print(f"{made:,} forecasts in {seconds:.0f} s, {made / seconds:.0f} a second", flush=True)


if __name__ == "__main__":
    main()
