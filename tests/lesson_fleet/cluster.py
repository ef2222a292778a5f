"""
Run a Ray cluster on this machine: a head without boards, and workers with pretended ones.

The program prints one line of JSON with the address and the process ids of the workers' raylets, and ends
when its standard input closes. It is a separate process because Ray interferes with pytest's signals and
warnings.
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
    for raylet in raylets:  # reap them: to a worker, a zombie raylet looks alive
        threading.Thread(target=raylet.wait, daemon=True).start()
    pids = [raylet.pid for raylet in raylets]
    print(json.dumps({"address": cluster.address, "raylets": pids}), flush=True)
    sys.stdin.read()
    cluster.shutdown()


if __name__ == "__main__":
    main()
