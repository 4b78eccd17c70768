#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Registrations in parts between Gantry and Java, both ways round: every topic arrives, and a later
change of one does too.

    parts.py --bin FOLDER-OF-PROGRAMS

Exit codes are those of tests/peers/run.py.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))
from harness import names  # noqa: E402
from harness.cache import Cache, Unavailable, required  # noqa: E402
from harness.names import data_version, route, topic  # noqa: E402
from harness.peer import Peer  # noqa: E402
from harness.process import Failure, wait_until  # noqa: E402
from harness.servers import (Site, broker_properties, start_gantry_broker,  # noqa: E402
                             start_gantry_namesrv, start_java_broker, start_java_namesrv)
from run import EXIT_FAILED, EXIT_NOTHING_RAN  # noqa: E402

TOPICS, PART = 1_000, 70
LAST_WORDS = 8
CREATE_TOPIC = 17


def check(site, name, namesrv, start_broker):
    """A broker with many topics at a name server of the other kind."""
    properties = broker_properties(site.home(name), site.ports.broker(), namesrv.address)
    properties.update(enableSplitRegistration="true", splitRegistrationSize=PART)
    config = Path(properties["storePathRootDir"]) / "config"
    config.mkdir(parents=True)
    (config / "topics.json").write_text(json.dumps({
        "dataVersion": data_version(7),
        "topicConfigTable": {f"Part{i:04d}": topic(f"Part{i:04d}") for i in range(TOPICS)}}))
    start_broker(site, namesrv, name, properties)
    with Peer(namesrv.address) as peer, Peer(f"127.0.0.1:{properties['listenPort']}") as broker:
        wait_until(lambda: len(names.names_of(peer, names.ALL_TOPICS, "Part")) == TOPICS,
                   f"{name}: all topics")
        answer = broker.ask(CREATE_TOPIC, {
            "topic": "Part0500", "defaultTopic": "TBW102", "readQueueNums": 9,
            "writeQueueNums": 9, "perm": 6, "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0,
            "order": "false"})
        if answer["code"]:
            raise Failure(f"{name}: {answer}")
        wait_until(lambda: route(peer, "Part0500")["queueDatas"][0]["readQueueNums"] == 9,
                   f"{name}: the change")
    print(f"PASS {name}", flush=True)


def main():
    """Both."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gantry-parts-") as folder:
        site = Site(Path(folder), Cache(), options.bin.resolve())
        try:
            check(site, "gantry-at-java", start_java_namesrv(site), start_gantry_broker)
            # not with compressedRegister: 5.5.0 then says compressed=false, and no name server reads it
            check(site, "java-at-gantry", start_gantry_namesrv(site), start_java_broker)
            return 0
        except Unavailable as error:
            print(f"SKIP: {error}")
            return EXIT_FAILED if required() else EXIT_NOTHING_RAN
        except Failure as error:
            print(f"FAIL: {error}")
            for process in site.running:
                words = process.log.read_text(errors="replace").splitlines()[-LAST_WORDS:]
                print("\n     | ".join([process.name, *words]))
            return EXIT_FAILED
        finally:
            site.stop()


if __name__ == "__main__":
    sys.exit(main())
