"""How this process proves to the brokers who it is: environment `STOCKSTREAM_KAFKA_*`.

Apart from the other settings, which travel between processes and into logs: credentials stay where they came.
"""

import socket
import ssl
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.errors import StockstreamError

MECHANISM = "SCRAM-SHA-512"
PREFIX = "STOCKSTREAM_KAFKA_"


class KafkaSecurity(BaseSettings):
    """TLS and SCRAM of Kafka clients; plain text where nothing is said, for brokers of the own machine."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = Field(
        "PLAINTEXT", description="SSL is TLS alone, SASL_SSL adds user name and password (SCRAM-SHA-512)"
    )
    username: str | None = Field(None, description="user name for SASL_SSL")
    password: SecretStr | None = Field(None, description="its password")
    ca_file: Path | None = Field(
        None, description="certificates (PEM) that may sign a broker's; the system's if not given"
    )

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        for name in ("username", "password"):
            if self.security_protocol == "SASL_SSL" and not getattr(self, name):
                raise ValueError(f"{PREFIX}{name.upper()} has no value: SASL_SSL needs one")
        if self.ca_file and not self.ca_file.is_file():
            raise ValueError(f"{PREFIX}CA_FILE has value {str(self.ca_file)!r}: a file is accepted")
        return self

    def client_options(self) -> dict[str, Any]:
        """Options of a kafka-python client."""
        if self.security_protocol == "PLAINTEXT":
            return {}
        options: dict[str, Any] = {"security_protocol": self.security_protocol}
        if self.ca_file:
            options["ssl_cafile"] = str(self.ca_file)
        if self.security_protocol == "SASL_SSL" and self.password:
            options |= {
                "sasl_mechanism": MECHANISM,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password.get_secret_value(),
            }
        return options

    def _who(self) -> str:
        if self.security_protocol == "SSL":
            return f"a client without a user; {PREFIX}SECURITY_PROTOCOL says SASL_SSL"
        return f"user {self.username!r} or its password"

    def why_unreachable(self, bootstrap_servers: str) -> str:
        """Why no broker let a client in, found by knocking at the first one: an answer for the user."""
        host, _, port = bootstrap_servers.split(",")[0].rpartition(":")
        at = f"at {bootstrap_servers}"
        try:
            with socket.create_connection((host, int(port)), timeout=5.0) as knocking:
                if self.security_protocol == "PLAINTEXT":
                    return f"a broker {at} refuses plain text; {PREFIX}SECURITY_PROTOCOL says SSL or SASL_SSL"
                context = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
                with context.wrap_socket(knocking, server_hostname=host):
                    return f"the broker {at} refused {self._who()}"
        except ssl.SSLError as error:
            return f"the broker {at} did not prove its identity ({PREFIX}CA_FILE): {error.reason or error}"
        except OSError:
            return f"no Kafka broker answers {at} (setting bootstrap_servers); is the stack up?"


def load_kafka_security() -> KafkaSecurity:
    """Reads the environment; called where a client is made.

    Raises:
        StockstreamError: a value is unusable or missing; names the variable. It never shows a password.
    """
    try:
        return KafkaSecurity()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "".join(f"{PREFIX}{str(part).upper()}: " for part in first["loc"])
        raise StockstreamError(f"{name}{first['msg'].removeprefix('Value error, ')}") from None
