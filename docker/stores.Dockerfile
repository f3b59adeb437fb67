# The servers of the stores: MLflow's, Optuna's dashboard, and what makes their tables. MLflow's own image has no driver
# for PostgreSQL, and Optuna's schema must be that of the Optuna that studies run with: all versions are those of
# constraints.txt. A tag may be moved to a rebuilt image; `docker buildx imagetools inspect` gives the digest that may
# not, to stand behind it as @sha256:...
FROM python:3.11.15-slim-bookworm

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONSAFEPATH=1

COPY constraints.txt /opt/
RUN pip install -c /opt/constraints.txt mlflow optuna optuna-dashboard "psycopg[binary]"

# A new volume takes the mode of the place that it is mounted at: whoever the container runs as may write there.
RUN mkdir -m 1777 /artifacts
COPY docker/migrate.py /opt/

USER 10001:10001
WORKDIR /tmp
