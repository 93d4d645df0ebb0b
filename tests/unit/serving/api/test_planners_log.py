from pathlib import Path

from infra.contracts.planning import Override
from infra.contracts.topics import OVERRIDES
from serving.partition_log import Entry
from tests.unit.serving.api.small_api import board_of, client, shop_log
from tests.unit.serving.records import DAY_MS, EPOCH, LOCATION


def override(scope: str, expires_ms: int, **changes: object) -> Override:
    return Override.model_validate(
        {
            "override_id": f"o-{scope}",
            "event_time_ms": EPOCH + DAY_MS,
            "scope": scope,
            "target": "forecast_factor",
            "value": 1.5,
            "expires_ms": expires_ms,
            "author": "anna",
            "reason": "fair",
            **changes,
        }
    )


def test_overrides_are_found_by_the_sku_they_apply_to_and_each_is_in_the_audit(
    tmp_path: Path,
) -> None:
    board = board_of(shop_log().entries)
    soon, later = EPOCH + 2 * DAY_MS, EPOCH + 9 * DAY_MS
    for number, said in enumerate(
        [
            override("sku:A", later),
            override("category:none", later),
            override("sku:B", later),
            override("location:gb-main", soon, event_time_ms=EPOCH),
            override("sku:A", EPOCH + DAY_MS, event_time_ms=EPOCH + DAY_MS + 5, author="ben", reason="rain"),
        ]
    ):
        board.apply(Entry(OVERRIDES, 0, number, said))
    http = client(tmp_path, board)

    found = http.get("/v1/overrides", params={"sku": "A", "location": LOCATION}).json()["items"]
    active = http.get("/v1/overrides", params={"active": True}).json()["items"]
    audit = http.get("/v1/audit").json()

    assert {each["scope"] for each in found} == {"sku:A", "category:none", "location:gb-main"}
    assert {each["scope"] for each in active} == {"category:none", "sku:B", "location:gb-main"}
    assert audit["total"] == 5 + 2  # two budgets were set before
    assert (audit["items"][0]["author"], audit["items"][0]["what"]) == (
        "ben",
        "withdrew the override of sku:A",
    )
    assert http.get("/v1/audit", params={"author": "ben"}).json()["total"] == 1
