"""Training: what the model in service showed at its gate, and whether it still holds."""

from infra.grafana.board import Board, Panel, Query

_MODEL = (
    Panel(
        "What it has not seen",
        "The shop's clock minus the last day it learned from. The gate keeps 98 days; 190 are too many.",
        "s",
        (
            Query(
                "scalar(stockstream:shop_clock:seconds) - max(ray_stockstream_model_learned_until_seconds)",
                "age",
            ),
        ),
        "stat",
        ((None, "green"), (13_000_000, "yellow"), (16_416_000, "red")),
        6,
        "ModelStale",
    ),
    Panel(
        "Against the better baseline",
        "Its score at the gate over the better baseline's. Below 1 it was promoted.",
        "short",
        (Query("max by (score) (ray_stockstream_model_gate_ratio)", "{{score}}"),),
        "stat",
        ((None, "green"), (0.95, "yellow"), (1, "red")),
        6,
    ),
    Panel(
        "Series scored",
        "Series that the gate compared.",
        "short",
        (Query("max(ray_stockstream_model_series)", "series"),),
        "stat",
        width=6,
    ),
    Panel(
        "Training step",
        "Median time of a training step of the model in service.",
        "s",
        (Query("max(ray_stockstream_model_step_seconds)", "step"),),
        "stat",
        width=6,
    ),
)

_GATE = (
    Panel(
        "Error at the gate",
        "Weighted quantile loss, 28 days, on days no forecaster had seen; smaller is better.",
        "short",
        (Query("max by (forecaster) (ray_stockstream_model_gate_wql)", "{{forecaster}}"),),
        "bargauge",
    ),
    Panel(
        "Coverage at the gate",
        "Share of 14-day sums within the 80 % interval. Right: 80 %.",
        "percentunit",
        (Query("max by (forecaster) (ray_stockstream_model_gate_coverage)", "{{forecaster}}"),),
        "bargauge",
    ),
    Panel(
        "Error since then",
        "The model's error one day ahead, against what it showed at the gate.",
        "short",
        (
            Query('max(ray_stockstream_forecast_pinball_ratio{forecaster="lstm",horizon_days="1"})', "now"),
            Query('max(ray_stockstream_model_gate_wql{forecaster="lstm"})', "at the gate"),
        ),
        alert="ForecastErrorHigh",
    ),
    Panel(
        "Replacement asked for",
        "1 while the model forecasts significantly worse than the fallback.",
        "short",
        (Query("max(ray_stockstream_open_retrain_requests)", "open"),),
        alert="RetrainRequestOpen",
    ),
    Panel(
        "Learned until",
        "The last day the model in service learned from; it jumps when a model is promoted.",
        "dateTimeAsIso",
        (Query("max(ray_stockstream_model_learned_until_seconds) * 1000", "learned until"),),
        alert="ModelStale",
    ),
)

TRAINING = Board(
    "stockstream-training",
    "Stockstream: training",
    "What the model in service showed at its gate, and whether it still holds.",
    (("The model in service", _MODEL), ("Its gate, and since", _GATE)),
)
