# History, training, backtest and heartbeat: Spark and Ray Train; with GPUs where the node has them.
# docker build -f infra/images/batch.Dockerfile -t stockstream/batch .   Production pins the base by digest.
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
COPY . /build
RUN /build/infra/images/install.sh batch /opt/stockstream

FROM ${PYTHON}
# Spark needs a module that only a whole JDK has (jdk.incubator.vector); KubeRay's probes call wget.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends openjdk-17-jdk-headless procps wget \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin stockstream
COPY --from=build /opt/stockstream /opt/stockstream
ENV PATH=/opt/stockstream/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
CMD ["stockstream"]
