"""The dashboard of forecast quality: does the forecaster say what then happens."""

from infra.grafana.board import Board, Panel, Query

_NOW = (
    Panel(
        "80 % interval covers",
        "Share of demand, one day ahead, that fell into the 80 % interval; last 28 days. Right: 80 %.",
        "percentunit",
        (
            Query(
                'ray_stockstream_forecast_coverage{interval="80",horizon_days="1"}',
                "{{forecaster}}",
            ),
        ),
        "stat",
        ((None, "red"), (0.65, "yellow"), (0.75, "green"), (0.85, "yellow"), (0.95, "red")),
        6,
        "CoverageOff",
    ),
    Panel(
        "Bias",
        "Mean forecast minus demand, over demand, one day ahead; last 28 days. Right: 0.",
        "percentunit",
        (Query('ray_stockstream_forecast_bias_ratio{horizon_days="1"}', "{{forecaster}}"),),
        "stat",
        ((None, "red"), (-0.3, "yellow"), (-0.1, "green"), (0.1, "yellow"), (0.3, "red")),
        6,
        "ForecastBiased",
    ),
    Panel(
        "Forecasts by the fallback",
        "Share of the newest forecasts that come from the 56-day quantiles because the model does not serve.",
        "percentunit",
        (Query("max(ray_stockstream_fallback_share)", "fallback"),),
        "stat",
        ((None, "green"), (0.05, "yellow"), (0.2, "red")),
        6,
        "FallbackServes",
    ),
    Panel(
        "Replacement asked for",
        "1 while the model forecasts worse than the fallback and has no successor.",
        "short",
        (Query("max(ray_stockstream_open_retrain_requests)", "open"),),
        "stat",
        ((None, "green"), (1, "red")),
        6,
        "RetrainRequestOpen",
    ),
)

_COURSE = (
    Panel(
        "Coverage of the 80 % interval",
        "By days ahead. Above 80 %: stock is larger than it need be; below: more stock-outs than wanted.",
        "percentunit",
        (Query('ray_stockstream_forecast_coverage{interval="80"}', "{{forecaster}}, {{horizon_days}} days"),),
        alert="CoverageOff",
    ),
    Panel(
        "Coverage of the 95 % interval",
        "By days ahead.",
        "percentunit",
        (Query('ray_stockstream_forecast_coverage{interval="95"}', "{{forecaster}}, {{horizon_days}} days"),),
    ),
    Panel(
        "Error",
        "Weighted quantile loss (twice the pinball loss over demand) by days ahead; smaller is better.",
        "short",
        (Query("ray_stockstream_forecast_pinball_ratio", "{{forecaster}}, {{horizon_days}} days"),),
        alert="ForecastErrorHigh",
    ),
    Panel(
        "Bias by days ahead",
        "Above zero: too much is forecast.",
        "percentunit",
        (Query("ray_stockstream_forecast_bias_ratio", "{{forecaster}}, {{horizon_days}} days"),),
        alert="ForecastBiased",
    ),
    Panel(
        "Who forecasts",
        "Forecasts published since serving started, by forecaster.",
        "short",
        (Query("sum by (forecaster) (ray_stockstream_forecasts_total)", "{{forecaster}}"),),
        alert="FallbackServes",
    ),
    Panel(
        "Forecasts scored",
        "Scores since serving started; the fallback is scored beside the model, as its shadow.",
        "short",
        (Query("sum by (forecaster) (ray_stockstream_scores_total)", "{{forecaster}}"),),
        alert="ScoresOld",
    ),
)

FORECASTS = Board(
    "stockstream-forecasts",
    "Stockstream: forecast quality",
    "Does the forecaster say what then happens. Days without stock count as lower bounds, never as zero.",
    (("Now", _NOW), ("Course", _COURSE)),
)
