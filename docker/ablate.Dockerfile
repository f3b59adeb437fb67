# `ablate` itself, installed from this checkout with the versions of constraints.txt. TORCH_INDEX decides whether torch
# comes for CPUs alone or with CUDA. A tag may be moved; see stores.Dockerfile about digests.
FROM python:3.11.15-slim-bookworm

ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG SYSTEM_PACKAGES=""

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

# On a GPU torch compiles kernels, which takes a C compiler; on a CPU nothing is wanted.
RUN [ -z "${SYSTEM_PACKAGES}" ] || { apt-get update \
    && apt-get install --yes --no-install-recommends ${SYSTEM_PACKAGES} \
    && rm -rf /var/lib/apt/lists/*; }

# The package's own index holds nothing but torch and what it needs.
COPY constraints.txt /opt/
RUN pip install -c /opt/constraints.txt --index-url ${TORCH_INDEX} torch

COPY pyproject.toml README.md LICENSE /opt/ablation/
COPY ablation /opt/ablation/ablation
RUN pip install -c /opt/constraints.txt "/opt/ablation[postgresql]"

# A new volume takes the mode of the place that it is mounted at: whoever the container runs as may write there.
RUN mkdir -m 1777 /cache

USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["ablate"]
CMD ["--help"]
