"""Put every piece of the sandbox between its callers and the emulator, in the right order.

Nothing is started here, and nothing taken away: `emulator.running` restores all hooks.
"""

from __future__ import annotations

from sandbox.cloudformation import stack_permissions
from sandbox.cloudformation.drift import install_drift
from sandbox.cloudformation.provisioners import install_provisioners
from sandbox.cloudformation.stacksets import install_stacksets
from sandbox.cloudtrail import history
from sandbox.cloudtrail.organization_trail_copies import install_trail_copies
from sandbox.core import expiry
from sandbox.core.faults import Faults
from sandbox.core.state import State
from sandbox.core.task_pool import Work
from sandbox.events import buses, function_roles
from sandbox.events.disorder import Disorder
from sandbox.events.invocations import Invocations
from sandbox.events.pattern_limits import install_pattern_limits
from sandbox.events.router import Router
from sandbox.events.schedules import Schedules
from sandbox.events.targets import Targets
from sandbox.iam import authorization, dependent_actions, implicit_user, quotas, set_operators
from sandbox.iam.delay import Delay
from sandbox.iam_actions import missing_actions
from sandbox.mail.alarms import install_alarms
from sandbox.mail.filter_policies import install_filter_policies
from sandbox.mail.mailbox import Outbox
from sandbox.mail.subscriptions import install_subscriptions
from sandbox.organizations import control_policies
from sandbox.organizations.api import install_organization
from sandbox.organizations.identity_center import install_identity_center
from sandbox.organizations.organization import Organization


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
    dependent_actions.install()
    missing_actions.install(organization)
    quotas.install()
    expiry.install()
    implicit_user.install()
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
    buses.install(state, router.accept)
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
