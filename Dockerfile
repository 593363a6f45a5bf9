# syntax=docker/dockerfile:1
#
# Sightline for TPUs: docker build -t REGISTRY/sightline:1 .
#
# Another accelerator or the packages that read text: --build-arg EXTRAS=tpu,corpora or
# EXTRAS=cuda. Versions are those of constraints.txt, which are the tested ones.
FROM python:3.12-slim

ARG EXTRAS=tpu

WORKDIR /build
COPY . .
RUN python -m pip install --no-cache-dir -c constraints.txt ".[${EXTRAS}]" \
    && rm -rf /build

# The user that `sightline submit gke` names.
RUN groupadd --gid 1000 sightline \
    && useradd --uid 1000 --gid 1000 --create-home sightline
USER 1000:1000
WORKDIR /home/sightline

ENTRYPOINT []
CMD ["sightline", "--help"]
