from tests.helm.chart import PRODUCTION, named


def test_the_claim_of_production_outlives_the_release_and_that_of_a_trial_does_not() -> None:
    kept = named("PersistentVolumeClaim", values=PRODUCTION)["data"]["metadata"]["annotations"]
    assert kept == {"helm.sh/resource-policy": "keep"}
    assert "annotations" not in named("PersistentVolumeClaim")["data"]["metadata"]


def test_a_claim_that_exists_is_used_and_none_made() -> None:
    given = "storage.existingClaim=ours"
    assert named("PersistentVolumeClaim", given) == {}
    pod = named("CronJob", given)["history"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "ours"}} in pod["volumes"]
