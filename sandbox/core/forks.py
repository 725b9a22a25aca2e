"""Processes of functions by forking (fork_server.py), with what the emulator asks of a Popen."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

SCRIPT = Path(__file__).with_name("fork_server.py")


def can_fork() -> bool:
    """Say whether this system can: only Linux reports the end of a process that is not a child."""
    return hasattr(os, "pidfd_open") and hasattr(socket, "send_fds")


# A process that opens many boxes, as the tests do, keeps its server: botocore's import takes a
# second each time. The server ends with the process.
keep_servers = False
_servers: list[ForkServer] = []


def fork_server(environment: Mapping[str, str]) -> ForkServer:
    """Return a running server: the one that an earlier box has left, or a new one."""
    if not _servers:
        _servers.append(ForkServer(environment))
        atexit.register(end_servers)
    return _servers[0]


def leave_server() -> None:
    """End the server of a box that closes, unless this process keeps it for the next one."""
    if not keep_servers:
        end_servers()


def end_servers() -> None:
    while _servers:
        _servers.pop().close()


class Forked:
    """A process that the server forked, as the emulator uses a Popen of a worker."""

    def __init__(self, pid: int, stdin: int, stdout: int, stderr: int) -> None:
        self.pid = pid
        self.stdin = os.fdopen(stdin, "w", buffering=1)
        self.stdout = os.fdopen(stdout)
        self.stderr = os.fdopen(stderr)
        self.returncode: int | None = None
        try:
            self._ended = os.pidfd_open(pid)
        except ProcessLookupError:
            self._ended, self.returncode = -1, 0

    def poll(self) -> int | None:
        """0 once it has ended, whatever its exit code, which nobody here reads."""
        return self._wait(0)

    def wait(self, timeout: float | None = None) -> int:
        ended = self._wait(timeout)
        if ended is None:
            raise subprocess.TimeoutExpired(str(SCRIPT), timeout or 0)
        return ended

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.poll() is None:
            try:
                signal.pidfd_send_signal(self._ended, number)
            except ProcessLookupError:
                return

    def _wait(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            watch = select.poll()
            watch.register(self._ended, select.POLLIN)
            if watch.poll(None if timeout is None else timeout * 1000):
                self.returncode = 0
        return self.returncode

    def __del__(self) -> None:
        if self._ended >= 0:
            os.close(self._ended)


class ForkServer:
    """The process that forks the others. `environment` is its own; each child gets another."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._one_request = threading.Lock()
        self._number = 0
        self._requests, theirs = socket.socketpair()
        self._server = subprocess.Popen(
            [sys.executable, "-I", str(SCRIPT)], stdin=theirs.fileno(), env=dict(environment)
        )
        theirs.close()

    def start(
        self, script: str, *, folder: str, environment: Mapping[str, str], requests: Path
    ) -> Forked:
        """Run a script in a new process, as `python SCRIPT` in `folder` would.

        The request to the server is a file in `requests`.
        """
        ours_in, ours_out, ours_err = os.pipe(), os.pipe(), os.pipe()
        with self._one_request:
            self._number += 1
            request = requests / f"fork-{self._number}.json"
            asked = {"script": script, "folder": folder, "environment": dict(environment)}
            request.write_text(json.dumps(asked))
            streams = [ours_in[0], ours_out[1], ours_err[1]]
            socket.send_fds(self._requests, [str(request).encode()], streams)
            pid = int.from_bytes(self._requests.recv(8), "big")
            request.unlink()
        for stream in streams:
            os.close(stream)
        return Forked(pid, ours_in[1], ours_out[0], ours_err[0])

    def close(self) -> None:
        """End the server, which waits for its children: end those first."""
        self._requests.close()
        try:
            self._server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
