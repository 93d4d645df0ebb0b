"""What makes a local broker a secured one: TLS, SCRAM users, and access control from the contracts.

Clients come through a listener with TLS and SCRAM. The broker talks to itself, and this module to it, through
listeners that demand the broker's own certificate, whose key only the owner of the run directory can read.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from infra.contracts.access import ACCESS, Access
from infra.contracts.topics import ARCHIVED, DECISIONS, FORECASTS, TOPICS, turned_away
from infra.errors import StockstreamError
from infra.kafka_security import MECHANISM, PREFIX
from infra.local.certificates import BROKER, write_certificates, write_secret

LISTENERS = """\
listeners=INTERNAL://127.0.0.1:{internal_port},CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=INTERNAL://127.0.0.1:{internal_port},CLIENT://127.0.0.1:{port}
inter.broker.listener.name=INTERNAL
listener.security.protocol.map=CONTROLLER:SSL,INTERNAL:SSL,CLIENT:SASL_SSL
sasl.enabled.mechanisms={mechanism}
listener.name.client.{lower_mechanism}.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.internal.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:CN={broker}
"""

SHOP, OPERATOR = "shop", "operator"
USERS: Mapping[str, Access] = MappingProxyType(
    {
        **ACCESS,
        SHOP: Access(read_from=(FORECASTS, DECISIONS), write_to=ARCHIVED),
        OPERATOR: Access(read_from=tuple(each for name in TOPICS for each in (name, *turned_away(name)))),
    }
)
"""The components, the replayed shop, and whoever looks at the topics without writing to any."""

_READ, _WRITE, _DESCRIBE = ACLOperation.READ, ACLOperation.WRITE, ACLOperation.DESCRIBE
_ITERATIONS = 8192


@dataclass(frozen=True)
class BrokerSecurity:
    """Certificates and credentials of one run directory."""

    run_dir: Path

    @property
    def folder(self) -> Path:
        return self.run_dir / "secure"

    @property
    def is_on(self) -> bool:
        """Whether the stack of this run directory is a secured one."""
        return self.folder.is_dir()

    def prepare(self, broker_folder: Path) -> None:
        """Makes certificates and a random password per user, once per run directory.

        Raises:
            StockstreamError: a broker has been set up without them: its topics were open to everybody.
        """
        if self.is_on:
            return
        if broker_folder.exists():
            raise StockstreamError(
                f"--secure: {broker_folder} is of an open broker; use another run directory"
            )
        draft = self.folder.with_name("secure.draft")
        write_certificates(draft)
        for user in USERS:
            write_secret(
                draft / f"{user}.env", _environment(self._variables(user, secrets.token_urlsafe(24)))
            )
        draft.rename(self.folder)

    def listeners(self, ports: Mapping[str, int]) -> str:
        """The part of the broker's properties that says who may connect, and how."""
        folder = self.folder.resolve()
        names = {"mechanism": MECHANISM, "lower_mechanism": MECHANISM.lower(), "broker": BROKER}
        return LISTENERS.format(**ports, **names, folder=folder)

    def credentials_file(self, user: str) -> Path:
        """Environment of a user, to be sourced by a shell."""
        return self.folder / f"{user}.env"

    def environment(self, user: str) -> dict[str, str]:
        """Environment with which a process is that user.

        Raises:
            StockstreamError: there is no such user.
        """
        if user not in USERS:
            raise StockstreamError(f"user {user!r}: one of {', '.join(sorted(USERS))} is accepted")
        lines = self.credentials_file(user).read_text().splitlines()
        return dict(line.removeprefix("export ").split("=", 1) for line in lines)

    def admin_options(self) -> dict[str, Any]:
        """Options of a client that is the broker itself."""
        own = str(self.folder / "broker.pem")
        return {
            "security_protocol": "SSL",
            "ssl_cafile": str(self.folder / "ca.pem"),
            "ssl_certfile": own,
            "ssl_keyfile": own,
        }

    def grant(self, admin: KafkaAdminClient) -> None:
        """Tells the broker every user's password and what each may do; the same again changes nothing.

        Raises:
            StockstreamError: the broker refused one.
        """
        answers = admin.alter_user_scram_credentials([self._credential(user) for user in USERS])
        refused = [f"{user}: {error}" for user, error in answers.items() if error]
        refused += [str(error) for error in admin.create_acls(list(_acls()))["failed"]]
        if refused:
            raise StockstreamError(f"the broker refused to set up access control: {'; '.join(refused)}")

    def _credential(self, user: str) -> UserScramCredentialUpsertion:
        password = self.environment(user)[f"{PREFIX}PASSWORD"]
        return UserScramCredentialUpsertion(
            user, ScramMechanism.SCRAM_SHA_512, password=password.encode(), iterations=_ITERATIONS
        )

    def _variables(self, user: str, password: str) -> dict[str, str]:
        return {
            f"{PREFIX}SECURITY_PROTOCOL": "SASL_SSL",
            f"{PREFIX}USERNAME": user,
            f"{PREFIX}PASSWORD": password,
            f"{PREFIX}CA_FILE": str((self.folder / "ca.pem").resolve()),
        }


def _environment(variables: Mapping[str, str]) -> str:
    return "".join(f"export {name}={value}\n" for name, value in variables.items())


def _acls() -> Iterator[ACL]:
    for user, access in USERS.items():
        grants = [
            (ResourceType.TOPIC, ACLResourcePatternType.LITERAL, access.read_from, (_READ, _DESCRIBE)),
            (ResourceType.TOPIC, ACLResourcePatternType.LITERAL, access.write_to, (_WRITE, _DESCRIBE)),
            (ResourceType.GROUP, ACLResourcePatternType.PREFIXED, access.group_prefixes, (_READ,)),
            (
                ResourceType.TRANSACTIONAL_ID,
                ACLResourcePatternType.PREFIXED,
                access.transaction_prefixes,
                (_WRITE, _DESCRIBE),
            ),
        ]
        for kind, pattern, names, operations in grants:
            for name in names:
                for operation in operations:
                    resource = ResourcePattern(kind, name, pattern)
                    yield ACL(f"User:{user}", "*", operation, ACLPermissionType.ALLOW, resource)
