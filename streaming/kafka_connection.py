"""How Flink's Kafka connectors reach the brokers."""

from infra.kafka_security import MECHANISM, PREFIX, KafkaSecurity, load_kafka_security

_SHADED = "org.apache.flink.kafka.shaded.org.apache.kafka.common"
"""Where the connector's jar keeps Kafka's own classes."""


def connection_options(bootstrap_servers: str) -> dict[str, str]:
    """Connector options: the brokers, and what this process's environment says of security."""
    return {"properties.bootstrap.servers": bootstrap_servers, **secured(load_kafka_security())}


def secured(security: KafkaSecurity) -> dict[str, str]:
    """Connector options for TLS and SCRAM.

    The password is read from the environment by the client itself, so that no job graph, plan or log has it.
    """
    if security.security_protocol == "PLAINTEXT":
        return {}
    options: dict[str, str] = {"security.protocol": security.security_protocol}
    if security.ca_file:
        options |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(security.ca_file.resolve())}
    if security.security_protocol == "SASL_SSL":
        login = f"{_SHADED}.security.scram.ScramLoginModule required"
        password = f"${{env:{PREFIX}PASSWORD}}"
        options |= {
            "sasl.mechanism": MECHANISM,
            "sasl.jaas.config": f'{login} username="{security.username}" password="{password}";',
            "config.providers": "env",
            "config.providers.env.class": f"{_SHADED}.config.provider.EnvVarConfigProvider",
            "config.providers.env.param.allowlist.pattern": f"{PREFIX}PASSWORD",
        }
    return {f"properties.{name}": value for name, value in options.items()}
