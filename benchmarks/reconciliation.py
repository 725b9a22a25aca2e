"""The processor time of one reconciliation, measured here. Knows neither Lambda nor a price.

`python -m benchmarks.reconciliation` prints the median of several processes in JSON; `--python`
names the interpreter that runs them, one that has botocore. Each process imports the code of
templates/member.yaml, which nobody has compiled before, and reconciles an account of the sandbox
twice, over TLS: the interpreter's start, imports, clients and handshakes count for the first time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import botocore
import cfn_flip

from handler.model.names import REVOKER
from sandbox.box import Box, open_box
from sandbox.core import patches, service_client
from sandbox.core.keys import REGION
from sandbox.demo.product_setup import install
from sandbox.demo.rolling_out import TEMPLATES

RUNS = 7
# What one process does, and the processor seconds that it prints.
PROCESS = """
import json, time, types
source = open("index.py").read()
began = time.process_time()
compile(source, "index.py", "exec")
compiling = time.process_time() - began
import index
here = types.SimpleNamespace(invoked_function_arn={arn!r})
index.lambda_handler({{"reconcile": True}}, here)
cold = time.process_time()
index.lambda_handler({{"reconcile": True}}, here)
print(json.dumps([cold - compiling, time.process_time() - cold, compiling]))
"""


@dataclass(frozen=True)
class Reconciliation:
    """Processor seconds in a new process, in the same once more, and of compiling alone."""

    cold: float
    warm: float
    compiling: float


def measure(python: str = sys.executable, *, runs: int = RUNS) -> Reconciliation:
    """Run so many processes one after the other; the median of each figure."""
    with open_box(member_count=1, held=True) as box, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        install(box, mode="enforce")
        [account] = box.members
        # The first one looks at the group and tests itself, once a day; later ones do not.
        function = box.client("lambda", account)
        function.invoke(FunctionName=REVOKER, Payload=json.dumps({"reconcile": True}))
        box.settle()
        (folder / "index.py").write_text(_deployed_code())
        with _over_tls(box.endpoint, folder) as endpoint:
            environment = _environment(box, account) | {
                "AWS_ENDPOINT_URL": endpoint,
                "AWS_CA_BUNDLE": str(folder / "authorities.pem"),
            }
            program = PROCESS.format(arn=_function_arn(account))
            found = [_run(python, program, folder, environment) for _ in range(runs)]
    return Reconciliation(*(statistics.median(column) for column in zip(*found, strict=True)))


def _run(python: str, program: str, folder: Path, environment: dict[str, str]) -> list[float]:
    done = subprocess.run(
        [python, "-c", program], cwd=folder, env=environment, stdout=subprocess.PIPE, check=True
    )
    for compiled in (folder / "__pycache__").glob("index.*"):
        compiled.unlink()
    return [float(one) for one in json.loads(done.stdout.splitlines()[-1])]


def _deployed_code() -> str:
    template = json.loads(cfn_flip.to_json((TEMPLATES / "member.yaml").read_text()))
    return str(template["Resources"]["Revoker"]["Properties"]["Code"]["ZipFile"])


def _function_arn(account: str) -> str:
    return f"arn:aws:lambda:{REGION}:{account}:function:{REVOKER}"


def _environment(box: Box, account: str) -> dict[str, str]:
    """The function's own variables, with a session of its role."""
    config = box.client("lambda", account).get_function_configuration(FunctionName=REVOKER)
    key = service_client.role_credentials(str(config["Role"]), REVOKER)
    secret = patches.get("ministack.services.sts", "_sessions")[key]["SecretAccessKey"]
    return {
        **config["Environment"]["Variables"],
        "PATH": os.environ["PATH"],
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": secret,
    }


@contextmanager
def _over_tls(endpoint: str, folder: Path) -> Iterator[str]:
    """The sandbox behind TLS, as AWS is; a client checks it by `authorities.pem`.

    That file holds all the authorities that botocore brings along, and ours: reading them counts.
    """
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=sandbox", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    known = Path(botocore.__file__).parent / "cacert.pem"
    (folder / "authorities.pem").write_text(known.read_text() + certificate.read_text())
    secure = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    secure.load_cert_chain(certificate, key)
    loop = asyncio.new_event_loop()
    port = urlsplit(endpoint).port

    async def upload(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while some := await reader.read(65_536):
            writer.write(some)
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(upload(reader, behind[1]), upload(behind[0], writer))

    started = asyncio.start_server(connected, "127.0.0.1", 0, ssl=secure)
    server = loop.run_until_complete(started)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that is measured")
    parser.add_argument("--runs", type=int, default=RUNS, help="how many processes")
    given = parser.parse_args()
    print(json.dumps(asdict(measure(given.python, runs=given.runs))))


if __name__ == "__main__":
    main()
