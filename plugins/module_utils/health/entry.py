# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an entry of the plan's probes means: its kind, the kind's parameters, and what the probe is about."""

from ansible_collections.egov.ops.plugins.module_utils.health import registry
from ansible_collections.egov.ops.plugins.module_utils.health.probe import LAYERS
from ansible_collections.egov.ops.plugins.module_utils.host.public import public_text, public_url
from ansible_collections.egov.ops.plugins.module_utils.host.scrub import Scrubber

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.health.types import Parameters, Settings

#: What an entry of the plan may hold beside the parameters of its kind.
_SETTINGS = ("kind", "layer", "warning", "critical", "severity", "timeout", "state")


def subject_of(name, kind, required, parameters):
    # type: (str, registry.Kind, list[str], Parameters) -> str
    """Return what a probe is about; what of it is not shown is told apart by the probe's name."""
    subject = parameters[required[0]] if required else name
    if not isinstance(subject, str):
        return name
    if required and required[0] in kind.secret and "://" not in subject:
        return name
    if not required or required[0] not in kind.secret:
        return public_text(subject)
    shown = public_url(subject)
    if shown == subject:
        return shown
    # A path may have the same text as the password.
    return "%s (%s)" % (Scrubber(kind.secret[required[0]](subject)).text(shown), name)


def understand(settings):
    # type: (Settings) -> tuple[registry.Kind, Parameters]
    """Return the kind of an entry and its parameters; raises ValueError with the half of a sentence."""
    if not isinstance(settings, dict):
        raise ValueError("it has to be a dictionary with `kind` and `layer`")
    name = str(settings.get("kind"))
    if name not in registry.KINDS:
        raise ValueError("there is no kind %s%s" % (name, _near(name)))
    if settings.get("layer") not in LAYERS:
        raise ValueError("its layer has to be one of %s" % ", ".join(sorted(LAYERS)))
    if settings.get("severity") not in (None, "warning", "critical"):
        raise ValueError("its severity has to be warning or critical")
    kind = registry.KINDS[name]
    parameters = {key: value for key, value in settings.items() if key not in _SETTINGS and value is not None}
    known = kind.parameters()
    for key in parameters:
        if key not in known:
            raise ValueError("kind %s has no parameter %s; it takes %s" % (name, key, ", ".join(known) or "none"))
    for key, needed in known.items():
        if needed and key not in parameters:
            raise ValueError("kind %s needs the parameter %s" % (name, key))
    return kind, parameters


def _near(name):
    # type: (str) -> str
    from difflib import get_close_matches

    near = get_close_matches(name, list(registry.KINDS), 1)
    return "; did you mean %s" % near[0] if near else ""
