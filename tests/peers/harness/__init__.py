# SPDX-License-Identifier: Apache-2.0
"""Runs real RocketMQ servers and clients around a broker under test. See ../run.py."""
