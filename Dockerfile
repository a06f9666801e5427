# Two stages: pip and its leavings stay in the first one.
FROM python:3.11.14-slim-bookworm AS build

# Where CPU-only builds of torch are to be had, a second index keeps gigabytes of CUDA out of the image.
ARG PIP_EXTRA_INDEX_URL=""
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN python -m venv /venv

# Dependencies before sources: a change of code does not install torch again.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
      > requirements.txt \
    && /venv/bin/pip install -c constraints.txt -r requirements.txt

COPY README.md LICENSE ./
COPY config ./config
COPY storage ./storage
COPY jobs ./jobs
COPY service ./service
COPY examples ./examples
# Editable: one copy of each module, the one in /app.
RUN /venv/bin/pip install --no-deps -c constraints.txt -e .


FROM python:3.11.14-slim-bookworm

# LightGBM's OpenMP. Its version is the base image's affair: Debian keeps only the newest.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /tmp winnow

COPY --from=build /venv /venv
COPY --from=build /app /app

# PYTHONPATH: the four rooms have plain names, and no dependency may come first.
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/tmp/numba \
    WINNOW_HEARTBEAT=/tmp/winnow-heartbeat
WORKDIR /app
USER 10001:10001

# The service touches its heartbeat at least once a minute, during a run too.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, sys, time; sys.exit(time.time() - os.stat(os.environ['WINNOW_HEARTBEAT']).st_mtime > 120)"]

ENTRYPOINT ["winnow"]
CMD ["watch", "--config", "/etc/winnow/winnow.yaml"]
