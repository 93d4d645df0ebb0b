import pytest
from pydantic import SecretStr, ValidationError

from infra.kafka_security import KafkaSecurity
from streaming.kafka_connection import secured


def scram() -> KafkaSecurity:
    return KafkaSecurity(security_protocol="SASL_SSL", username="shop", password=SecretStr("hunter2"))


def test_nothing_is_said_to_a_broker_that_asks_for_nothing() -> None:
    assert KafkaSecurity().client_options() == {} == secured(KafkaSecurity())


def test_a_user_without_password_is_refused_by_the_variables_name() -> None:
    with pytest.raises(ValidationError, match="STOCKSTREAM_KAFKA_PASSWORD has no value"):
        KafkaSecurity(security_protocol="SASL_SSL", username="shop")


def test_flinks_tables_never_hold_the_password() -> None:
    assert scram().client_options()["sasl_plain_password"] == "hunter2"
    assert "hunter2" not in str(secured(scram()))


def test_the_password_is_not_shown() -> None:
    assert "hunter2" not in repr(scram())
