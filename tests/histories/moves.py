"""What players do: each move is a call or a few within one second, by somebody, on somebody.

A move whose player is gone or locked out does nothing. `wild` moves are attackers' and their
created principals', `rightful` ones administrators', a rescue role's or root's.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from handler.model.names import DENY_GROUP, SESSION_DENY_GROUP
from tests.doubles.iam import DENY_ARN, SESSION_DENY_ARN
from tests.histories.powers import ADMIN_POLICY, name_of
from tests.histories.stage import Stage
from tests.histories.truth import ADMINISTRATORS, EXEMPT_PATH, ROOT, Credential

Move = Callable[[Stage, Credential, int, Random], None]
# New names are few, so that they are used again and again.
NAMES = ("p1", "p2", "p3", "mallory", "alice", "bob", "eve")
ROLE_NAMES = ("r1", "r2", "deployer")
TRUST = '{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}]}'
SECRET = "correct horse"


def user_named(stage: Stage, number: int) -> str:
    """One of the account's users."""
    names = list(stage.iam.users)
    return names[number % len(names)]


def is_wild(stage: Stage, who: Credential) -> bool:
    return not stage.truth.is_rightful(who) and stage.powers.signs(who)


def wild_player(stage: Stage, number: int) -> Credential | None:
    """An attacker's credential, or that of somebody who was an administrator once."""
    turned = [who for who in stage.rightful if who.owner in stage.truth.removed]
    players = [who for who in (*stage.wild, *turned) if is_wild(stage, who)]
    return players[number % len(players)] if players else None


def rightful_player(stage: Stage, number: int) -> Credential | None:
    """An administrator's own credential, or root's."""
    root = Credential(owner=ROOT, key="")
    players = [
        who for who in stage.rightful if stage.truth.is_rightful(who) and stage.powers.signs(who)
    ]
    return [*players, root][number % (len(players) + 1)]


# ---- attackers and what they made


def make_accomplice(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    name = NAMES[target % len(NAMES)]
    if stage.call(who, "create_user", chance, UserName=name) is None:
        return
    stage.call(who, "attach_user_policy", chance, UserName=name, PolicyArn=ADMIN_POLICY)
    _take_key(stage, who, name, chance)


def make_role(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    name = ROLE_NAMES[target % len(ROLE_NAMES)]
    path = EXEMPT_PATH if chance.random() < 0.5 else "/"
    made = stage.call(
        who, "create_role", chance, RoleName=name, Path=path, AssumeRolePolicyDocument=TRUST
    )
    if made is not None:
        stage.call(who, "attach_role_policy", chance, RoleName=name, PolicyArn=ADMIN_POLICY)
        assume_role(stage, who, list(stage.iam.roles).index(name), chance)


def assume_role(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """A call of STS: IAM hears nothing of it. The rescue role trusts the rightful alone."""
    name = list(stage.iam.roles)[target % len(stage.iam.roles)]
    role = stage.iam.roles[name]
    if stage.powers.is_denied(who) or role.id in stage.truth.exempt or name.startswith("iam-org"):
        return
    key = stage.iam.number("ASIA")
    stage.wild.append(Credential(owner=role.id, key=key, began=stage.now))


def take_key(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    _take_key(stage, who, user_named(stage, target), chance)


def _take_key(stage: Stage, who: Credential, name: str, chance: Random) -> None:
    made = stage.call(who, "create_access_key", chance, UserName=name)
    if made is not None:
        owner, key = stage.iam.users[name].id, made["AccessKey"]["AccessKeyId"]
        stage.wild.append(Credential(owner=owner, key=key, tainted=True))


def wake_key(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """Switch a key on again, an attacker's or one of the owner's own."""
    name = user_named(stage, target)
    keys = list(stage.iam.users[name].keys)
    if not keys:
        return
    key = keys[-1]
    stage.call(who, "update_access_key", chance, UserName=name, AccessKeyId=key, Status="Active")
    if key in stage.truth.tainted_keys:
        stage.taint_key(key)


def set_password(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    name = user_named(stage, target)
    has_one = stage.iam.users[name].password
    operation = "update_login_profile" if has_one else "create_login_profile"
    stage.call(who, operation, chance, UserName=name, Password=SECRET)


def set_password_and_rename(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """Within one second: nobody is there any more under the name that the first record has."""
    name = user_named(stage, target)
    set_password(stage, who, target, chance)
    stage.call(who, "update_user", chance, UserName=name, NewUserName=chance.choice(NAMES))


def sign_in(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """Into the console, with a password that an offender set; the credential at play is no use."""
    iam, truth = stage.iam, stage.truth
    open_doors = [
        user for user in iam.users.values() if user.password and user.id in truth.stolen_passwords
    ]
    if open_doors:
        owner = open_doors[target % len(open_doors)].id
        key = iam.number("ASIA")
        stage.wild.append(
            Credential(owner=owner, key=key, began=stage.now, tainted=True, console=True)
        )


def mint(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """Begin a session with a stolen key (GetSessionToken): it outlives the key."""
    if who.tainted and not who.is_session and not stage.powers.is_denied(who):
        key = stage.iam.number("ASIA")
        stage.wild.append(Credential(owner=who.owner, key=key, began=stage.now, tainted=True))


def join(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """Put somebody into the administrators' group, oneself as often as not."""
    name = name_of(stage.iam, who.owner) if chance.random() < 0.4 and not who.is_role else ""
    user = name or user_named(stage, target)
    stage.call(who, "add_user_to_group", chance, GroupName=ADMINISTRATORS, UserName=user)


def turn_out(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    members = sorted(stage.iam.groups[ADMINISTRATORS].members)
    if members:
        user = members[target % len(members)]
        stage.call(who, "remove_user_from_group", chance, GroupName=ADMINISTRATORS, UserName=user)


def strip(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """Take a deny off whoever has one."""
    iam = stage.iam
    held = [("user", n) for n, u in iam.users.items() if {DENY_ARN, SESSION_DENY_ARN} & u.attached]
    for group in (DENY_GROUP, SESSION_DENY_GROUP):
        held += [(group, name) for name in sorted(iam.groups[group].members)]
    held += [("role", name) for name, role in iam.roles.items() if DENY_ARN in role.attached]
    held += [("boundary", name) for name, role in iam.roles.items() if role.boundary]
    if not held:
        return
    kind, name = held[target % len(held)]
    match kind:
        case "user":
            both = sorted({DENY_ARN, SESSION_DENY_ARN} & iam.users[name].attached)
            stage.call(who, "detach_user_policy", chance, UserName=name, PolicyArn=both[0])
        case "role":
            stage.call(who, "detach_role_policy", chance, RoleName=name, PolicyArn=DENY_ARN)
        case "boundary":
            stage.call(who, "delete_role_permissions_boundary", chance, RoleName=name)
        case group:
            stage.call(who, "remove_user_from_group", chance, GroupName=group, UserName=name)


def rename(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """Oneself as often as anybody."""
    own = name_of(stage.iam, who.owner) if chance.random() < 0.5 and not who.is_role else ""
    stage.call(
        who,
        "update_user",
        chance,
        UserName=own or user_named(stage, target),
        NewUserName=chance.choice(NAMES),
    )


def swap(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """One user into the name of another."""
    old, taken = user_named(stage, target), user_named(stage, target + 1 + chance.randrange(3))
    if stage.call(who, "update_user", chance, UserName=old, NewUserName="between") is None:
        return
    stage.call(who, "update_user", chance, UserName=taken, NewUserName=old)
    stage.call(who, "update_user", chance, UserName="between", NewUserName=taken)


def wipe(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """Delete a user with all it has, as far as that goes, and make another of that name."""
    name = user_named(stage, target)
    _wipe(stage, who, name, chance)
    if name not in stage.iam.users:
        stage.call(who, "create_user", chance, UserName=name)
        stage.call(who, "attach_user_policy", chance, UserName=name, PolicyArn=ADMIN_POLICY)
        _take_key(stage, who, name, chance)


def _wipe(stage: Stage, who: Credential, name: str, chance: Random) -> None:
    user = stage.iam.users[name]
    for group, found in stage.iam.groups.items():
        if name in found.members:
            stage.call(who, "remove_user_from_group", chance, GroupName=group, UserName=name)
    for key in list(user.keys):
        stage.call(who, "delete_access_key", chance, UserName=name, AccessKeyId=key)
    for arn in sorted(user.attached):
        stage.call(who, "detach_user_policy", chance, UserName=name, PolicyArn=arn)
    if user.password:
        stage.call(who, "delete_login_profile", chance, UserName=name)
    stage.call(who, "delete_user", chance, UserName=name)


def strengthen(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    name = user_named(stage, target)
    stage.call(who, "attach_user_policy", chance, UserName=name, PolicyArn=ADMIN_POLICY)


def change_own_password(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """Self-service, which is no offence with a credential of one's own."""
    found = stage.iam.users.get(name_of(stage.iam, who.owner))
    if found is not None and found.password:
        stage.call(who, "change_password", chance)


# ---- administrators


def add(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    _add(stage, who, target, chance, lost=False)


def add_unheard(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """The same, and EventBridge loses the event."""
    _add(stage, who, target, chance, lost=True)


def _add(stage: Stage, who: Credential, target: int, chance: Random, *, lost: bool) -> None:
    name = ("bob", "carol", user_named(stage, target))[chance.randrange(3)]
    stage.call(who, "add_user_to_group", chance, GroupName=ADMINISTRATORS, UserName=name, lost=lost)


def remove(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    turn_out(stage, who, target, chance)


def hire(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """A new colleague, who is no administrator. Whoever root makes counts as an offender's."""
    name = NAMES[target % len(NAMES)]
    if who.owner == ROOT or stage.call(who, "create_user", chance, UserName=name) is None:
        return
    made = stage.call(who, "create_access_key", chance, UserName=name)
    if made is not None:
        owner, key = stage.iam.users[name].id, made["AccessKey"]["AccessKeyId"]
        stage.rightful.append(Credential(owner=owner, key=key))


def dismiss(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    name = user_named(stage, target)
    if who.owner not in (ROOT, stage.iam.users[name].id):
        _wipe(stage, who, name, chance)


def help_out(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """A new password for a colleague: whatever an offender set is no good any more."""
    name = user_named(stage, target)
    if who.owner != ROOT and stage.iam.users[name].password:
        stage.call(who, "update_login_profile", chance, UserName=name, Password=SECRET)


def open_console(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """An administrator signs in with a password of her own."""
    found = stage.iam.users.get(name_of(stage.iam, who.owner))
    if found is not None and found.password and found.id not in stage.truth.stolen_passwords:
        key = stage.iam.number("ASIA")
        stage.rightful.append(Credential(owner=found.id, key=key, began=stage.now, console=True))


def work(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    """An ordinary call of an administrator's."""
    if who.owner != ROOT:
        strengthen(stage, who, target, chance)


def rename_colleague(stage: Stage, who: Credential, target: int, chance: Random) -> None:
    if who.owner != ROOT:
        stage.call(
            who,
            "update_user",
            chance,
            UserName=user_named(stage, target),
            NewUserName=chance.choice(NAMES),
        )


WILD: dict[str, Move] = {
    move.__name__: move
    for move in (
        make_accomplice,
        make_role,
        assume_role,
        take_key,
        wake_key,
        set_password,
        set_password_and_rename,
        sign_in,
        mint,
        join,
        turn_out,
        strip,
        rename,
        swap,
        wipe,
        strengthen,
        change_own_password,
    )
}
RIGHTFUL: dict[str, Move] = {
    move.__name__: move
    for move in (
        add,
        add_unheard,
        remove,
        hire,
        dismiss,
        help_out,
        open_console,
        work,
        rename_colleague,
    )
}
