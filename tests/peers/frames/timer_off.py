# SPDX-License-Identifier: Apache-2.0
"""What a slave asks its master for the timer, every 3 s, where timerWheelEnable=false."""

PROPERTIES = {"timerWheelEnable": "false"}
CHECK_POINT, METRICS = 60, 61


def state(broker):
    """There is none."""
    peer = broker.peer()
    return {str(code): broker.plain(peer.ask(code, {})) for code in (CHECK_POINT, METRICS)}
