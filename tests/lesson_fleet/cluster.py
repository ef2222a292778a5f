"""
A Ray cluster on this machine, as a program: a head without boards, and workers with pretended ones.

It prints one line of JSON, with the address and the process of each worker's raylet, and ends when its
standard input does. In a process of its own, because Ray and pytest do not share signals and warnings well.
"""

from __future__ import annotations

import json
import sys
import threading
from importlib import import_module


def main() -> None:
    boards, workers = json.loads(sys.argv[1]), int(sys.argv[2])
    store = 80 * 2**20
    cluster = import_module("ray.cluster_utils").Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": store},
    )
    nodes = [
        cluster.add_node(num_cpus=1, resources=boards, include_dashboard=False, object_store_memory=store)
        for _ in range(workers)
    ]
    raylets = [node.all_processes["raylet"][0].process for node in nodes]
    for raylet in raylets:  # workers take one that is dead and was not waited for to be alive
        threading.Thread(target=raylet.wait, daemon=True).start()
    pids = [raylet.pid for raylet in raylets]
    print(json.dumps({"address": cluster.address, "raylets": pids}), flush=True)
    sys.stdin.read()
    cluster.shutdown()


if __name__ == "__main__":
    main()
