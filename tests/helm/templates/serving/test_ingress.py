import pytest

from tests.helm.chart import PRODUCTION, named, template


def test_the_api_is_exposed_with_a_certificate_or_not_at_all() -> None:
    spec = named("Ingress", values=PRODUCTION)[""]["spec"]
    assert spec["tls"] == [{"hosts": ["stockstream.example.com"], "secretName": "stockstream-tls"}]
    assert named("Ingress") == {}


@pytest.mark.parametrize("field", ["host", "tlsSecretName"])
def test_what_an_exposed_api_needs_is_asked_for(field: str) -> None:
    done = template(f"serving.ingress.{field}=", values=PRODUCTION)
    assert f"serving.ingress.{field} has no value" in done.stderr


def test_it_leads_to_the_service_that_kuberay_keeps_for_the_ray_service() -> None:
    (rule,) = named("Ingress", values=PRODUCTION)[""]["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    (service,) = named("RayService", values=PRODUCTION).values()
    assert path["backend"]["service"]["name"] == f"{service['metadata']['name']}-serve-svc"
