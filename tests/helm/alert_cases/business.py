from tests.helm.alert_cases.case import DAY, Case
from tests.helm.alert_cases.pipeline import CLOCK, UP

COVERAGE = 'ray_stockstream_forecast_coverage{forecaster="lstm",horizon_days="1",interval="80"}'
BIAS = 'ray_stockstream_forecast_bias_ratio{forecaster="lstm",horizon_days="1"}'
ERROR = 'ray_stockstream_forecast_pinball_ratio{forecaster="lstm",horizon_days="1"}'
ITEMS = 'ray_stockstream_items{{stock="{stock}",replica="{replica}"}}'
ANSWERED = 'ray_serve_num_http_requests_total{route="/v1/decisions",status_code="200"}'
FAILED = 'ray_serve_num_http_requests_total{route="/v1/decisions",status_code="500"}'
DEAD = 'kafka_topic_messages_in_total{topic="stock.levels.v1.dlq.v1"}'
GOOD = 'kafka_topic_messages_in_total{topic="stock.levels.v1"}'
FORECASTS = 'ray_stockstream_event_time_seconds{topic="demand.forecasts.v1"}'


def decisions(status: str) -> str:
    return f'ray_stockstream_decisions_total{{status="{status}"}}'


def items(stock: str, replica: str = "a") -> str:
    return ITEMS.format(stock=stock, replica=replica)


BUSINESS_CASES = (
    Case(
        "FallbackServes",
        70,
        {"ray_stockstream_fallback_share": "0x9 1x90"},
        "100% of the newest forecasts come from the fallback",
    ),
    Case(
        "ModelStale",
        70,
        {CLOCK: "1316000000x9 1317000000x99", "ray_stockstream_model_learned_until_seconds": "1300000000x99"},
        "The model has learned nothing of the last 196d 18h 13m 20s: no newer one passed",
    ),
    Case(
        "RetrainRequestOpen",
        10 + 2 * DAY,
        {"ray_stockstream_open_retrain_requests": f"0x9 1x{3 * DAY}"},
        "For two days a model that is worse than the fallback has waited for its successor",
    ),
    Case(
        "CoverageOff",
        10 + DAY,
        {COVERAGE: f"0.8x9 0.6x{2 * DAY}"},
        "The 80 % interval of lstm is 20% off: orders are too safe or too risky",
        {"forecaster": "lstm"},
    ),
    Case(
        "ForecastBiased",
        10 + DAY,
        {BIAS: f"0x9 -0.5x{2 * DAY}"},
        "Forecasts of lstm are off to one side by 50%",
        {"forecaster": "lstm"},
    ),
    Case(
        "ForecastErrorHigh",
        10 + DAY,
        {
            ERROR: f"0.4x9 0.75x{2 * DAY}",
            'ray_stockstream_model_gate_wql{forecaster="lstm"}': f"0.4x{2 * DAY}",
        },
        "The model's error (0.75) is over one and a half times that at its gate",
    ),
    Case(
        "DecisionsBlocked",
        DAY + 10,
        UP | {decisions("order"): f"_x{DAY + 10} 60x99", decisions("blocked"): f"_x{DAY + 10} 20x99"},
        "25% of the last day's decisions are blocked: these SKUs get no order",
        {"status": "blocked"},
    ),
    Case(
        "StockUnknown",
        70,
        {items("in"): "100x9 80x99", items("in", "b"): "100x99", items("unknown"): "0x9 20x99"},
        "The stock of 10% of all items is unknown: their decisions are blocked",
        {"stock": "unknown"},
    ),
    Case(
        "StockOutWave",
        1030,
        {items("in"): "100x999 60x99", items("in", "b"): "100x1099", items("out"): "0x999 40x99"},
        "19.4% more of all items are out of stock than in the last week",
        {"stock": "out"},
    ),
    Case(
        "FillRateLow",
        10 + DAY,
        {"ray_stockstream_fill_rate_ratio": f"0.95x9 0.8x{2 * DAY}"},
        "Of the demand of the last 28 days only 80% was served",
    ),
    Case(
        "AllocationFallback",
        DAY + 10,
        UP | {'ray_stockstream_allocations_total{status="greedy_fallback"}': f"_x{DAY + 10} 1x99"},
        "1 budgets were shared by the greedy rule, because the solver found no plan",
    ),
)

BURN_CASES = (
    Case(
        "ApiErrorsFast",
        64,
        {ANSWERED: "0+60x60 3600+30x300", FAILED: "0x60 0+30x300"},
        "API requests fail (2.542%): a month's allowance would be gone within five days",
    ),
    Case(
        "ApiErrorsSlow",
        1817,
        {ANSWERED: f"0+60x{5 * DAY}", FAILED: f"0x{DAY} 0+0.3x{DAY}"},
        "API requests fail (0.1034%): a month's allowance will not last the month",
    ),
    Case(
        "RefusedRecordsFast",
        64,
        {GOOD: "0+600x300", DEAD: "0x60 0+300x300"},
        "Records are refused as unusable (2.5%): a month's allowance would be gone within five days",
    ),
    Case(
        "RefusedRecordsSlow",
        1817,
        {GOOD: f"0+600x{5 * DAY}", DEAD: f"0x{DAY} 0+3x{DAY}"},
        "Records are refused as unusable (0.1035%): a month's allowance will not last the month",
    ),
    Case(
        "LateForecastsFast",
        65,
        {CLOCK: "1300000000x59 1300100000x300", FORECASTS: "1300000000x400"},
        "Forecasts come later than an hour after the day's close (9.091%): "
        "a month's allowance would be gone within five days",
    ),
    Case(
        "LateForecastsSlow",
        1469,
        {CLOCK: f"1300000000x{DAY - 1} 1300100000x{DAY}", FORECASTS: f"1300000000x{3 * DAY}"},
        "Forecasts come later than an hour after the day's close (2.041%): "
        "a month's allowance will not last the month",
    ),
)
