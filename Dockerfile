# docker build -t vision-agent .   docs/deployment.md says how to run it.
ARG PYTHON=python:3.13.16-slim-trixie
# deploy/requirements-cluster.txt makes the image for Ray.
ARG REQUIREMENTS=deploy/requirements.txt

FROM ${PYTHON} AS build
ARG REQUIREMENTS
ENV UV_NO_CACHE=1 UV_PYTHON=/opt/venv
RUN pip install --no-cache-dir uv==0.13.9 hatchling==1.33.0 && \
    uv venv --python "$(command -v python3)" /opt/venv
WORKDIR /src
COPY ${REQUIREMENTS} requirements.txt
# What no server imports stays without bytecode: a good quarter of it, 28 MB. So do files that can't be compiled.
RUN uv pip install --no-deps -r requirements.txt && \
    unused='tests|testing|huggingface_hub|pygments/lexers|onnxruntime/transformers|google/adk/evaluation' && \
    { python -m compileall -qq -j 0 -x "/($unused|openai/(resources|types)/(admin|beta))/[^_]" /opt/venv/lib || true; }
COPY pyproject.toml README.md LICENSE ./
COPY samples/recordings samples/recordings
COPY web web
COPY vision_agent vision_agent
RUN hatchling build -t wheel && uv pip install --no-deps dist/*.whl && \
    python -m compileall -q -j 0 /opt/venv/lib/python*/site-packages/vision_agent

FROM ${PYTHON}
# tini reaps the orphans of a local engine that was killed. The base image has no bytecode of the standard library:
# on a read-only root each process would compile what it imports, a server for 0.6 s.
RUN apt-get update && \
    apt-get install -y --no-install-recommends tini=0.19.* && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --uid 10001 --user-group --no-create-home --home-dir /data agent && \
    install -d -m 0700 -o agent -g agent /data /recordings && \
    python -m compileall -q -x site-packages "$(python -c 'import os; print(os.path.dirname(os.__file__))')"
COPY --from=build /opt/venv /opt/venv
# Nothing but /data, /tmp and, with VISION_AGENT_RECORD=/recordings, that folder is written to, so the root may be
# read-only.
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/data \
    VISION_AGENT_DATA_DIR=/data \
    VISION_AGENT_HOST=0.0.0.0 \
    VISION_AGENT_PORT=7860 \
    VISION_AGENT_UDP_PORT=7861
WORKDIR /agents
USER 10001:10001
VOLUME /data
EXPOSE 7860/tcp 7861/udp
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"VISION_AGENT_PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["tini", "--"]
CMD ["vision-agent", "serve"]
