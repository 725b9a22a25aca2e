"""Start and stop the AWS emulator in a thread of this process, on loopback only.

It scrubs the environment and gives the emulator and its Lambda workers a temporary folder of
their own; it adds no behaviour of AWS (the other files of this folder do).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import types
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.core import patches
from sandbox.core.forks import can_fork, fork_server, leave_server

Asgi = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]

START_TIMEOUT = 30.0
STOP_TIMEOUT = 15.0

SCRUBBED_PREFIXES = ("AWS_", "BOTO_", "LAMBDA_", "MINISTACK_", "LOCALSTACK_", "S3_", "IOT_")
SCRUBBED = frozenset(
    [
        "AUTH",
        "SERVICES",
        "EDGE_PORT",
        "GATEWAY_PORT",
        "BIND_HOST",
        "USE_SSL",
        "PERSIST_STATE",
        "STATE_DIR",
        "LOG_LEVEL",
        "CLOUDTRAIL_RECORDING",
        "SFTP_ENABLED",
        "DOCKER_HOST",
        "DOCKER_NETWORK",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "HOSTNAME",
    ]
)
# What a Lambda worker inherits of the host: enough for a Python interpreter to start.
WORKER_INHERITS = frozenset(
    [
        "PATH",
        "LD_LIBRARY_PATH",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "TZ",
        "SYSTEMROOT",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_EC2_METADATA_DISABLED",
    ]
)

# Below the temporary folder: what workers import besides their code; empty unless filled.
WORKER_SITE = "worker-site"

# The emulator reads its port when it is imported, so a process keeps the first one.
_port = 0
_alone = threading.Lock()


@dataclass(frozen=True)
class Emulator:
    """A running emulator: its address (http://127.0.0.1:PORT) and its temporary folder."""

    endpoint: str
    folder: Path


@contextmanager
def running(wrap: Callable[[Asgi], Asgi]) -> Iterator[Emulator]:
    """Serve the emulator, wrapped by an ASGI layer, until the block ends.

    One at a time in a process, since the emulator keeps its state in modules, and nobody else
    may have imported it, since it reads the environment then. RuntimeError if that does not
    hold, or if it does not come up within 30 s.
    """
    if not _alone.acquire(blocking=False):
        raise RuntimeError("this process has a sandbox already; it holds one at a time")
    try:
        with _started(wrap) as emulator:
            yield emulator
    finally:
        _alone.release()


@contextmanager
def _started(wrap: Callable[[Asgi], Asgi]) -> Iterator[Emulator]:
    global _port
    if not _port and "ministack.app" in sys.modules:
        raise RuntimeError("the emulator was imported before the sandbox set its environment")
    folder = Path(tempfile.mkdtemp(prefix="organization-in-a-box-"))
    listener = _listener(_port)
    _port = listener.getsockname()[1]
    try:
        with (
            _environment(folder=folder, port=_port),
            _workers_apart(folder),
            _served(wrap(patches.get("ministack.app", "app")), listener),
        ):
            endpoint = f"http://127.0.0.1:{_port}"
            _forget_everything(endpoint)
            yield Emulator(endpoint=endpoint, folder=folder)
    finally:
        patches.restore()
        listener.close()
        shutil.rmtree(folder, ignore_errors=True)


def _forget_everything(endpoint: str) -> None:
    """The emulator's state outlives its server: a second box in a process starts empty too."""
    request = urllib.request.Request(f"{endpoint}/_ministack/reset", method="POST")
    with urllib.request.urlopen(request, timeout=START_TIMEOUT) as answer:
        answer.read()


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener


@contextmanager
def _environment(*, folder: Path, port: int) -> Iterator[None]:
    before = dict(os.environ)
    for name in before:
        if name.upper() in SCRUBBED or name.startswith(SCRUBBED_PREFIXES):
            del os.environ[name]
    wanted = {
        "AUTH": "true",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "CRITICAL",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": "111122223333",
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "LAMBDA_WARM_TTL_SECONDS": "60",
    }
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name in wanted:
            os.environ.pop(name, None)
        os.environ.update({k: v for k, v in before.items() if k not in os.environ})


@contextmanager
def _workers_apart(folder: Path) -> Iterator[None]:
    """Lambda workers: their folders below ours, and nothing of the host's environment."""
    inherited = {k: v for k, v in os.environ.items() if k in WORKER_INHERITS}
    server = fork_server(inherited) if can_fork() else None

    def popen(command: list[str], *, cwd: str, env: dict[str, str], **options: Any) -> Any:
        host = dict(os.environ)
        own = {k: v for k, v in env.items() if k in WORKER_INHERITS or host.get(k) != v}
        own |= {"TMPDIR": str(folder), "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        own |= {"PYTHONPATH": str(folder / WORKER_SITE)}
        if server is not None and command[0] == sys.executable:
            return server.start(command[1], folder=cwd, environment=own, requests=folder)
        return subprocess.Popen(command, cwd=cwd, env=own, **options)

    def mkdtemp(prefix: str = "") -> str:
        return tempfile.mkdtemp(prefix=prefix, dir=folder)

    runtime = "ministack.core.lambda_runtime"
    patches.replace(
        runtime, "subprocess", types.SimpleNamespace(**{**vars(subprocess), "Popen": popen})
    )
    patches.replace(
        runtime, "tempfile", types.SimpleNamespace(**{**vars(tempfile), "mkdtemp": mkdtemp})
    )
    try:
        yield
    finally:
        patches.get(runtime, "reset")()
        leave_server()


@contextmanager
def _served(app: Asgi, listener: socket.socket) -> Iterator[None]:
    started, failures = threading.Event(), list[BaseException]()
    holder: dict[str, Any] = {}

    async def serve() -> None:
        from hypercorn.asyncio import serve as hypercorn_serve
        from hypercorn.config import Config

        config = Config()
        # Hypercorn closes the descriptor that it is given; ours stays ours.
        config.bind = [f"fd://{os.dup(listener.fileno())}"]
        config.accesslog = None
        config.errorlog = None
        config.graceful_timeout = 0.5
        config.keep_alive_timeout = 75
        holder["loop"], holder["stop"] = asyncio.get_running_loop(), asyncio.Event()
        serving: Any = hypercorn_serve
        await serving(_report_start(app, started), config, shutdown_trigger=holder["stop"].wait)

    def run() -> None:
        try:
            asyncio.run(serve())
        except (OSError, RuntimeError) as problem:
            failures.append(problem)
        finally:
            started.set()

    thread = threading.Thread(target=run, name="emulator", daemon=True)
    thread.start()
    if not started.wait(START_TIMEOUT) or failures:
        raise RuntimeError(f"the emulator did not start: {failures}")
    try:
        yield
    finally:
        holder["loop"].call_soon_threadsafe(holder["stop"].set)
        thread.join(STOP_TIMEOUT)


def _report_start(app: Asgi, started: threading.Event) -> Asgi:
    async def reported(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        async def send_and_report(message: MutableMapping[str, Any]) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                started.set()

        await app(scope, receive, send_and_report if scope["type"] == "lifespan" else send)

    return reported
