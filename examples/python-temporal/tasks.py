"""Starts tasks with the Temporal SDK of Python, without the HTTP API: an upsert, and a reindex that it pauses and resumes.

    python3 examples/python-temporal/tasks.py docs docs-v2
"""

import asyncio
import os
import sys
import uuid

from temporalio.client import Client

WAIT_SECONDS = 120


async def until(handle, status):
    """Asks for the tracker of a task until it has a status."""
    async with asyncio.timeout(WAIT_SECONDS):
        while (await handle.query("tracker"))["status"] != status:
            await asyncio.sleep(0.1)


async def main(alias, dest):
    client = await Client.connect(
        os.environ.get("TEMPORAL_ADDRESS", "127.0.0.1:7233"),
        namespace=os.environ.get("TEMPORAL_NAMESPACE", "default"),
    )
    task_queue = os.environ.get("REEMBED_TASK_QUEUE", "reembed")

    # The type of the workflow is that of the task, its id the id of the task, its input the body of the HTTP API.
    items = [{"id": f"animal-{n}", "payload": f"this is the animal {n}"} for n in range(20)]
    upsert = await client.start_workflow(
        "upsert", {"index": alias, "items": items}, id=f"upsert-{uuid.uuid4()}", task_queue=task_queue
    )
    # The result is the tracker; a task that is not done fails with the reason.
    tracker = await asyncio.wait_for(upsert.result(), WAIT_SECONDS)
    print(f"upsert is {tracker['status']}: {tracker['detail']}")

    body = {"source": alias, "dest": dest, "destModel": {"provider": "words"}, "ratePerSecond": 1, "batchSize": 1}
    reindex = await client.start_workflow("reindex", body, id=f"reindex-{dest}", task_queue=task_queue)
    await until(reindex, "processing")
    await reindex.signal("pause")
    await until(reindex, "paused")
    print("reindex is paused")
    await reindex.signal("throttle", 1000)
    await reindex.signal("resume")
    tracker = await asyncio.wait_for(reindex.result(), WAIT_SECONDS)
    print(f"reindex is {tracker['status']}: {tracker['detail']}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
    sys.stdout.flush()
    # Threads of the SDK may still run, and Python can crash when it shuts down before them.
    os._exit(0)
