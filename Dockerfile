# The service in a container. Build: docker build --tag schoolwatch .   Use: README.md

FROM python:3.11-slim-bookworm AS environment
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/schoolwatch
RUN python -m venv .venv
COPY requirements.lock ./
RUN .venv/bin/python -m pip install --require-hashes --only-binary :all: -r requirements.lock
COPY . ./
RUN .venv/bin/python -m pip install --no-deps --no-build-isolation --no-index -e . \
    && .venv/bin/python -m compileall -q monitor connectors classifiers

FROM python:3.11-slim-bookworm
# Chromium's version is left open: security updates come in with each build.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        chromium fonts-liberation fonts-noto-core fonts-noto-color-emoji libatomic1 tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --create-home schoolwatch \
    && install --directory --owner=schoolwatch --group=schoolwatch /data /config
COPY --from=environment /opt/schoolwatch /opt/schoolwatch
ENV PATH=/opt/schoolwatch/.venv/bin:$PATH PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /home/schoolwatch
VOLUME ["/config", "/data"]
EXPOSE 8080
HEALTHCHECK --interval=1m --timeout=10s --start-period=1m \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/health', timeout=8)"]
# tini buries what the browser leaves behind
ENTRYPOINT ["tini", "--", "schoolwatch"]
CMD ["run", "--config", "/config", "--data", "/data", "--listen", "0.0.0.0:8080"]
