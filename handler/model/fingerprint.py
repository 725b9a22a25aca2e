"""A short name for one version and one set of knobs, the same wherever it is computed. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from handler.model.names import VERSION
from handler.model.settings import Settings


def settings_fingerprint(settings: Settings) -> str:
    """Sixteen hexadecimal digits; the rollout computes what a heartbeat should carry."""
    # A set is written in another order by another process.
    plain = replace(settings, self_service=frozenset(), template="")
    text = f"{VERSION} {plain!r} {sorted(settings.self_service)}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def change_fingerprint(settings: Settings) -> str:
    """Another one after any change of template or knobs, also one that kept the version."""
    return f"{settings_fingerprint(settings)}-{settings.template}"
