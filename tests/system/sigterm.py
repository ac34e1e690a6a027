#!/usr/bin/python3
"""SIGTERM in every phase, on a real broker: an orderly end, and the next start goes on behind it.

    sigterm.py FRESHET TOOLS

Both ways of delivery at once. The signal comes at the start (while the state is opened, the transactional id
taken over, the group asked), at work, within transactions, when all is done, while an older copy is
computed anew, and while the broker is away, then with rows that nobody takes. Known: the status is 0, but
for a signal that comes before anything is set up, which ends the process by itself; nothing is sent twice,
not even by the end without a broker; and every event has one score.
"""

import random
import shutil
import signal
import threading
import time

from kafka import Kafka
from harness import Checks, Service, Work, by_source, end_of, events_of, labels_of, payments, pipeline

PARTITIONS = 3
DELIVERIES = ("at_least_once", "exactly_once")


def config_of(broker, delivery):
    config = pipeline(broker, f"scores_{delivery}", f"dead_{delivery}", delivery)
    config["delivery"] = delivery
    config["kafka"].update(brokers=broker.proxied,
                           properties={"fetch.message.max.bytes": 8192, "queued.min.messages": 100})
    return config


def stop_all(checks, what, work, broker, seconds, options=()):
    """Starts one service for each way, and ends each after its time."""
    def one(service, delivery, pause):
        with service:
            time.sleep(pause)
            began = time.monotonic()
            early = service.fields("service.start") is None
            status = service.terminate()
            if not checks.true(f"{delivery}, {what}: status after SIGTERM at {pause:.3f} s",
                               status == 0 or (early and status == -signal.SIGTERM), str(status)):
                print(service.log())
            took = time.monotonic() - began
            checks.true(f"{delivery}, {what}: it ends soon", took < 12, f"{took:.1f} s")
    services = [Service(work, config_of(broker, delivery), delivery, options) for delivery in DELIVERIES]
    threads = [threading.Thread(target=one, args=row) for row in zip(services, DELIVERIES, seconds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def check_sent(checks, what, broker, events=None):
    for delivery in DELIVERIES:
        scores, repeats = by_source(checks, delivery, broker.dump(f"scores_{delivery}"))
        checks.equal(f"{delivery}, {what}: scores that came twice", repeats, 0)
        if events is not None:
            checks.equal(f"{delivery}, {what}: events with a score", len(scores), events)


def away(checks, work, broker, delivery):
    """The broker dies, the service has rows for it and is told to end."""
    with Service(work, config_of(broker, delivery), delivery) as service:
        service.wait("some scores", lambda: service.metric("freshet_rows_acknowledged_total") > 0)
        broker.kill()
        broker.proxy.cut()
        time.sleep(0.5)
        began = time.monotonic()
        status = service.terminate()
        checks.equal(f"{delivery}, broker away: status", status, 0)
        checks.true(f"{delivery}, broker away: it ends in time", time.monotonic() - began < 25)
        checks.say(f"{delivery}: without a broker it took {time.monotonic() - began:.1f} s")
    broker.start()


def main():
    checks = Checks()
    rng = random.Random(7)
    rows = payments(12000, seed=7, distinct=True)
    events, labels = events_of(rows), labels_of(rows)
    topics = {f"{name}_{delivery}": count for delivery in DELIVERIES
              for name, count in (("scores", 4), ("dead", 1))}
    with Work() as work, Kafka(payments=PARTITIONS, frauds=PARTITIONS, **topics) as broker:
        broker.fill("payments", events)
        broker.fill("frauds", labels)
        end = end_of(events, labels)
        broker.proxy.delay_s = 0.02
        for step in range(10):
            stop_all(checks, "start", work, broker, [step * 0.05 + rng.uniform(0, 0.05) for _ in DELIVERIES])
        checks.say("at the start")
        for _ in range(8):
            stop_all(checks, "at work", work, broker, [rng.uniform(0.4, 1.2) for _ in DELIVERIES])
        check_sent(checks, "at work", broker)
        for delivery in DELIVERIES:
            shutil.copytree(work.path(delivery), work.path(delivery + "_old"))
        checks.say("at work")
        for delivery in DELIVERIES:
            away(checks, work, broker, delivery)
        check_sent(checks, "broker away", broker)

        broker.proxy.delay_s = 0.0
        for delivery in DELIVERIES:
            with Service(work, config_of(broker, delivery), delivery) as service:
                service.wait_until(end)
                checks.equal(f"{delivery}: status at the end", service.terminate(), 0)
            shutil.rmtree(work.path(delivery))
            shutil.move(work.path(delivery + "_old"), work.path(delivery))
        check_sent(checks, "all done", broker, len(events))
        broker.proxy.delay_s = 0.02
        stop_all(checks, "computing anew", work, broker, [0.6, 0.8], ["--after-restore"])
        stop_all(checks, "computing anew", work, broker, [0.5, 0.7])
        broker.proxy.delay_s = 0.0
        for delivery in DELIVERIES:
            with Service(work, config_of(broker, delivery), delivery) as service:
                service.wait_until(end)
                checks.equal(f"{delivery}: status at the very end", service.terminate(), 0)
        check_sent(checks, "computed anew", broker, len(events))
        checks.say("computing anew")
    checks.finish()


if __name__ == "__main__":
    main()
