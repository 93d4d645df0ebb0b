"""The JVM that runs the job: one local Flink cluster that ends with this process."""

import os
from pathlib import Path

import pyflink
from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment

_METRICS_REPORTER = Path(pyflink.__file__).parent / "plugins" / "metrics-prometheus" / "*"
_JVM_OPTIONS = "-XX:MaxMetaspaceSize=384m -XX:+UseParallelGC"


def start_session(options: dict[str, str], log_dir: Path, heap_mib: int) -> TableEnvironment:
    """A table environment in a new JVM that ends with this process."""
    log_dir.mkdir(parents=True, exist_ok=True)
    os.environ["JVM_ARGS"] = _JVM_OPTIONS
    os.environ["HADOOP_CLASSPATH"] = str(_METRICS_REPORTER)  # the local cluster loads no plugins
    os.environ["FLINK_LOG_DIR"] = str(log_dir.resolve())
    os.environ["FLINK_IDENT_STRING"] = "features"
    return table_environment(options)


def table_environment(options: dict[str, str]) -> TableEnvironment:
    """A table environment of the JVM that this process has, or of the cluster that started this process."""
    configured = Configuration()
    for name, value in options.items():
        configured.set_string(name, value)
    builder = EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configured)
    return TableEnvironment.create(builder.build())
