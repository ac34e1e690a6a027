"""A real Apache Kafka broker (KRaft, one node, loopback only) for the system tests, in the shape of the
embedded one of ../integration/harness.py.

    with Kafka(payments=3, frauds=3, scores=8, dead=1) as broker:
        broker.fill("payments", events)
        broker.kill(); broker.start()
        rows = broker.dump("scores")              # what a read_committed reader sees
        rows = broker.dump("scores", "raw")       # what is in the log, aborted rows included

Who connects to broker.proxied goes by way of broker.proxy (proxy.py), which can make the network bad;
broker.address is the direct way, for what the test itself does.

Its state lies in memory where the machine has a place for that. Jars: scripts/fetch-kafka.
"""

import base64
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integration"))
import harness  # noqa: E402
from proxy import Proxy  # noqa: E402

PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{behind},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{proxy}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
num.network.threads=2
num.io.threads=2
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=200
broker.session.timeout.ms=1000
log.retention.ms=-1
log.retention.check.interval.ms=1000
log.segment.delete.delay.ms=0
"""
# Records of the tests are dated years back: retention must not take them for old ones.
JAVA = ["java", "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info"]
START_S = 90


def jars():
    done = subprocess.run([os.path.join(HERE, "../../scripts/fetch-kafka")], capture_output=True,
                          text=True)
    if done.returncode != 0:
        sys.exit(f"no broker, and these tests are nothing without one:\n{done.stderr}")
    return done.stdout.strip()


def in_memory():
    """The parent of folders that need no disk; None: the usual place."""
    shm = "/dev/shm"
    usable = os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > 2 << 30
    return shm if usable else None


class Kafka(harness.Broker):
    JAVA = JAVA
    MORE = ""  # properties

    def __init__(self, **topics):
        super().__init__(**topics)
        self.process = None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="freshet-kafka-", dir=in_memory())
        port, behind, controller = (harness.free_port() for _ in range(3))
        self.proxy = Proxy(behind)
        self.address, self.proxied = f"127.0.0.1:{port}", f"127.0.0.1:{self.proxy.port}"
        self.jars = jars()
        self.log_path = os.path.join(self.folder, "broker.log")
        self.properties = os.path.join(self.folder, "server.properties")
        with open(self.properties, "w") as file:
            file.write(PROPERTIES.format(port=port, behind=behind, proxy=self.proxy.port,
                                         controller=controller, folder=self.folder) + self.MORE)
        cluster = base64.urlsafe_b64encode(b"A" + os.urandom(15)).decode().rstrip("=")
        self.java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", self.properties).wait()
        self.archive = os.path.join(self.jars, "classes.jsa")
        if not os.path.exists(self.archive):
            self.make_archive()
        self.start()
        for name, partitions in self.topics.items():
            self.make(name, partitions)
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def make_archive(self):
        """Once on a machine: the classes that a broker loads, as the JVM has them in memory. A start
        then takes two thirds of the time."""
        part = f"{self.archive}.{os.getpid()}"
        self.process = self.java("kafka.Kafka", self.properties, options=[f"-XX:ArchiveClassesAtExit={part}"])
        self.wait_ready()
        self.stop()
        if os.path.exists(part):
            os.replace(part, self.archive)

    def java(self, *words, options=()):
        with open(self.log_path, "a") as log:
            return subprocess.Popen([*self.JAVA, *options, "-cp", f"{self.jars}/*", *words], stdout=log, stderr=log,
                                    stdin=subprocess.DEVNULL, start_new_session=True)

    def start(self, wait=True):
        """The second time on what the first one left."""
        open(self.log_path, "w").close()
        self.process = self.java("kafka.Kafka", self.properties,
                                 options=[f"-XX:SharedArchiveFile={self.archive}", "-Xshare:auto"])
        if wait:
            self.wait_ready()

    def wait_ready(self):
        """An open port comes before the broker serves: its own word counts."""
        until = time.monotonic() + START_S
        while "Kafka Server started" not in self.log():
            if self.process.poll() is not None or time.monotonic() > until:
                sys.exit(f"the broker does not start:\n{self.log()}")
            time.sleep(0.05)

    def log(self):
        with open(self.log_path) as file:
            return file.read()

    def kill(self):
        """SIGKILL: a crash."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def make(self, topic, partitions, *settings):
        """settings: NAME=VALUE of the topic."""
        self.topics[topic] = partitions
        self.tool("make", topic, str(partitions), *settings)

    def take_ms(self, ms):
        raise NotImplementedError("a real broker takes what it takes: see proxy.py")

    def dump(self, topic, what="committed"):
        lines = self.tool("dump", topic, what).split(b"\n")[:-1]
        return sorted(map(harness.parse_row, lines), key=lambda row: (row.partition, row.offset))

    def group_offsets(self, group, *topics):
        """{(topic, partition): (offset, metadata)}, without those that have none."""
        found = {}
        for topic in topics:
            for line in self.tool("offsets", topic, group).decode().splitlines():
                partition, offset, metadata = line.split("\t")
                if int(offset) >= 0:
                    found[topic, int(partition)] = int(offset), metadata
        return found
