package org.apache.flink.metrics.prometheus; // Where the registry that Flink's metrics go to can be seen.

import io.prometheus.client.exporter.HTTPServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Properties;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/** Flink's Prometheus reporter on the loopback interface: Flink's own binds to every interface. */
public final class LoopbackReporter extends AbstractPrometheusReporter {

    /** Made by Flink from {@code metrics.reporter.prom.*}; {@code port} is required. */
    public static final class Factory implements MetricReporterFactory {
        @Override
        public MetricReporter createMetricReporter(Properties properties) {
            return new LoopbackReporter(Integer.parseInt(properties.getProperty("port")));
        }
    }

    private final HTTPServer server;

    private LoopbackReporter(int port) {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        try {
            server = new HTTPServer(address, registry, true);
        } catch (IOException error) {
            throw new UncheckedIOException("metrics cannot be exposed at " + address, error);
        }
    }

    @Override
    public void close() {
        server.stop();
        super.close();
    }
}
