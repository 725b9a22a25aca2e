"""Who hears of a unit's accounts, read from the rollout file and checked. Whether there is such a
unit is not known here."""

from __future__ import annotations

from stacksets.config.fields import Section
from stacksets.config.model import ADDRESSES, Central, Recipient

# As in the central template (Email); AWS's mail, which asks to confirm, tells whether it is one.
ADDRESS = r"[^@\s]+@[^@\s]+"


def read_recipients(top: Section, central: Central) -> tuple[Recipient, ...]:
    """Every [[recipients]] table of the file; tells of what is wrong with each."""
    sections = top.sections("recipients")
    if sections and central.parameters.get("SNSTopicArn"):
        top.wrong(
            "recipients",
            "recipients need the topic of our own stack, and SNSTopicArn gives another: subscribe "
            "them there by hand, or take SNSTopicArn out.",
        )
    team = {central.parameters.get(name, "").casefold() for name in ADDRESSES} - {""}
    found: list[Recipient] = []
    for section in sections:
        one = Recipient(
            unit=section.text(
                "ou", None, says='an OU\'s id or path like "Workloads/Prod"; "/" is the root'
            ),
            email=section.text("email", None, shape=ADDRESS, says="one e-mail address"),
        )
        section.close()
        if one.email.casefold() in team:
            section.wrong(
                "email",
                f"{section.name('email')} is {one.email!r}, whom the central stack subscribes by "
                "Email or ExtraEmail, and SNS has one subscription for an address: take it out "
                "here, or there.",
            )
        if one.email and one in found:
            section.wrong("email", f"Two recipients of {one.unit!r} are {one.email!r}.")
        found.append(one)
    return tuple(found)
