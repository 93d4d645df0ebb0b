from tests.helm.chart import named, objects, pods


def test_only_flink_gets_a_token_and_may_touch_config_maps_alone() -> None:
    assert {each["automountServiceAccountToken"] for each in named("ServiceAccount").values()} == {False}
    with_token = [pod for pod in pods(objects()) if pod["automountServiceAccountToken"]]
    assert len(with_token) == 1
    assert [container["name"] for container in with_token[0]["containers"]] == ["flink-main-container"]
    (rule,) = named("Role")["features"]["rules"]
    assert (rule["apiGroups"], rule["resources"]) == ([""], ["configmaps"])


def test_every_pod_runs_as_an_account_of_the_release() -> None:
    accounts = {each["metadata"]["name"] for each in named("ServiceAccount").values()}
    used = {pod["serviceAccountName"] for pod in pods(objects()) if "serviceAccountName" in pod}
    flink = {each["spec"]["serviceAccount"] for each in named("FlinkDeployment").values()}
    assert used | flink == accounts
