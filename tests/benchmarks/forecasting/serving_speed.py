"""How fast the Forecaster forecasts, against DeepAR, and what keeping the encoder's state saves.

Simulated: the known-oracle generator, 512 series x 600 days, counts, no closed days. The network and DeepAR
are trained for a few steps only, and on 128 of the series: how long a forecast takes does not depend on how
good it is. Everything of ours runs in one thread, as a Forecaster replica does; DeepAR, which makes 128
series' forecasts in batches of 64, may use all cores.

A full forecast is a message of `demand.forecasts.v1`, checked against its contract: 28 days at 21 quantile
levels, 500 joint paths, the quantiles of all 28 sums, from states kept since the day before. DeepAR draws
100 sample paths, of which the same quantiles of days and of 28 sums are taken.

A refresh brings 128 states up to date by one day; re-encoding makes them of 84 days. `encoder` is the LSTM
alone, over all 84 days in one call; `features and encoder` includes what the encoder reads, which a refresh
makes from a window of 476 days.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from batch.backtesting.deepar import DeepAR
from batch.backtesting.forecaster import History
from batch.demand_generator import GeneratorPlan, generate
from batch.forecaster.fitting import fit_forecaster
from batch.forecaster.kept_state import DayInputs, KeptStates
from batch.forecaster.panel import DemandPanel
from batch.forecaster.predictor import BATCH_SIZE, Predictor, as_float
from batch.forecaster.training import TrainingPlan
from batch.forecaster.windows import demand_history
from infra.contracts.demand import HORIZON_DAYS
from serving.forecast_source import NOBODY, ForecastSource
from serving.made_quantiles import uncorrected
from tests.benchmarks.figures import Figure, measured

SERIES, TRAINED, DAYS, REPEATS = 512, 128, 600, 7
PATHS, PEER_PATHS, CONTEXT_DAYS = 500, 100, 84
DAY_MS = 86_400_000
HOW = f"simulated, {SERIES} series x {DAYS} days"


def seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def first_day_after_anchor(panel: DemandPanel, predictor: Predictor) -> int:
    """A column from which on the next days cost one step each."""
    last = DAYS - HORIZON_DAYS - 1 - predictor.config.anchor_days
    return next(day for day in range(last, 0, -1) if predictor.config.days_since_anchor(panel.day(day)) == 0)


def full_forecasts(panel: DemandPanel, predictor: Predictor) -> list[float]:
    """Series per second, one figure for each of some days in a row."""
    source = ForecastSource(predictor, "lstm-benchmark", None, panel.panel_hash, PATHS)
    states, first = KeptStates(predictor), first_day_after_anchor(panel, predictor)
    rates = []
    for day in range(REPEATS + 1):
        window = panel.window(first + day, predictor.config.history_days, HORIZON_DAYS)
        correction, origin_ms = uncorrected(day * DAY_MS), (day + 1) * DAY_MS
        forecast = (window, panel.series, origin_ms, correction, NOBODY, states)
        taken = seconds(lambda forecast=forecast: source.forecast(*forecast))  # type: ignore[misc]
        rates.append(SERIES / taken)
    return rates[1:]  # the first day encodes every state


def peer_forecasts(panel: DemandPanel) -> list[float]:
    """Series per second of DeepAR with its default size, on all cores."""
    panel, ahead = panel.rows(slice(0, TRAINED)), slice(DAYS - HORIZON_DAYS, DAYS)
    history = History(
        panel=panel.until(DAYS - HORIZON_DAYS - 1),
        future_open=panel.location_open[:, ahead],
        future_price=panel.price[:, ahead],
        future_promotion=panel.promotion[:, ahead],
        category=np.zeros(TRAINED, dtype=np.int64),
        taus=tuple(range(1, HORIZON_DAYS + 1)),
    )
    model = DeepAR(epochs=1, batches=2, paths=PEER_PATHS)
    model.fit(history)
    return [TRAINED / seconds(lambda: model.forecast(history)) for _ in range(3)]


def refreshes(panel: DemandPanel, predictor: Predictor) -> dict[str, list[float]]:
    """Re-encoding's seconds by a refresh's, of the encoder alone and with its features."""
    part, first = panel.rows(slice(0, BATCH_SIZE)), first_day_after_anchor(panel, predictor)
    effects, encoder = predictor.effects(part.series), predictor.network.encoder
    states = KeptStates(predictor)
    ratios: dict[str, list[float]] = {"encoder": [], "features and encoder": []}
    for day in range(REPEATS + 1):
        window = part.window(first + day, predictor.config.history_days, 0)

        def refresh(window=window) -> None:  # type: ignore[no-untyped-def]
            states.advance(DayInputs.of(window, effects), part.series)

        def encode(window=window) -> None:  # type: ignore[no-untyped-def]
            read = demand_history(window.last_days(CONTEXT_DAYS + 364), effects)
            with torch.inference_mode():
                encoder(as_float(read.features[:, -CONTEXT_DAYS:]))

        with_features = seconds(encode) / seconds(refresh)
        context = torch.zeros(BATCH_SIZE, CONTEXT_DAYS, encoder.input_size)
        kept = (torch.zeros(1, BATCH_SIZE, encoder.hidden_size),) * 2
        with torch.inference_mode():
            whole = min(seconds(lambda: encoder(context)) for _ in range(5))  # noqa: B023
            step = min(seconds(lambda: encoder(context[:, :1], kept)) for _ in range(5))  # noqa: B023
        ratios["encoder"].append(whole / step)
        ratios["features and encoder"].append(with_features)
    return {name: each[1:] for name, each in ratios.items()}


def figures() -> list[Figure]:
    threads = torch.get_num_threads()
    panel = generate(GeneratorPlan(series=SERIES, days=DAYS, future_days=0, seed=101)).panel()
    peer = peer_forecasts(panel)
    torch.set_num_threads(1)
    plan = replace(TrainingPlan(), epochs=1, steps_per_epoch=4)
    predictor = fit_forecaster(panel.rows(slice(0, TRAINED)), plan)
    ours, ratios = full_forecasts(panel, predictor), refreshes(panel, predictor)
    torch.set_num_threads(threads)
    against = [each / float(np.median(peer)) for each in ours]
    made = [
        measured(f"full forecasts, {PATHS} paths, 1 thread", ours, "series/s", HOW),
        measured(f"DeepAR, {PEER_PATHS} paths, {threads} threads", peer, "series/s", HOW),
        measured("full forecasts / DeepAR", against, "ratio", HOW, ">= 100", lambda value: value >= 100),
    ]
    for name, values in ratios.items():
        label = f"re-encoding {CONTEXT_DAYS} days / refresh of a kept state, {name}"
        goal = (">= 30", lambda value: value >= 30) if name == "encoder" else ()
        made.append(measured(label, values, "ratio", f"simulated, {BATCH_SIZE} series", *goal))
    return made
