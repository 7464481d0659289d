# Runs the app on port 7860 as an ordinary user, on a Docker Space or any other machine.
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 user
USER user
ENV HOME=/home/user \
    PATH=/home/user/.local/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860
WORKDIR /home/user/app

COPY --chown=user requirements.txt requirements.lock ./
RUN pip install --no-cache-dir --user -r requirements.txt -c requirements.lock
COPY --chown=user app.py ./
COPY --chown=user assets assets
COPY --chown=user demo demo

EXPOSE 7860
HEALTHCHECK --start-period=60s CMD \
    ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7860/healthz')"]
CMD ["python", "app.py"]
