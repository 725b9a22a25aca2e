"""AWS's own DynamoDB Local for the length of a block: the second engine, in memory, no double.

`.ci/dynamodb-local` puts it into .tools/; nothing of it belongs to the project. It answers on a
free port and keeps nothing. It never says TransactionConflict.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError
from botocore.session import get_session

FOLDER = Path(__file__).parent.parent / ".tools" / "dynamodb-local"
HOW = "run .ci/dynamodb-local to have it (it needs java and npm)"
START_SECONDS = 180.0
CONTENDERS = 64


def missing() -> str:
    """Why there is no such engine here, in one sentence; empty where there is one."""
    if not (FOLDER / "DynamoDBLocal.jar").exists():
        return f"DynamoDB Local is not in .tools/: {HOW}"
    if shutil.which("java") is None:
        return f"DynamoDB Local needs java: {HOW}"
    return ""


@contextmanager
def open_engine() -> Iterator[str]:
    """Start it, give its endpoint, stop it."""
    port = _free_port()
    # It lives for minutes: compiling for longer takes more time than it gives back.
    command = [
        "java",
        "-XX:TieredStopAtLevel=1",
        f"-Djava.library.path={FOLDER / 'DynamoDBLocal_lib'}",
    ]
    command += ["-jar", str(FOLDER / "DynamoDBLocal.jar")]
    command += ["-inMemory", "-disableTelemetry", "-port", str(port)]
    with subprocess.Popen(
        command, cwd=FOLDER, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            endpoint = f"http://127.0.0.1:{port}"
            _wait_for(engine_client(endpoint), process)
            yield endpoint
        finally:
            process.kill()


def engine_client(endpoint: str) -> Any:
    """A DynamoDB client for so many threads at once, which sends each request once."""
    config = Config(
        max_pool_connections=CONTENDERS,
        retries={"total_max_attempts": 1},
        read_timeout=60,
    )
    session = get_session()
    session.set_credentials("testing", "testing")
    return session.create_client(
        "dynamodb", region_name="us-east-1", endpoint_url=endpoint, config=config
    )


def asked_for() -> bool:
    """Whether this run's verdict depends on it."""
    return os.environ.get("CI") == "true"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_for(client: Any, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.list_tables()
        except (ClientError, EndpointConnectionError, HTTPClientError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"DynamoDB Local does not answer (java ended with {process.poll()})")
