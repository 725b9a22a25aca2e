"""Put every piece of the sandbox between its callers and the emulator, in the right order.

Nothing is started here, and nothing taken away: `emulator.running` restores all hooks.
"""

from __future__ import annotations

from sandbox import (
    asked_besides,
    authorization,
    control_policies,
    events,
    expiry,
    function_roles,
    history,
    iam_additions,
    oneself,
    quotas,
    set_operators,
    stack_permissions,
)
from sandbox.alarms import install_alarms
from sandbox.disorder import Disorder
from sandbox.drift import install_drift
from sandbox.faults import Faults
from sandbox.filter_policies import install_filter_policies
from sandbox.iam_delay import Delay
from sandbox.identity_center import install_identity_center
from sandbox.invocations import Invocations
from sandbox.organization import Organization
from sandbox.organization_api import install_organization
from sandbox.outbox import Outbox
from sandbox.pattern_limits import install_pattern_limits
from sandbox.provisioners import install_provisioners
from sandbox.router import Router
from sandbox.schedules import Schedules
from sandbox.stacksets import install_stacksets
from sandbox.state import State
from sandbox.subscriptions import install_subscriptions
from sandbox.targets import Targets
from sandbox.trail_copies import install_trail_copies
from sandbox.work import Work


def install(
    state: State,
    *,
    faults: Faults,
    work: Work,
    outbox: Outbox,
    disorder: Disorder,
    workers: int,
) -> tuple[Organization, Schedules]:
    """Answer the Organization, not yet founded, and what fires its schedules."""
    organization = install_organization(state)
    authorization.install(state)
    set_operators.install()
    control_policies.install(organization)
    asked_besides.install()
    iam_additions.install(organization)
    quotas.install()
    expiry.install()
    oneself.install()
    # Last of all that stands before IAM's handlers: what is refused changes nothing.
    Delay(state).install()
    history.install(state)
    outbox.install()
    invocations = Invocations(work, faults, workers=workers)
    invocations.install()
    schedules = Schedules(state, work, invocations)
    schedules.install()
    router = Router(state, work, Targets(state, faults, invocations), disorder, schedules)
    router.install()
    events.install(state, router.accept)
    install_stacksets(organization)
    install_identity_center(organization)
    install_provisioners(state)
    install_alarms(state)
    # After the checks of a trail's bucket, which come with its provisioner.
    install_trail_copies(organization)
    install_drift()
    install_pattern_limits()
    # Before those that wait: what is refused waits for nobody.
    install_filter_policies()
    install_subscriptions(outbox)
    function_roles.install()
    # Before anything of a stack: who may not even ask hears nothing else.
    stack_permissions.install(state)
    return organization, schedules
