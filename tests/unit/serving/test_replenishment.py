from infra.contracts.inventory import CategoryReplenishment
from infra.contracts.replenishment import BaseStock
from infra.contracts.topics import ITEMS, POLICIES, STOCK_LEVELS
from tests.unit.serving.records import close_epoch, item, level, opened_shop, partition_of, policy, run
from tests.unit.serving.test_planner_stage import SKUS, proposals, restarted


def test_an_items_own_policy_comes_before_its_categorys_and_that_before_the_groups() -> None:
    own, candles, white, group = (BaseStock(policy="base-stock", level=level) for level in (1, 2, 3, 4))
    log = opened_shop([])
    for sku, category, replenishment in (
        ("A", "candles:white", own),
        ("B", "candles:white:small", None),
        ("C", "candles:red", None),
        ("D", "candlesticks", None),
    ):
        changed = item(sku, category=category, replenishment=replenishment)
        log.append(ITEMS, partition_of(sku), changed)
        log.append(STOCK_LEVELS, partition_of(sku), level(sku, 40))
    categories = [
        CategoryReplenishment(category=path, replenishment=each)
        for path, each in (("candles", candles), ("candles:white", white))
    ]
    log.append(
        POLICIES, 0, policy(None).model_copy(update={"replenishment": group, "categories": categories})
    )
    list(close_epoch(log, SKUS))
    run(restarted(log), log, now=0.0)

    levels = {sku: each.inputs.replenishment for sku, each in proposals(log).items()}
    assert levels == {"A": own, "B": white, "C": candles, "D": group}
