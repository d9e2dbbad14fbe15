# Mail Alert System. Build: docker build -t mailalert .
#
# Run (the listener is reachable from outside the container, so it asks for a token):
#   docker run -p 8825:8825 -v mailalert:/var/lib/mailalert -v ./secrets:/run/secrets:ro \
#     -e MAILALERT_RELAY=smtps://alerts@mail.example.org:465 \
#     -e MAILALERT_RELAY_PASSWORD_FILE=/run/secrets/relay_password \
#     -e MAILALERT_HTTP__TOKEN_FILE=/run/secrets/http_token \
#     -e MAILALERT_MAIL_FROM=alerts@example.org -e MAILALERT_MAIL_TO=ops@example.org mailalert

FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/mailalert
# The dependencies first: this layer is built again only when the lock file changes.
COPY requirements.lock ./
RUN /opt/mailalert/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY app ./app
RUN /opt/mailalert/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.13-slim
# A fixed number, so that a volume keeps its owner from one image to the next.
RUN groupadd --system --gid 8825 mailalert \
    && useradd --system --uid 8825 --gid mailalert --no-create-home --home-dir /nonexistent mailalert \
    && install -d -o mailalert -g mailalert -m 0700 /var/lib/mailalert
COPY --from=build /opt/mailalert /opt/mailalert
# Docker kills 10 s after SIGTERM. For a longer drain: docker run --stop-timeout 45 -e MAILALERT_DRAIN_TIMEOUT=30s
ENV PATH=/opt/mailalert/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    MAILALERT_DATA_DIR=/var/lib/mailalert \
    MAILALERT_HTTP__HOST=0.0.0.0 \
    MAILALERT_DRAIN_TIMEOUT=8s
USER mailalert
WORKDIR /
VOLUME /var/lib/mailalert
EXPOSE 8825
STOPSIGNAL SIGTERM
# A daemon that starts with a large backlog answers within 2 s. /healthz needs no token.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:%s/healthz' % os.environ.get('MAILALERT_HTTP__PORT', '8825'), timeout=4)"]
ENTRYPOINT ["mailalert"]
CMD ["serve"]
