# Forecasts, decisions, API and console: a Ray node that KubeRay starts.
# docker build -f infra/images/serving.Dockerfile -t stockstream/serving .   Production pins the base by digest.
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
COPY . /build
RUN /build/infra/images/install.sh serving /opt/stockstream

FROM ${PYTHON}
# KubeRay's probes call wget.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends wget \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin stockstream
COPY --from=build /opt/stockstream /opt/stockstream
ENV PATH=/opt/stockstream/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
CMD ["stockstream", "serve"]
