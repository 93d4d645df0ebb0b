"""The JVM that runs the job: one local Flink cluster that ends with this process."""

import os
from pathlib import Path

import pyflink
from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment

from streaming.loopback import loopback_options

REPORTER = Path(__file__).parents[1] / ".run" / "reporter"
_METRICS = Path(pyflink.__file__).parent / "plugins" / "metrics-prometheus" / "*"
_JVM_OPTIONS = "-Xmx{heap_mib}m -XX:MaxMetaspaceSize=384m -XX:+UseParallelGC"


def start_session(options: dict[str, str], log_dir: Path, heap_mib: int) -> TableEnvironment:
    """A table environment in a new JVM that ends with this process and listens on loopback only.

    Raises:
        StockstreamError: the key of its REST endpoint cannot be made.
    """
    log_dir.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "JVM_ARGS": _JVM_OPTIONS.format(heap_mib=heap_mib),
        "HADOOP_CLASSPATH": f"{_METRICS}:{REPORTER}",  # the local cluster loads no plugins
        "FLINK_LOG_DIR": str(log_dir.resolve()),
        "FLINK_IDENT_STRING": "features",
        # No query has Python in it; PyFlink would open a port for Python that takes pickles from anyone.
        "_python_worker_execution_mode": "process",
    }
    return table_environment(options | loopback_options(log_dir))


def table_environment(options: dict[str, str]) -> TableEnvironment:
    """A table environment of the JVM that this process has, or of the cluster that started this process."""
    configured = Configuration()
    for name, value in options.items():
        configured.set_string(name, value)
    builder = EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configured)
    return TableEnvironment.create(builder.build())
