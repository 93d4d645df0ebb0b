"""The planner's dashboard: what is on the shelf, what is served, what is ordered and why."""

from infra.grafana.board import Board, Panel, Query

_NOW = (
    Panel(
        "Fill rate",
        "Units sold over what had been sold from full shelves (an estimate); last 28 days.",
        "percentunit",
        (Query("min(ray_stockstream_fill_rate_ratio)", "fill rate"),),
        "stat",
        ((None, "red"), (0.9, "yellow"), (0.95, "green")),
        5,
        "FillRateLow",
    ),
    Panel(
        "In stock",
        "Share of item-days in stock, last 28 days.",
        "percentunit",
        (Query("min(ray_stockstream_in_stock_ratio)", "in stock"),),
        "stat",
        ((None, "red"), (0.9, "yellow"), (0.95, "green")),
        5,
    ),
    Panel(
        "Out of stock now",
        "Items of the catalogue that have no stock.",
        "short",
        (Query('sum(ray_stockstream_items{stock="out"})', "items"),),
        "stat",
        width=4,
        alert="StockOutWave",
    ),
    Panel(
        "Stock value",
        "Stock on hand at unit cost, by currency.",
        "short",
        (Query("sum by (currency) (ray_stockstream_stock_value)", "{{currency}}"),),
        "stat",
        width=5,
    ),
    Panel(
        "Last decisions",
        "The newest review that has decisions (event time).",
        "dateTimeAsIso",
        (
            Query(
                'max(ray_stockstream_event_time_seconds{topic="inventory.reorder-decisions.v1"}) * 1000',
                "review",
            ),
        ),
        "stat",
        width=5,
        alert="NoDecisions",
    ),
)

_SHELF = (
    Panel(
        "Items by stock",
        "In stock, out of stock, or unknown. Unknown stock blocks a decision; it never counts as zero.",
        "short",
        (Query("sum by (stock) (ray_stockstream_items)", "{{stock}}"),),
        alert="StockUnknown",
    ),
    Panel(
        "Stock value over time",
        "Stock on hand at unit cost.",
        "short",
        (Query("sum by (currency) (ray_stockstream_stock_value)", "{{currency}}"),),
    ),
    Panel(
        "Service over time",
        "Fill rate and share of item-days in stock, last 28 days each.",
        "percentunit",
        (
            Query("min(ray_stockstream_fill_rate_ratio)", "fill rate"),
            Query("min(ray_stockstream_in_stock_ratio)", "in stock"),
        ),
        steps=((None, "red"), (0.9, "green")),
        alert="FillRateLow",
    ),
)

_ORDERS = (
    Panel(
        "Decisions",
        "Since serving started: ordered, nothing to order, or blocked because something is unknown.",
        "short",
        (Query("sum by (status) (ray_stockstream_decisions_total)", "{{status}}"),),
        "bargauge",
        alert="DecisionsBlocked",
    ),
    Panel(
        "Why a quantity was changed",
        "Adjustments since serving started, by reason: pack, minimum, budget, end of life and so on.",
        "short",
        (Query("sum by (reason) (ray_stockstream_decision_reasons_total)", "{{reason}}"),),
        "bargauge",
    ),
    Panel(
        "How budgets were shared",
        "Runs since serving started. `optimal` is proven; `greedy_fallback`: the solver failed.",
        "short",
        (Query("sum by (status) (ray_stockstream_allocations_total)", "{{status}}"),),
        "bargauge",
        alert="AllocationFallback",
    ),
    Panel(
        "Wanted and blocked",
        "Proposals since serving started, before the budget.",
        "short",
        (Query("sum by (outcome) (ray_stockstream_proposals_total)", "{{outcome}}"),),
    ),
    Panel(
        "Decisions revised",
        "Decisions that replaced an earlier one, since serving started. Many: inputs come late or change.",
        "short",
        (Query("sum(ray_stockstream_revisions_total) or vector(0)", "revised"),),
    ),
    Panel(
        "Reviews",
        "The newest epoch that Planners and Allocator have finished (event time).",
        "dateTimeAsIso",
        (
            Query(
                'max by (stage) (ray_stockstream_last_epoch_seconds{stage=~"planner|allocator"}) * 1000',
                "{{stage}}",
            ),
        ),
        alert="NoDecisions",
    ),
)

INVENTORY = Board(
    "stockstream-inventory",
    "Stockstream: inventory",
    "What is on the shelf, what is served, what is ordered and why. For planners.",
    (("Now", _NOW), ("On the shelf", _SHELF), ("Orders", _ORDERS)),
)
