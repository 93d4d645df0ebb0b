"""The Spark session of the batch verbs: two local cores, no ports open to others, ANSI SQL, UTC."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

_LOGGING = Path(__file__).with_name("log4j2.properties")
# A short job gains nothing from the second compiler or a parallel collector.
# ALS hands on a deep lineage of its iterations: the usual stack of a thread overflows on it.
_JVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss16m"
_OPTIONS = {
    "spark.driver.memory": "2g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": f"{_JVM} -Dlog4j2.configurationFile={_LOGGING}",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.catalogImplementation": "in-memory",
    # Otherwise a value is parsed once for every field taken from it.
    "spark.sql.optimizer.enableJsonExpressionOptimization": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.files.openCostInBytes": "65536",
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "100000",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
}


@contextmanager
def spark_session(name: str) -> Iterator[SparkSession]:
    """A session that ends with the block."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers of Python functions
    builder = SparkSession.builder.master("local[2]").appName(name)
    for option, value in _OPTIONS.items():
        builder = builder.config(option, value)
    session = builder.getOrCreate()
    try:
        yield session
    finally:
        session.stop()
