"""A bad network between the service and the broker: a TCP proxy on loopback, in a thread.

    proxy = Proxy(to_port)           # proxy.port is where clients connect
    proxy.delay_s = 0.02             # each way, from now on
    proxy.loss = 0.01                # this share of the chunks comes 200 ms late, as if sent again (a proxy
                                     # cannot lose a packet of TCP: see network.py)
    proxy.cut()                      # resets all connections
    proxy.stop_passing(); proxy.pass_on()    # connections stay, and nothing moves
    proxy.on_request = lambda key: ...       # sees the API key of each request that begins a chunk

Bytes keep their order within a connection, whatever their delays.
"""

import asyncio
import random
import socket
import struct
import threading

RESENT_AFTER_S = 0.2  # the least time after which a kernel sends again what was lost
CHUNK = 65536


class Proxy:
    def __init__(self, to_port, seed=1):
        self.to_port = to_port
        self.delay_s = self.loss = 0.0
        self.on_request = None
        self.rng = random.Random(seed)
        self.writers = set()
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(started,), daemon=True)
        self.thread.start()
        started.wait()

    def run(self, started):
        asyncio.set_event_loop(self.loop)
        self.passing = asyncio.Event()
        self.passing.set()
        server = self.loop.run_until_complete(
            asyncio.start_server(self.serve, "127.0.0.1", 0, limit=CHUNK))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self.loop.run_forever()

    async def serve(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            writer.close()
            return
        both = writer, far_writer
        self.writers.update(both)
        for end in both:
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(self.pump(reader, far_writer, True), self.pump(far_reader, writer, False))
        self.writers.difference_update(both)

    async def pump(self, reader, writer, requests):
        """What was read waits in a queue until it is due, so that a delay costs no throughput."""
        queue = asyncio.Queue(64)
        sender = asyncio.ensure_future(self.send(queue, writer))
        due = 0.0
        try:
            while data := await reader.read(CHUNK):
                if requests and self.on_request and len(data) >= 6:
                    self.on_request(struct.unpack(">h", data[4:6])[0])
                late = RESENT_AFTER_S if self.rng.random() < self.loss else 0.0
                due = max(due, self.loop.time() + self.delay_s + late)
                await queue.put((due, data))
        except OSError:
            pass
        await queue.put((due, None))
        await sender

    async def send(self, queue, writer):
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0.0, due - self.loop.time()))
            await self.passing.wait()
            if data is None:
                writer.close()
                return
            try:
                writer.write(data)
                await writer.drain()
            except OSError:
                pass  # the reading side ends it

    def cut(self):
        self.loop.call_soon_threadsafe(self.reset_all)

    def reset_all(self):
        """A reset and not an orderly end: nobody may take it for an answer."""
        for writer in list(self.writers):
            end = writer.get_extra_info("socket")
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass
            writer.transport.abort()

    def stop_passing(self):
        self.loop.call_soon_threadsafe(self.passing.clear)

    def pass_on(self):
        self.loop.call_soon_threadsafe(self.passing.set)
