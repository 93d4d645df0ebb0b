"""How long it takes to decide 100,000 SKU-places by the default policy, their forecast messages given.

Simulated: exponential-like daily demand of means 0.2 to 20 with a closed weekday, 28 days, 21 knots, 500
joint paths; 40 suppliers with up to five lead times between 2 and 20 days, reviews every 7 days, 0 to 2 open
orders. Two processes share the places; each makes 1,000 messages at a time, which is not counted, and
decides them, which is.
"""

import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from infra.contracts import identity
from infra.contracts.demand import HORIZON_DAYS, QUANTILE_LEVELS, Copula, DemandForecast
from infra.contracts.inventory import DecisionInputs, ForecastReference, LeadTimeCount, OpenOrder
from infra.contracts.message import Money
from infra.contracts.replenishment import CycleService, Lookahead, OrderUpTo, Replenishment
from serving.inventory.lead_times import draw_arrival_days, stratified_uniforms
from serving.inventory.local_days import days_between
from serving.inventory.lookahead import usual_shape
from serving.inventory.policy import Request, decide
from tests.benchmarks.figures import Figure, measured
from tests.benchmarks.inventory import plain_cover

PLACES, AT_ONCE, PROCESSES, REPEATS = 100_000, 1_000, 2, 3
PATHS, COMPARED, NAMED = 500, 20, 200
EPOCH_MS, DAY_MS, ZONE = 1_316_991_600_000, 86_400_000, "Europe/London"
LOOKAHEAD = Lookahead(policy="lookahead", stockout_rate=0.8, holding_rate=0.25)
ORDER_UP_TO = OrderUpTo(policy="order-up-to", target=CycleService(kind="cycle_service", level=0.95))


def forecast(number: int, rng: np.random.Generator) -> DemandForecast:
    """A place's message; deciding does not read its cumulative table."""
    mean = float(np.exp(rng.uniform(np.log(0.2), np.log(20))))
    scale = mean * rng.uniform(0.7, 1.3, HORIZON_DAYS) * (np.arange(HORIZON_DAYS) % 7 != 5)
    table = np.outer(scale, -np.log1p(-np.array(QUANTILE_LEVELS)))
    sku = f"sku-{number}"
    return DemandForecast(
        sku=sku,
        location="main",
        origin_ms=EPOCH_MS,
        forecaster="lstm",
        model_id="lstm-1",
        panel_hash="0" * 64,
        context_digest="0" * 64,
        quantile_levels=list(QUANTILE_LEVELS),
        quantiles=table.tolist(),
        cumulative=np.cumsum(table, axis=0).tolist(),
        copula=Copula(level=0.2, decay=0.3),
        seed=identity.seed(sku),
        paths=PATHS,
    )


def lead_times(supplier: int) -> list[LeadTimeCount]:
    """What a supplier's receipts say."""
    rng = np.random.default_rng(supplier)
    days = rng.choice(np.arange(2, 21), rng.integers(1, 6), replace=False)
    return [LeadTimeCount(days=each, receipts=int(rng.integers(1, 60))) for each in sorted(days.tolist())]


def request(number: int, replenishment: Replenishment | None = None) -> Request:
    """A place's decision, with the message that it names."""
    rng = np.random.default_rng([3, number])
    message, supplier = forecast(number, rng), int(rng.integers(40))
    orders = [
        OpenOrder(
            order_id=f"po-{number}-{order}",
            supplier=f"supplier-{supplier}",
            outstanding=int(rng.integers(1, 50)),
            placed_ms=EPOCH_MS - int(rng.integers(1, 20)) * DAY_MS,
        )
        for order in range(rng.integers(0, 3))
    ]
    reference = ForecastReference(origin_ms=EPOCH_MS, model_id="lstm-1", digest="0" * 64)
    inputs = DecisionInputs(
        forecast=reference,
        on_hand=int(rng.integers(0, 60)),
        open_orders=orders,
        lead_times=lead_times(supplier),
        review_period_days=7,
        cycle_service_level=0.95,
        min_order_quantity=int(rng.choice([1, 6, 24])),
        case_pack=int(rng.choice([1, 6, 12])),
        maximum_stock=None,
        supplier=f"supplier-{supplier}",
        unit_cost=Money(amount="1.30", currency="GBP"),
        price=Money(amount="2.95", currency="GBP"),
        planning_group="main",
        time_zone=ZONE,
        end_ms=None,
        input_stale=False,
        replenishment=replenishment,
    )
    made_id = identity.decision_id(message.sku, message.location, EPOCH_MS, "review")
    return Request(made_id, message.sku, message.location, EPOCH_MS, "review", inputs, message)


def share_of_places(share: int) -> tuple[float, float]:
    """Seconds spent deciding one process's share, and the process's peak memory in GB."""
    seconds, size = 0.0, PLACES // PROCESSES
    for start in range(share * size, (share + 1) * size, AT_ONCE):
        requests = [request(number) for number in range(start, start + AT_ONCE)]
        started = time.perf_counter()
        decide(requests)
        seconds += time.perf_counter() - started
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def runs() -> list[list[tuple[float, float]]]:
    """Of each repeat, what each process took."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        return [list(pool.map(share_of_places, range(PROCESSES))) for _ in range(REPEATS)]


def plainly(requests: Sequence[Request]) -> list[int]:
    """The same decisions without numpy's arrays."""
    return [_plainly(each, each.forecast) for each in requests if each.forecast]


def _plainly(asked: Request, message: DemandForecast) -> int:
    inputs = asked.inputs
    orders = sorted(inputs.open_orders, key=lambda order: (order.placed_ms, order.order_id))
    keys = [("open-order", order.order_id) for order in orders]
    uniforms = [stratified_uniforms(PATHS, asked.decision_id, *key) for key in (*keys, ("new-order",))]
    ages = [days_between(order.placed_ms, EPOCH_MS, ZONE) for order in orders]
    days = draw_arrival_days(inputs.lead_times, ages, inputs.delivery, np.stack(uniforms))
    return plain_cover.wanted(inputs, message, days.tolist())


def ratios() -> list[float]:
    """Seconds of the plain loop / of the vectorised decision, an item, on one core."""
    requests = [request(number) for number in range(AT_ONCE)]
    return [_ratio(requests, requests[start : start + COMPARED]) for start in (0, 300, 600)]


def _ratio(requests: Sequence[Request], few: Sequence[Request]) -> float:
    started = time.process_time()
    plain = plainly(few)
    per_plain = (time.process_time() - started) / len(few)
    assert plain == [wanted.unconstrained_quantity for wanted in decide(few)]
    started = time.process_time()
    decide(requests)
    return per_plain / ((time.process_time() - started) / len(requests))


def policy_milliseconds(policy: Replenishment) -> list[float]:
    """Of one decision on one core; follow-up policies of looking ahead are there."""
    requests = [request(number, policy) for number in range(NAMED)]
    decide(requests)
    return [_milliseconds(requests) for _ in range(REPEATS)]


def _milliseconds(requests: Sequence[Request]) -> float:
    started = time.process_time()
    decide(requests)
    return 1000 * (time.process_time() - started) / len(requests)


def set_up_seconds() -> list[float]:
    """Of fitting a follow-up policy, once for each ratio of costs, lead time and review period."""
    found = []
    for lead in (3, 9, 15):
        started = time.process_time()
        usual_shape(1234.5, lead, 7)
        found.append(time.process_time() - started)
    return found


def figures() -> list[Figure]:
    """All places, the plain loop, and policies by name."""
    taken = runs()
    seconds = [max(share[0] for share in run) for run in taken]
    memory = [sum(share[1] for share in run) for run in taken]
    how = "simulated; 100,000 SKU-places, 28 days, 21 knots, 500 paths, random lead times; two processes"
    plain = f"CPU seconds of plain Python, {COMPARED} items, equal quantities / of decide, {AT_ONCE} items"
    fitted = "follow-up policy fitted, once a kind"
    named = f"CPU time of one, {NAMED} SKU-places of the same catalogue, policy "
    return [
        measured("decide_all.seconds", seconds, "s", how, "<= 20", lambda v: v <= 20),
        measured("decide_all.memory", memory, "GB", how + ", both together", "<= 4", lambda v: v <= 4),
        measured("decide_all.over_plain_loop", ratios(), "ratio", plain, ">= 150", lambda v: v >= 150),
        measured("decide_all.lookahead_decision", policy_milliseconds(LOOKAHEAD), "ms", named + "lookahead"),
        measured(
            "decide_all.order_up_to_decision", policy_milliseconds(ORDER_UP_TO), "ms", named + "order-up-to"
        ),
        measured("decide_all.lookahead_set_up", set_up_seconds(), "s", fitted),
    ]
