"""`python -m stacksets prove` as an operator types it: its rows, its output, what it leaves."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from handler.model.names import REVOKER
from sandbox.box import Box
from stacksets.prove.attacks.catalog import ROWS
from stacksets.prove.attacks.scene import PATH
from tests.prove.proving import ROOT, Prover

SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "proof.schema.json").read_text())
EXAMPLE: dict[str, Any] = json.loads((ROOT / "docs" / "examples" / "proof.json").read_text())
TWO_MINUTES = 120.0


def without_delays(proof: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(proof))
    for one in (plain, *plain["rows"], *plain["checks"]):
        for name in ("at", "delays", "patience_seconds", "seconds", "template"):
            one.pop(name, None)
    return plain


def test_every_row_ends_as_expected_within_two_minutes(prover: Prover, tmp_path: Path) -> None:
    before = prover.box.client("lambda", prover.account).get_function(FunctionName=REVOKER)
    file, began = tmp_path / "proof.json", time.monotonic()
    code, out, errors = prover.run("--yes", "--json", str(file), columns=72)
    took = time.monotonic() - began
    assert (code, errors) == (0, ""), out
    assert (
        out.splitlines()[-1] == f"{len(ROWS)} of {len(ROWS)} rows ended as expected: no difference."
    )
    assert max(map(len, out.splitlines())) <= 72
    assert took < TWO_MINUTES
    proof = json.loads(file.read_text())
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(proof, SCHEMA)
    assert without_delays(proof) == without_delays(EXAMPLE)
    assert proof["where"] == "emulator"
    box = prover.box
    for secret in (prover.account, box.security, box.management, box.organization_id, "arn:"):
        assert secret not in file.read_text()
    assert not re.search(r"proof-[0-9a-f]{4}|[0-9]{12}|@", file.read_text())
    assert prover.remains() == []
    after = box.client("lambda", prover.account).get_function(FunctionName=REVOKER)
    assert after["Configuration"]["Description"] == before["Configuration"]["Description"]


def test_ctrl_c_removes_what_was_made(prover: Prover) -> None:
    running = prover.popen("--yes", "--row", "18")
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("Calling IAM"):
            assert prover.remains() != []
            running.send_signal(signal.SIGINT)
            break
    out, errors = running.communicate(timeout=120)
    assert (running.returncode, errors) == (130, "Interrupted.\n")
    assert out.splitlines()[-1] == "Removing every throw-away principal ..."
    assert prover.remains() == []
    prover.box.settle(ignore_hidden=True)


def test_the_next_run_removes_what_a_killed_one_left(prover: Prover) -> None:
    running = prover.popen("--yes", "--row", "18")
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("Calling IAM"):
            running.kill()
            break
    running.communicate(timeout=120)
    assert prover.remains() != []
    prover.box.settle(ignore_hidden=True)
    prover.prove()
    assert prover.remains() == []


def test_nothing_is_made_where_the_answer_is_not_yes(prover: Prover) -> None:
    code, out, errors = prover.run()
    assert (code, errors) == (1, "Nothing was done.\n")
    assert out.startswith(f"This plays {len(ROWS)} attacks in account {prover.account}, ")
    assert prover.remains() == []


def test_an_account_with_other_users_is_refused_unless_somebody_understands(
    prover: Prover, box: Box
) -> None:
    iam = box.client("iam", prover.account)
    iam.create_user(UserName="stranger")
    try:
        code, out, errors = prover.run("--yes")
        assert (code, out) == (1, "")
        assert f"Account {prover.account} is in use (user stranger): take one made" in errors
        code, out, _ = prover.run("--i-understand")
        assert out.startswith("This plays")
    finally:
        iam.delete_user(UserName="stranger")


@pytest.mark.parametrize("which", ["management", "security"])
def test_the_accounts_of_the_organization_itself_are_refused(
    prover: Prover, box: Box, which: str
) -> None:
    account = getattr(box, which)
    code, out, errors = prover.run("--yes", "--account", account)
    assert (code, out) == (1, "")
    assert errors == (
        f"Account {account} is the {which} account: take an account made for tests.\n"
    )


def test_nothing_that_is_not_the_proofs_own_is_removed(prover: Prover, box: Box) -> None:
    iam = box.client("iam", prover.account)
    others = [one["Arn"] for one in iam.list_users()["Users"]]
    others += [one["Arn"] for one in iam.list_roles()["Roles"]]
    prover.prove()
    after = [one["Arn"] for one in iam.list_users()["Users"]]
    after += [one["Arn"] for one in iam.list_roles()["Roles"]]
    assert after == others
    assert not any(PATH in one for one in others)
