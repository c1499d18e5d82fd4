import asyncio
import threading

from tempseg_mm.annotator import events
from tempseg_mm.annotator.events import EventHub


async def heard(hub, count, patience=10.0):
    found = []
    async for event in hub.listen(patience):
        found.append(event)
        if len(found) == count:
            break
    return found


async def both_listening(hub, *coroutines):
    tasks = [asyncio.ensure_future(one) for one in coroutines]
    while len(hub._listeners) < len(tasks):
        await asyncio.sleep(0)
    return tasks


def test_all_listeners_hear_all_events_of_other_threads_in_order():
    hub = EventHub()
    hub.publish(dict(n=-1))  # nobody listens yet

    async def run():
        tasks = await both_listening(hub, heard(hub, 5), heard(hub, 5))
        thread = threading.Thread(target=lambda: [hub.publish(dict(n=n)) for n in range(5)])
        thread.start()
        found = await asyncio.gather(*tasks)
        thread.join()
        return found
    assert asyncio.run(run()) == [[dict(n=n) for n in range(5)]] * 2
    assert not hub._listeners


def test_silence_is_told_and_the_end_ends_listening():
    hub = EventHub()

    async def run():
        quiet = await heard(hub, 2, patience=0.01)
        task, = await both_listening(hub, heard(hub, 99))
        hub.close()
        return quiet, await task, await heard(hub, 1)
    assert asyncio.run(run()) == ([None, None], [], [])


def test_a_listener_that_does_not_read_is_cut_off(monkeypatch):
    monkeypatch.setattr(events, 'MOST_WAITING', 3)
    hub = EventHub()

    async def run():
        listening = hub.listen(10.0)
        first = asyncio.ensure_future(anext(listening))
        while not hub._listeners:
            await asyncio.sleep(0)
        for n in range(9):
            hub.publish(n)
            await asyncio.sleep(0)
        found = [await first, *[event async for event in listening]]
        return found
    found = asyncio.run(run())
    assert found == list(range(len(found))) and len(found) < 9
