"""A release as a Prefect flow: as many tasks as Tenure's release has activities, with the same calls to the infrastructure.

python flow.py URL NAME...    runs one flow a name, all at once; prints {"seconds": ...} of all together

State is kept by the Prefect server (PREFECT_API_URL), results on disk. A task whose inputs were seen before, of a flow that is run
again for the same release, gives the result that was kept: the kindest setting for a run that was cut off.
"""

import asyncio
import json
import sys
import time

import httpx
from prefect import flow, task
from prefect.cache_policies import INPUTS, TASK_SOURCE

URL = sys.argv[1]


@task(persist_result=True, cache_policy=INPUTS + TASK_SOURCE)
async def step(release: str, number: int, calls: list[str]) -> list[str]:
    """One act: its calls one after the other, as Tenure's activity makes them."""
    said = []
    async with httpx.AsyncClient(base_url=URL, timeout=60) as client:
        for index, call in enumerate(calls):
            answer = await client.post(f"/{release}/{number}/{index}/{call}", json={"release": release})
            answer.raise_for_status()
            said.append(answer.json()["said"])
    return said


@flow(persist_result=True)
async def release_model(release: str, steps: list[list[str]]) -> str:
    for number, calls in enumerate(steps):
        await step(release, number, calls)
    return "succeeded"


async def main() -> None:
    async with httpx.AsyncClient(base_url=URL) as client:
        steps = (await client.get("/steps")).json()
    started = time.perf_counter()
    ends = await asyncio.gather(*(release_model(name, steps) for name in sys.argv[2:]))
    print(json.dumps({"seconds": time.perf_counter() - started, "succeeded": ends.count("succeeded")}), flush=True)


asyncio.run(main())
