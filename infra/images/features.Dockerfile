# The features job: PyFlink in application mode, as the Flink Kubernetes operator starts it.
# docker build -f infra/images/features.Dockerfile -t stockstream/features .   Production pins the base by digest.
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends maven openjdk-17-jdk-headless \
  && rm -rf /var/lib/apt/lists/*
COPY . /build
RUN /build/infra/images/install.sh features /opt/stockstream && mv /opt/stockstream/flink /opt/flink

FROM ${PYTHON}
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends openjdk-17-jre-headless \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin stockstream
COPY --from=build /opt/flink /opt/flink
COPY --from=build /build/infra/images/entrypoint.sh /docker-entrypoint.sh
COPY --from=build /opt/stockstream /opt/stockstream
ENV FLINK_HOME=/opt/flink \
    PATH=/opt/stockstream/bin:/opt/flink/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
ENTRYPOINT ["/docker-entrypoint.sh"]
