"""Keeps a Flink of one machine to itself: loopback addresses only, and endpoints that need its key.

Flink's REST endpoint and BLOB server cannot be left out, and let whoever reaches them stop jobs or add code.
They therefore answer only clients that show the certificate of Flink's own key, which is made anew at each
start and whose password nobody else knows.
"""

import os
import secrets
import subprocess
from pathlib import Path

from infra.errors import StockstreamError

BIND_TO_LOOPBACK = {
    "rest.address": "127.0.0.1",
    "rest.bind-address": "127.0.0.1",
    "jobmanager.rpc.address": "127.0.0.1",
    "jobmanager.bind-host": "127.0.0.1",
    "taskmanager.host": "127.0.0.1",
    "taskmanager.bind-host": "127.0.0.1",
}
_NOTHING_OVER_REST = {
    "web.submit.enable": "false",
    "web.cancel.enable": "false",
    "web.rescale.enable": "false",
}
_KEYTOOL_SECONDS = 60.0
_PASSWORD = "FLINK_KEY_PASSWORD"


def loopback_options(folder: Path) -> dict[str, str]:
    """Flink's options; writes the key of its endpoints, encrypted, into the folder.

    Raises:
        StockstreamError: the key cannot be made.
    """
    store, password = folder.resolve() / "flink.p12", secrets.token_urlsafe(32)
    _make_key(store, password)
    key = {
        "enabled": "true",
        "keystore": str(store),
        "truststore": str(store),
        "keystore-type": "PKCS12",
        "truststore-type": "PKCS12",
        "keystore-password": password,
        "key-password": password,
        "truststore-password": password,
    }
    return {
        **BIND_TO_LOOPBACK,
        **_NOTHING_OVER_REST,
        **{
            f"security.ssl.{part}.{name}": value
            for part in ("rest", "internal")
            for name, value in key.items()
        },
        "security.ssl.rest.authentication-enabled": "true",
    }


def _make_key(store: Path, password: str) -> None:
    store.unlink(missing_ok=True)
    home = os.environ.get("JAVA_HOME")
    tool = str(Path(home) / "bin" / "keytool") if home else "keytool"
    arguments = ["-genkeypair", "-alias", "flink", "-keyalg", "RSA", "-dname", "CN=127.0.0.1"]
    kept = ["-validity", "3650", "-keystore", str(store), "-storetype", "PKCS12", "-storepass:env", _PASSWORD]
    done = subprocess.run(
        [tool, *arguments, *kept],
        env={**os.environ, _PASSWORD: password},
        capture_output=True,
        text=True,
        timeout=_KEYTOOL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise StockstreamError(f"no key for Flink's endpoints in {store}: {done.stderr.strip()}")
    store.chmod(0o600)
