# SPDX-License-Identifier: Apache-2.0
"""The rows of turns that are tried."""

from chain import Plan, steps

PLANS = {plan.name: plan for plan in [
    Plan("there-and-back", steps("java.stop gantry.kill java.kill gantry.stop java.stop"), send_back=True),
    Plan("back-and-there", steps("gantry.stop java.load gantry.load java.stop gantry.stop")),
]}

FULL = ["there-and-back", "back-and-there"]
