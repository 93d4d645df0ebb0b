# The features job: PyFlink in application mode, as the Flink Kubernetes operator starts it.
# docker build -f infra/images/features.Dockerfile -t stockstream/features .   Production pins both bases by digest.
ARG PYTHON=python:3.11.14-slim-bookworm
ARG FLINK=flink:2.3.0-java17

FROM ${FLINK} AS flink

FROM ${PYTHON} AS build
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends maven openjdk-17-jdk-headless \
  && rm -rf /var/lib/apt/lists/*
COPY . /build
RUN /build/infra/images/install.sh features /opt/stockstream

FROM ${PYTHON}
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends gettext-base openjdk-17-jre-headless \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin stockstream
COPY --from=flink --chown=10001:10001 /opt/flink /opt/flink
COPY --from=flink /docker-entrypoint.sh /docker-entrypoint.sh
COPY --from=build /opt/stockstream /opt/stockstream
ENV FLINK_HOME=/opt/flink \
    PATH=/opt/stockstream/bin:/opt/flink/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
ENTRYPOINT ["/docker-entrypoint.sh"]
