"""Fork a function's process from one that has botocore already: its import is paid for once.

Run as a script, isolated, with a socket as its standard input. It takes the path of a request and
three file descriptors, forks, and answers the process id. In the child everything is as in a new
process: environment, working folder, standard streams, path. Imports nothing of ours.
"""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.util
import json
import os
import random
import runpy
import signal
import socket
import sys
import tempfile
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

SERVICES = ("cloudtrail", "cloudwatch", "dynamodb", "events", "iam", "lambda", "sns", "sqs", "sts")


class Compiled(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the function's module from its code, which the server compiled once."""

    def __init__(self, name: str, path: Path, code: types.CodeType) -> None:
        self._name, self._path, self._code = name, path, code

    def find_spec(self, name: str, *_: Any) -> Any:
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._path, loader=self)

    def exec_module(self, module: types.ModuleType) -> None:
        exec(self._code, module.__dict__)


def serve() -> None:
    """Answer requests until the other end of the socket is closed."""
    requests = socket.socket(fileno=os.dup(0))
    # What nobody waits for leaves no zombie.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _warm_up()
    codes: dict[str, types.CodeType] = {}
    while True:
        path, streams, _, _ = socket.recv_fds(requests, 4096, 3)
        if not path:
            _wait_for_all()
            return
        request = json.loads(Path(path.decode()).read_text())
        compiled = _compiled(Path(request["folder"]) / "index.py", codes)
        child = os.fork()
        if child == 0:
            requests.close()
            _become(request, streams, compiled)
            return
        for stream in streams:
            os.close(stream)
        requests.sendall(child.to_bytes(8, "big"))


def _wait_for_all() -> None:
    """Stay until the last child has ended: else it would be left to somebody who may not reap."""
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _warm_up() -> None:
    """Make a client of each service once, so that every module is there and each model is read."""
    from botocore.loaders import Loader
    from botocore.session import get_session

    # A loader keeps what it has read for its own session alone, and each client of the product
    # has a session of its own: models, and the list of endpoints, which takes longest.
    shared = Loader()
    for name in ("load_service_model", "load_data_with_path"):
        setattr(Loader, name, _by_one(shared, getattr(Loader, name)))
    session = get_session()
    for service in SERVICES:
        session.create_client(
            service,
            region_name="us-east-1",
            endpoint_url="http://127.0.0.1:9",
            aws_access_key_id="none",
            aws_secret_access_key="none",
        )


def _by_one(loader: Any, load: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method of a loader as one that this loader answers for all others."""
    return lambda _self, *arguments, **named: load(loader, *arguments, **named)


def _compiled(path: Path, codes: dict[str, types.CodeType]) -> Compiled | None:
    if not path.exists():
        return None
    text = path.read_bytes()
    digest = hashlib.sha256(text).hexdigest()
    try:
        if digest not in codes:
            codes[digest] = compile(text, "index.py", "exec")
    except SyntaxError:
        # The function's own process says so, as a new one would.
        return None
    return Compiled("index", path, codes[digest])


def _become(request: Mapping[str, Any], streams: list[int], compiled: Compiled | None) -> None:
    """Be the function's process; what it raises ends it, as in any other."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    random.seed()
    tempfile.tempdir = None
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.dont_write_bytecode = True
    site = request["environment"].get("PYTHONPATH", "")
    sys.path.insert(0, site)
    if compiled is not None:
        sys.meta_path.insert(0, compiled)
    at_start = Path(site) / "sitecustomize.py"
    if at_start.exists():
        # Python imports it at its start, which is over here.
        runpy.run_path(str(at_start))
    sys.argv = [request["script"]]
    runpy.run_path(request["script"], run_name="__main__")


if __name__ == "__main__":
    serve()
