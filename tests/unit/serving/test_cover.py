import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.inventory.cover import chances_needed, required_quantities, service_quantity

Path = tuple[list[int], int, list[int], int, int, bool]


def runs_out(path: Path, order: int) -> bool:
    """Day by day, those who wait first: does any day of the window go short?"""
    demand, net_stock, arrivals, lead, review, waits = path
    stock, owed = max(net_stock, 0), max(-net_stock, 0)
    for day, wanted in enumerate(demand):
        stock += arrivals[day] + (order if day == lead else 0)
        stock, owed = max(stock - owed, 0), max(owed - stock, 0)
        if lead <= day < lead + review and wanted + owed > stock:
            return True
        owed += max(wanted - stock, 0) if waits else 0
        stock = max(0, stock - wanted)
    return False


@st.composite
def one_path(draw: st.DrawFn) -> Path:
    horizon = draw(st.integers(2, 10))
    units = st.lists(st.integers(0, 9), min_size=horizon, max_size=horizon)
    lead = draw(st.integers(0, horizon - 1))
    review = draw(st.integers(1, horizon - lead))
    return draw(units), draw(st.integers(-30, 30)), draw(units), lead, review, draw(st.booleans())


def required_of(*paths: Path) -> list[float]:
    demand, net_stock, arrivals, lead, review, waits = zip(*paths, strict=True)
    days = max(map(len, demand))
    wanted, coming = (
        np.array([[each + [0] * (days - len(each))] for each in units], dtype=float)
        for units in (demand, arrivals)
    )
    stock, leads = np.array(net_stock, dtype=float), np.array(lead)[:, None]
    required = required_quantities(wanted, stock, coming, leads, np.array(review), np.array(waits))
    return [float(each) for each in required[:, 0]]


@given(one_path())
@settings(max_examples=500)
def test_the_required_quantity_is_the_least_that_never_runs_out(path: Path) -> None:
    (required,) = required_of(path)

    assert not runs_out(path, int(required))
    assert required == 0 or runs_out(path, int(required) - 1)


@given(st.lists(one_path(), min_size=2, max_size=5))
@settings(max_examples=500)
def test_skus_that_owe_and_skus_that_lose_do_not_change_each_other(paths: list[Path]) -> None:
    days = max(len(path[0]) for path in paths)
    alike = [(_longer(path[0], days), path[1], _longer(path[2], days), *path[3:]) for path in paths]

    assert required_of(*alike) == [required_of(each)[0] for each in alike]


def _longer(units: list[int], days: int) -> list[int]:
    return units + [0] * (days - len(units))


@given(st.lists(one_path(), min_size=2, max_size=5))
@settings(max_examples=500)
def test_paths_of_one_sku_with_other_lead_times_do_not_change_each_other(paths: list[Path]) -> None:
    _, net_stock, _, _, review, waits = paths[0]
    days = max(path[3] for path in paths) + max(review, *(len(path[0]) for path in paths))
    demand = np.array([[_longer(path[0], days) for path in paths]], dtype=np.float64)
    arrivals = np.array([[_longer(path[2], days) for path in paths]], dtype=np.float64)
    leads, stock, reviews = np.array([[path[3] for path in paths]]), np.array([float(net_stock)]), [review]

    required = required_quantities(demand, stock, arrivals, leads, np.array(reviews), waits)[0]

    for path, wanted, coming, units in zip(paths, demand[0], arrivals[0], required, strict=True):
        alone = wanted.astype(int).tolist(), net_stock, coming.astype(int).tolist(), path[3], review, waits
        assert not runs_out(alone, int(units))
        assert units == 0 or runs_out(alone, int(units) - 1)


def test_a_service_target_over_the_window_is_a_quantile_of_its_demand() -> None:
    # research: negative binomial demand of mean 4 and variance 12 a day, 95 % of 14 days' demand is 79
    demand = np.random.default_rng(1).negative_binomial(2, 1 / 3, (1, 200_000, 14)).astype(float)
    nothing = np.zeros_like(demand)

    required = required_quantities(
        demand, np.zeros(1), nothing, np.zeros((1, 200_000), dtype=np.int64), np.array([14])
    )

    assert service_quantity(np.sort(required), np.array([0.95])) == pytest.approx([79], abs=1)


def test_demand_before_the_order_arrives_is_lost_not_owed() -> None:
    demand = np.full((1, 1, 10), 5.0)
    required = required_quantities(
        demand, np.array([8.0]), np.zeros_like(demand), np.array([[4]]), np.array([3])
    )

    assert required == [[15.0]]


def test_a_lead_time_beyond_the_horizon_counts_as_the_longest_that_leaves_room_for_a_review() -> None:
    demand = np.arange(10.0)[None, None, :]
    long, longest = (
        required_quantities(demand, np.zeros(1), np.zeros_like(demand), np.array([[lead]]), np.array([4]))
        for lead in (30, 6)
    )

    assert long == longest == [[6 + 7 + 8 + 9]]


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=60),
    st.floats(0.01, 0.99),
)
def test_the_service_quantity_suffices_on_the_share_of_paths_and_one_less_does_not(
    needs: list[int], target: float
) -> None:
    quantity = service_quantity(np.array([sorted(needs)], dtype=float), np.array([target]))[0]

    met = sum(need <= quantity for need in needs) / len(needs)
    met_by_less = sum(need <= quantity - 1 for need in needs) / len(needs)
    assert met >= target - 1e-9
    assert quantity == 0 or met_by_less < target


def test_the_chance_that_a_unit_is_needed_is_the_mean_over_the_block() -> None:
    required = np.array([0.0, 1.0, 2.5, 9.0])

    chances = chances_needed(required, np.array([0, 1, 3, 9, 12])).tolist()
    assert chances == [3 / 4, (2 / 4 + 2 / 4) / 2, 1 / 4, 0.0]
