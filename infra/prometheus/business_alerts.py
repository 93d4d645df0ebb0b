"""Is the answer any good: forecasts, the model behind them, stock and orders."""

from infra.prometheus.rule import Alert, growth

_OUT = 'stockstream:items:ratio{stock="out"}'
_GREEDY = 'ray_stockstream_allocations_total{status="greedy_fallback"}'

BUSINESS_ALERTS = (
    Alert(
        "FallbackServes",
        "max(ray_stockstream_fallback_share) > 0.2",
        "1h",
        "ticket",
        "{{ $value | humanizePercentage }} of the newest forecasts come from the fallback",
    ),
    Alert(
        "ModelStale",
        "scalar(stockstream:shop_clock:seconds) - max(ray_stockstream_model_learned_until_seconds) "
        "> 190 * 86400",
        "1h",
        "ticket",
        "The model has learned nothing of the last {{ $value | humanizeDuration }}: no newer one passed",
    ),
    Alert(
        "RetrainRequestOpen",
        "max(ray_stockstream_open_retrain_requests) > 0",
        "2d",
        "ticket",
        "For two days a model that is worse than the fallback has waited for its successor",
    ),
    Alert(
        "CoverageOff",
        'abs(max by (forecaster) (ray_stockstream_forecast_coverage{interval="80",horizon_days="1"}) - 0.8) '
        "> 0.15",
        "1d",
        "ticket",
        "The 80 % interval of {{ $labels.forecaster }} is {{ $value | humanizePercentage }} off: orders are "
        "too safe or too risky",
    ),
    Alert(
        "ForecastBiased",
        'abs(max by (forecaster) (ray_stockstream_forecast_bias_ratio{horizon_days="1"})) > 0.3',
        "1d",
        "ticket",
        "Forecasts of {{ $labels.forecaster }} are off to one side by {{ $value | humanizePercentage }}",
    ),
    Alert(
        "ForecastErrorHigh",
        'max(ray_stockstream_forecast_pinball_ratio{forecaster="lstm",horizon_days="1"}) '
        '> 1.5 * max(ray_stockstream_model_gate_wql{forecaster="lstm"})',
        "1d",
        "ticket",
        'The model\'s error ({{ $value | printf "%.2f" }}) is over one and a half times that at its gate',
    ),
    Alert(
        "DecisionsBlocked",
        'stockstream:decisions:growth1d{status="blocked"} '
        "/ scalar(sum(stockstream:decisions:growth1d)) > 0.1",
        "0s",
        "ticket",
        "{{ $value | humanizePercentage }} of the last day's decisions are blocked: these SKUs get no order",
    ),
    Alert(
        "StockUnknown",
        'stockstream:items:ratio{stock="unknown"} > 0.05',
        "1h",
        "ticket",
        "The stock of {{ $value | humanizePercentage }} of all items is unknown: their decisions are blocked",
    ),
    Alert(
        "StockOutWave",
        f"{_OUT} - avg_over_time({_OUT}[7d]) > 0.1",
        "30m",
        "ticket",
        "{{ $value | humanizePercentage }} more of all items are out of stock than in the last week",
    ),
    Alert(
        "FillRateLow",
        "min(ray_stockstream_fill_rate_ratio) < 0.9",
        "1d",
        "ticket",
        "Of the demand of the last 28 days only {{ $value | humanizePercentage }} was served",
    ),
    Alert(
        "AllocationFallback",
        f"sum({growth(_GREEDY, '1d')}) > 0",
        "0s",
        "ticket",
        "{{ $value }} budgets were shared by the greedy rule, because the solver found no plan",
    ),
)
