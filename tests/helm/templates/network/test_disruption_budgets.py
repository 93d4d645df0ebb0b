from tests.helm.chart import PRODUCTION, named


def test_one_pod_of_a_component_at_a_time_may_be_taken_away() -> None:
    budgets = named("PodDisruptionBudget", values=PRODUCTION)
    assert set(budgets) == {"features", "serving"}
    assert {each["spec"]["maxUnavailable"] for each in budgets.values()} == {1}


def test_a_trial_on_one_node_has_none() -> None:
    assert named("PodDisruptionBudget") == {}
