"""An independent oracle of the line from topics to the example log, in plain Python.

Given the records of some topics and a configuration, says in which order they are taken, what each
event's features are, which examples are released when and with what weight, and when a version is
published. Written from the design, not from the C code, and naive: features are computed anew from
the list of all events before (oracle.py), and what waits for a label is looked for in plain lists.

What it takes from the design ("Time and order", "Labels"):

  * The heads of all partitions are merged by time; labels first, then topic and partition. The time
    of a label is when it became known. A record that cannot be read goes with the time of the one
    before it.
  * Event time is the latest taken. An event is scored with all that was due up to its own instant
    released; a label, with what was due before it.
  * An example is released `delay` after its event, if it has a label; or, as absent, `absent.after`
    after it; or when its first label comes, if that is later. A label that says something new of a
    released event releases it again, as a correction. One that only confirms `absent` does not.
  * With `keep_negatives` some examples with label 0, picked by the id's hash, are left out and the
    others weigh more.
  * At each multiple of a model's `publish` a version of it is published if anything was released
    since its last; where several models do at once, in the order of the list.
  * The same id within `horizon` is the same event: it tells the score again, and changes nothing.
  * An event later than `lateness` is scored on whatever its windows still hold, and not observed.
"""

import collections
import ctypes
import heapq
import json
import math

import oracle

Record = collections.namedtuple("Record", "topic partition offset broker_time payload")
# what: "event", "label" or "dead"
Taken = collections.namedtuple("Taken", "what time record stream id values label")


# ---- reading

def read_value(value, declaration):
    """What a JSON value is to a field of this type; None where it is missing."""
    if value is None or value == "":
        return None
    if oracle.field_type(declaration) == "number":
        return float(value)
    return str(value)


def decode(record, stream, labels, ahead_max):
    """The record as Taken; "dead" where it cannot be read."""
    dead = Taken("dead", None, record, stream, None, None, None)
    try:
        fields = json.loads(record.payload)
        declared = labels if stream is None else stream
        time = record.broker_time
        if "time" in declared:
            time = oracle.parse_time(str(fields[declared["time"]["field"]]),
                                     declared["time"]["format"], None)
        if time > record.broker_time + ahead_max:
            return dead
        if stream is None:
            return Taken("label", time, record, None, str(fields[labels["id"]]), None,
                         float(fields[labels["value"]]))
        id = str(fields[stream["id"]]) if "id" in stream else None
        values = {name: read_value(fields.get(name), declaration)
                  for name, declaration in stream["fields"].items()}
        return Taken("event", time, record, stream, id, values, None)
    except (ValueError, KeyError, TypeError):
        return dead


def read_lane(records, stream, labels, ahead_max):
    """All records of a partition, dead ones with the time of the one before (or the first)."""
    lane = [decode(record, stream, labels, ahead_max) for record in records]
    time = next((taken.time for taken in lane if taken.what != "dead"), 0)
    for i, taken in enumerate(lane):
        if taken.what == "dead":
            lane[i] = taken._replace(time=time)
        time = lane[i].time
    return lane


def merge(lanes):
    """lanes: {(topic, partition): [Taken]}. Yields all of them in the order in which they count."""
    places = sorted(lanes, key=lambda place: (place[0] != "label", place[1], place[2]))
    heap = [(lanes[place][0].time, rank, 0) for rank, place in enumerate(places) if lanes[place]]
    heapq.heapify(heap)
    while heap:
        _, rank, at = heapq.heappop(heap)
        lane = lanes[places[rank]]
        yield lane[at]
        if at + 1 < len(lane):
            heapq.heappush(heap, (lane[at + 1].time, rank, at + 1))


# ---- hashes, which are the library's

class Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


def xxhash():
    library = ctypes.CDLL("libxxhash.so.0")
    library.XXH3_128bits_withSeed.restype = Hash128
    library.XXH3_128bits_withSeed.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
    return library


XXHASH = xxhash()


def share_of_id(id):
    """In [0, 1): evenly spread over ids."""
    text = id.encode()
    seed = int.from_bytes(b"evt", "big")
    return (XXHASH.XXH3_128bits_withSeed(text, len(text), seed).low >> 11) * 2.0 ** -53


# ---- what is known

class Waiting:
    """An event that waits for its label, or a label that waits for its event."""

    def __init__(self, event, time, seq):
        self.event, self.time, self.seq = event, time, seq
        self.label = self.offset = None
        self.released = self.overdue = False


class Model:
    """When it publishes."""

    def __init__(self, publish):
        self.publish = publish
        self.published, self.version, self.boundary = 0, 0, None


class Past(oracle.Past):
    """oracle.Past, with labels that come when they come."""

    def __init__(self, labels, lateness):
        super().__init__({"delay": labels["delay"], "absent": {"is": absent_of(labels)[0]}}, lateness)
        self.labels = {}

    def label(self, event):
        return self.labels.get(event.order, self.absent)


def absent_of(labels):
    """(the label of an event without one, how long after it)."""
    absent = labels.get("absent", {})
    if absent == "none":
        return math.nan, 0
    return float(absent.get("is", 0)), oracle.duration(absent.get("after", labels["delay"]))


class Line:
    """Takes records in their order. rows: {record: Row}; log: the example log."""

    Row = collections.namedtuple("Row", "event features version too_late repeats")
    Example = collections.namedtuple("Example", "event released_at label weight correction absent")
    Boundary = collections.namedtuple("Boundary", "version time model")

    def __init__(self, config):
        self.config, self.labels = config, config["labels"]
        self.features = config["features"]
        self.keys = oracle.entity_keys(self.features)
        self.fields = {name for stream in config["streams"] for name in stream["fields"]}
        self.delay = oracle.duration(self.labels["delay"])
        self.horizon = oracle.duration(self.labels["horizon"])
        self.absent, self.absent_after = absent_of(self.labels)
        self.keep = float(self.labels.get("keep_negatives", 1))
        self.lateness = oracle.duration(config["time"]["lateness"])
        self.models = [Model(oracle.duration(model["publish"])) for model in config["models"]]
        self.past = Past(self.labels, self.lateness)
        self.now = -math.inf
        self.waiting = {}  # id -> the newest Waiting
        self.unreleased = []  # heap of (due, is it as absent, seq, Waiting)
        self.log, self.log_end = [], 0  # log_end: behind the last example
        self.rows, self.order = {}, 0

    # -- time

    def advance(self, time, inclusive):
        self.now = max(self.now, time)
        self.past.now = self.now
        for model in self.models:
            if model.boundary is None:
                model.boundary = self.now // model.publish * model.publish + model.publish
        while (boundary := min(model.boundary for model in self.models)) < self.now:
            self.release_due(boundary, True)
            for number, model in enumerate(self.models):
                if model.boundary == boundary:
                    self.pass_boundary(number, model)
        self.release_due(self.now, inclusive)

    def pass_boundary(self, number, model):
        if self.log_end > model.published:
            model.version += 1
            self.log.append(self.Boundary(model.version, model.boundary, number))
            model.published = len(self.log)
        model.boundary += model.publish

    def release_due(self, time, inclusive):
        while self.unreleased and (self.unreleased[0][0] < time
                                   or inclusive and self.unreleased[0][0] == time):
            due, as_absent, _, waiting = heapq.heappop(self.unreleased)
            if as_absent:
                if not waiting.released:
                    self.release(waiting, due)
            elif waiting.label is not None or self.absent_after <= self.delay \
                    and not math.isnan(self.absent):
                self.release(waiting, due)
            else:
                waiting.overdue = True
                if not math.isnan(self.absent):
                    heapq.heappush(self.unreleased, (waiting.time + self.absent_after, True,
                                                     waiting.seq, waiting))

    def release(self, waiting, time):
        label = self.absent if waiting.label is None else waiting.label
        weight = 1 / self.keep if label == 0 else 1.0
        if label != 0 or self.keep >= 1 or share_of_id(waiting.event.id) < self.keep:
            self.log.append(self.Example(waiting.event, time, label, weight, waiting.released,
                                         waiting.label is None))
            self.log_end = len(self.log)
        waiting.released = True

    # -- records

    def find(self, id):
        waiting = self.waiting.get(id)
        return waiting if waiting and waiting.time + self.horizon >= self.now else None

    def take(self, taken):
        self.order += 1
        if taken.what == "event":
            self.advance(taken.time, True)
            self.take_event(taken)
        elif taken.what == "label":
            self.advance(taken.time, False)
            self.take_label(taken)

    def take_event(self, taken):
        scored = taken.stream.get("score", False)
        known = self.find(taken.id) if scored else None
        if known and known.event:
            self.rows[taken.record] = self.Row(taken, None, None, False, known.event)
            return
        too_late = taken.time < self.now - self.lateness
        event = oracle.Event(self.order, taken.id, taken.time,
                             {name: taken.values.get(name) for name in self.fields}, None, scored)
        if scored:
            features = oracle.vector(self.features, event, self.past)
            self.rows[taken.record] = self.Row(event, features, self.models[0].version, too_late, None)
        if not too_late:
            oracle.observe(self.features, self.keys, event, self.past)
        if scored and taken.time + self.horizon >= self.now:
            self.wait(event, known)

    def wait(self, event, label):
        waiting = Waiting(event, event.time, self.order)
        if label:
            waiting.label, waiting.offset = label.label, label.offset
            self.past.labels[event.order] = label.label
        self.waiting[event.id] = waiting
        heapq.heappush(self.unreleased, (event.time + self.delay, False, waiting.seq, waiting))

    def take_label(self, taken):
        waiting, offset = self.find(taken.id), taken.record.offset
        if not waiting:
            waiting = self.waiting[taken.id] = Waiting(None, self.now, self.order)
        if waiting.offset is not None and waiting.offset >= offset:
            return
        first, same = waiting.label is None, waiting.label == taken.label
        waiting.label, waiting.offset = taken.label, offset
        if not waiting.event or same:
            return
        self.past.labels[waiting.event.order] = taken.label
        due = waiting.released or waiting.overdue
        confirms = waiting.released and first and taken.label == self.absent
        if due and not confirms:
            self.release(waiting, self.now)
