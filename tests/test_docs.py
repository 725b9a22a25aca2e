"""What the documents say exists: commands and their options, links, lists copied from the code."""

from __future__ import annotations

import ast
import configparser
import json
import re
import shlex
import subprocess
import sys
from datetime import date
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session

from generator.render import render
from generator.source.lambda_code import Form
from generator.source.mail_texts import House
from handler.model.cloudtrail import CallerKind
from handler.model.deny_policy import DENIED_ACTIONS
from handler.model.names import METRICS, UNCONFIRMED_METRIC, WAITING_METRIC
from handler.model.principal import Target
from handler.model.settings import KNOBS, read_role_patterns
from handler.revoker.deny.methods import ROLE_METHOD_CALLS, USER_METHOD_CALLS
from sandbox.demo.scenarios import SCENES

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
# Those that are mostly tables printed by the generator speak of resources and properties.
PRINTED = {"parameters.md", "permissions.md", "verdicts.md"}
BY_HAND = [path for path in DOCUMENTS if path.name not in PRINTED]
README = (ROOT / "README.md").read_text()
README_BYTES = 9_000
PICTURE_BYTES = 120_000
AWS = ROOT / "docs" / "aws.md"
# What the AWS CLI adds to AWS's own actions, with the options that we use of it.
ADDED_COMMANDS = {
    "cloudformation deploy": {
        *("stack-name", "template-file", "s3-bucket", "capabilities", "parameter-overrides")
    },
    "s3 mb": set(),
    "s3 cp": set(),
    "s3 rb": {"force"},
}
EVERYWHERE = {"profile", "query", "output", "endpoint-url", "region"}
# Names of AWS's own that documents speak of.
NOT_OURS = {
    *("OrganizationAccountAccessRole", "PutEvents"),
    *(METRICS, UNCONFIRMED_METRIC, WAITING_METRIC),
}
# Flags that stand for a boolean member of the request.
SWITCHES = {"no-retain-stacks": "retain-stacks", "use-previous-template": "use-previous-template"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def pieces_of_code(text: str) -> list[str]:
    """Each line of each fenced block, continued lines joined, and each inline piece of code."""
    fences = re.findall(r"^```(?:bash|console)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line for fence in fences for line in fence.replace("\\\n", " ").splitlines()]
    rest = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return lines + re.findall(r"`([^`\n]+)`", rest)


def slug(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_links_lead_to_files_and_headings_that_exist(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file) if file else path
        assert found.exists(), f"{name(path)} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", found.read_text(), re.MULTILINE)
            assert anchor in map(slug, headings), f"{name(path)} links to {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_make_is_asked_for_targets_that_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test", "sandbox"} <= targets
    for code in pieces_of_code(path.read_text()):
        for target in re.findall(r"^(?:\$ )?make ([a-z]+)$", code):
            assert target in targets, f"{name(path)}: {code}"


def asked_of_python() -> set[tuple[str, ...]]:
    """The words after `python -m` in all documents, without redirections."""
    found = set()
    for path in DOCUMENTS:
        for code in pieces_of_code(path.read_text()):
            if match := re.search(r"python -m ([a-z_.]+.*)$", code):
                found.add(tuple(shlex.split(match[1])))
    return found


@pytest.mark.parametrize("words", sorted(asked_of_python()), ids=" ".join)
def test_python_is_asked_for_modules_and_options_that_exist(words: tuple[str, ...]) -> None:
    module, *rest = words
    if module in ("pip", "tox"):
        return
    if module == "benchmarks.notifier_load" and find_spec("aws_lambda_powertools") is None:
        pytest.skip("aws-lambda-powertools, which only this benchmark wants, is not installed")
    file = ROOT / module.replace(".", "/")
    assert (file / "__main__.py").exists() or file.with_suffix(".py").exists(), module
    options = {word for word in rest if word.startswith("--")}
    command = list(takewhile(re.compile("[a-z]+").fullmatch, rest))
    if options or command:
        shown = subprocess.run(
            [sys.executable, "-m", module, *command, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert options <= set(re.findall(r"--[a-z-]+", shown)), words


def asked_of_aws() -> set[tuple[str, str]]:
    """Document and command, for each `aws ...` that stands alone or in a substitution."""
    found = set()
    for path in DOCUMENTS:
        for code in pieces_of_code(path.read_text()):
            for command in re.findall(r"(?:^|\$\()(aws [a-z0-9]+ [a-z].*?)(?:\)$|$)", code):
                found.add((name(path), re.sub(r"\$\(.*?\)", "x", command)))
    return found


@pytest.mark.parametrize(("document", "command"), sorted(asked_of_aws()))
def test_aws_is_asked_for_actions_and_options_that_exist(document: str, command: str) -> None:
    _, service, action, *rest = shlex.split(command)
    options = {word.partition("=")[0][2:] for word in rest if word.startswith("--")} - EVERYWHERE
    if f"{service} {action}" in ADDED_COMMANDS:
        assert options <= ADDED_COMMANDS[f"{service} {action}"], command
        return
    model = get_session().get_service_model(service)
    operations = {xform_name(one, "-"): one for one in model.operation_names}
    assert action in operations, f"{document}: {command}"
    shape = model.operation_model(operations[action]).input_shape
    members = {xform_name(member, "-") for member in shape.members} if shape else set()
    assert {SWITCHES.get(option, option) for option in options} <= members, command
    required = {xform_name(member, "-") for member in shape.required_members} if shape else set()
    assert required <= {SWITCHES.get(option, option) for option in options}, command


def test_there_are_commands_to_check() -> None:
    assert len(asked_of_aws()) > 15
    assert {words[0] for words in asked_of_python()} >= {"generator", "responder", "pip"}


def test_the_readme_lists_what_the_deny_denies() -> None:
    (line,) = re.findall(r"^- The deny covers more than IAM.*$", README, re.MULTILINE)
    assert re.findall(r"`([a-z-]+:[A-Za-z*]+)`", line) == list(DENIED_ACTIONS)


def test_the_page_on_undoing_shows_the_undo_of_every_deny_method() -> None:
    page = (ROOT / "docs" / "undo.md").read_text()
    table = page.partition("## Without the responder")[2].partition("\n## ")[0]
    for kind, steps in ((CallerKind.USER, USER_METHOD_CALLS), (CallerKind.ROLE, ROLE_METHOD_CALLS)):
        target = Target(kind=kind, name="NAME", id="", account="111122223333", partition="aws")
        for step in steps:
            command = " ".join(step.command(target)).replace(target.deny_arn, "ARN")
            # The role's inline deny stands there as the other verb of the same command.
            verb = step.command(target)[2]
            assert command in table or (verb == "delete-role-policy" and f"`{verb}`" in table)


def trees(*forms: Form) -> list[dict[str, Any]]:
    return [one.tree for form in forms for one in render(house=House(), form=form)]


def test_names_in_camel_case_are_parameters_or_calls_of_iam() -> None:
    parameters = {parameter for tree in trees(*Form) for parameter in tree["Parameters"]}
    known = parameters | set(get_session().get_service_model("iam").operation_names)
    for path in BY_HAND:
        for code in pieces_of_code(path.read_text()):
            for word in re.findall(r"^([A-Z][a-z]+(?:[A-Z][A-Za-z0-9]*)+)(?:=\S*)?$", code):
                assert word in known | NOT_OURS, f"{name(path)}: {word}"


def test_the_parameters_by_hand_are_the_defaults_and_the_template_takes_them() -> None:
    page = (ROOT / "docs" / "install-by-hand.md").read_text()
    (block,) = re.findall(r"member-parameters\.json <<END\n(.*?)^END$", page, re.DOTALL | re.M)
    given = {one["ParameterKey"]: one["ParameterValue"] for one in json.loads(block)}
    default = {knob.parameter: knob.default for knob in KNOBS}
    assert given.pop("CentralBusArn") == "$BUS"
    assert given == {parameter: default[parameter] for parameter in given}


def test_every_role_pattern_in_the_documents_can_be_read() -> None:
    for path in BY_HAND:
        for code in pieces_of_code(path.read_text()):
            for pattern in re.findall(r"^role/\S+(?: until \S+)?$", code):
                assert read_role_patterns(pattern), f"{name(path)}: {pattern}"


def test_the_pattern_for_identity_center_fits_its_roles_with_and_without_a_region() -> None:
    page = (ROOT / "docs" / "going-live.md").read_text()
    (pattern,) = re.findall(r"`(role/aws-reserved/[^`]+)`", page)
    (one,) = read_role_patterns(pattern)
    here = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/"
    role = "AWSReservedSSO_PERMISSIONSET_0123456789abcdef"
    day = date(2026, 1, 1)
    assert one.matches(role_arn=f"{here}{role}", on=day)
    assert one.matches(role_arn=f"{here}eu-west-1/{role}", on=day)
    assert not one.matches(role_arn=f"arn:aws:iam::111122223333:role/{role}", on=day)


def test_the_readme_and_its_picture_are_small() -> None:
    assert len(README.encode()) <= README_BYTES
    (picture,) = re.findall(r"^!\[[^\]]+\]\((.+)\)$", README, re.MULTILINE)
    assert (ROOT / picture).stat().st_size <= PICTURE_BYTES


def test_the_index_lists_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    listed = {target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", index)}
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages <= listed


def test_the_readme_shows_scenes_that_the_demo_plays() -> None:
    shown = re.findall(r"^(\S.*?) -{3,}$", README, re.MULTILINE)
    assert shown
    assert set(shown) <= {scene.title for scene in SCENES}


def packages_of_the_gate() -> list[str]:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    listed = tox["testenv:gate"]["deps"].split("\n")
    return [one for one in listed if one and not one.startswith("-c")]


def test_every_package_of_the_gate_has_its_reason_and_its_pin() -> None:
    decisions = (ROOT / "docs" / "dependencies.md").read_text()
    pinned = {
        line.partition("==")[0].lower()
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    }
    for package in packages_of_the_gate():
        (row,) = re.findall(rf"^\| (?:[^|]* )?{re.escape(package)}[, ][^|]*\|.*$", decisions, re.M)
        assert row.count("|") == 4, row
        assert package.lower() in pinned, package


def test_make_demo_installs_what_the_demo_imports() -> None:
    (line,) = re.findall(r"^\t\$\(PIP\) (.*boto3.*)$", (ROOT / "Makefile").read_text(), re.M)
    # What comes with these: botocore with boto3; yaml with cfn-flip; hypercorn with ministack.
    there = {*line.lower().replace("-", "_").split(), "botocore", "yaml", "hypercorn"}
    ours = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    for folder in ("handler", "sandbox", "stacksets", "responder"):
        for path in (ROOT / folder).glob("*.py"):
            assert imported(path) - ours - sys.stdlib_module_names <= there, path


def imported(path: Path) -> set[str]:
    """First parts of all modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=str(module)):
                names.add(module)
    return {one.split(".")[0] for one in names}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_the_documents_are_plain_text_without_trailing_blanks(path: Path) -> None:
    text = path.read_text()
    assert text.isascii(), [c for c in text if not c.isascii()]
    assert not re.search(r"[ \t]$", text, re.MULTILINE)


def test_the_documents_say_what_outlives_the_stacks_and_for_how_long() -> None:
    stays = (ROOT / "docs" / "removing.md").read_text().partition("## What stays")[2]
    resources = [one for tree in trees(Form.INLINE) for one in tree["Resources"].values()]
    [key] = [one["Properties"] for one in resources if one["Type"] == "AWS::KMS::Key"]
    tables = [one["Properties"] for one in resources if one["Type"] == "AWS::DynamoDB::Table"]
    assert len(tables) == 2
    for table in tables:
        # AWS keeps the backup of such a table for 35 days, and nothing can change that.
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert "For 35 days a backup of each table" in stays
    assert f"For {key.get('PendingWindowInDays', 30)} days the key" in stays


def test_each_behaviour_of_aws_that_we_rely_on_has_its_page_or_says_that_there_is_none() -> None:
    rows = re.findall(r"^\| (?!AWS does|---)(.*) \|$", AWS.read_text(), re.MULTILINE)
    assert 30 < len(rows) <= 50
    for row in rows:
        *_, pages, word = row.split(" | ")
        assert re.fullmatch(r"documented|no page: .+", word), row
        links = re.findall(r"\[[^\]]+\]\((.*?)\)", pages)
        assert links, row
        assert all(re.fullmatch(r"https://docs\.aws\.amazon\.com/\S+\.html", one) for one in links)


def test_no_file_names_the_host_of_a_package_registry() -> None:
    registries = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.", "deb" + "ian.org")
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("no git checkout here: nothing says which files belong to the project")
    for file in tracked:
        text = (ROOT / file).read_text(errors="replace").lower()
        assert not [host for host in registries if host in text], file
