#!/usr/bin/python3
"""What the service makes of the simulation's inputs equals what the oracle makes of them.

    tests/oracle/sim_equals_oracle.py SIM [--inputs N] [--also SEED,...]

For each input (four seeds of the simulation share one) `sim --write` gives configuration, records,
rows, example log and model of a run without a crash; line.py and ftrl.py compute the same from the
records. Features, scores, examples and weights must agree to within 1e-6 x max(1, |expected|); what is
counted, exactly. That runs with crashes end as this run does is what the simulation itself compares.
"""

import argparse
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile

import yaml

import ftrl
import line
import oracle

TOLERANCE = 1e-6
SEEN_MAX = 1000  # bins are made of 256 and 512 numbers, of which a sketch is exact; not of 1024


class Difference(Exception):
    pass


def near(got, expected, size=1.0):
    if got is None or expected is None:
        return got is None and (expected is None or math.isnan(expected))
    if math.isnan(expected):
        return math.isnan(got)
    return abs(got - expected) <= TOLERANCE * max(1.0, size, abs(expected))


def demand(good, what, *details):
    if not good:
        raise Difference(f"{what}: " + ", ".join(str(detail) for detail in details))


# ---- reading what sim wrote

def read_lines(directory, name):
    with open(f"{directory}/{name}") as file:
        return [json.loads(text) for text in file]


def read_tensors(path):
    """{name: list of numbers} and the texts of a safetensors file."""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    texts = header.pop("__metadata__", {})
    tensors = {}
    for name, tensor in header.items():
        begin, end = (8 + size + at for at in tensor["data_offsets"])
        code = {"F32": "f", "F64": "d", "U64": "Q", "U32": "I", "I64": "q", "U8": "B"}[tensor["dtype"]]
        tensors[name] = [v for v, in struct.iter_unpack("<" + code, data[begin:end])]
    return tensors, texts


def read_lanes(directory, config):
    streams = {stream.get("topic", stream["name"]): stream for stream in config["streams"]}
    lanes = {}
    for fields in read_lines(directory, "records.jsonl"):
        record = line.Record(**fields)
        what = "event" if record.topic in streams else "label"
        lanes.setdefault((what, record.topic, record.partition), []).append(record)
    ahead_max = oracle.duration(config["time"]["ahead_max"])
    return {place: line.read_lane(records, streams.get(place[1]), config["labels"], ahead_max)
            for place, records in lanes.items()}


# ---- comparing

def words(text):
    return re.findall(r"[0-9a-z\x80-\U0010ffff]+", text.lower())


def sparse_of(features, values):
    """[(field, text, weight)] of an event."""
    result = []
    for item in features:
        if "category" in item and values[item["category"]] is not None:
            result.append((item.get("as", item["category"]), values[item["category"]], 1.0))
        if "text" in item and values[item["text"]] is not None:
            found = words(values[item["text"]])
            result += [(item.get("as", item["text"]), word, ftrl.single(1 / math.sqrt(len(found))))
                       for word in found]
    return result


class Comparison:
    def __init__(self, directory):
        with open(f"{directory}/config.yaml") as file:
            self.config = yaml.safe_load(file)
        self.features = self.config["features"]
        self.names = [name for item in self.features for name in oracle.kind_of(item)[0](item)]
        self.fields = [item.get("as", item[kind]) for item in self.features
                       for kind in ("category", "text") if kind in item]
        self.lanes = read_lanes(directory, self.config)
        self.line = line.Line(self.config)
        self.got = {(row["topic"], row["partition"], row["offset"]): row
                    for row in read_lines(directory, "rows.jsonl")}
        self.log = read_lines(directory, "examples.jsonl")
        self.tensors, self.texts = read_tensors(f"{directory}/model.safetensors")
        self.vectors = {}  # order of an event -> its numbers, as the model sees them
        self.worst = {"feature": 0.0, "score": 0.0, "weight": 0.0}

    def note(self, what, got, expected):
        if got is not None and expected is not None and math.isfinite(expected):
            self.worst[what] = max(self.worst[what],
                                   abs(got - expected) / max(1.0, abs(expected)))

    # -- rows

    def compare_features(self, place, row, expected):
        got = [row["features"][name] for name in self.names]
        demand(list(row["features"]) == self.names, f"{place}: columns", list(row["features"]))
        for name, a, b in zip(self.names, got, expected.features):
            if not expected.too_late:  # of such events nothing is promised
                demand(near(a, b), f"{place} {expected.event.id}: {name}", a, b)
                self.note("feature", a, b)
        self.vectors[expected.event.order] = [None if v is None else ftrl.single(v) for v in got]

    def compare_rows(self):
        for lane in self.lanes.values():
            for taken in lane:
                place = tuple(taken.record[:3])
                row, expected = self.got.get(place), self.line.rows.get(taken.record)
                if taken.what == "dead":
                    demand(row and row["channel"] == "dead", f"{place}: is no dead letter")
                elif expected is None:
                    demand(row is None, f"{place}: has a row", row)
                else:
                    demand(row and row["channel"] == "scores", f"{place}: has no score", row)
                    self.compare_row(place, json.loads(row["payload"]), expected)

    def compare_row(self, place, row, expected):
        first = expected.repeats or expected.event
        demand(row["id"] == first.id, f"{place}: id", row["id"], first.id)
        time = oracle.parse_time(row["time"].replace("Z", "+00:00"), "rfc3339", None)
        demand(time == first.time, f"{place}: time", row["time"], first.time)
        if not expected.repeats:
            demand(row["version"] == expected.version, f"{place}: version", row["version"],
                   expected.version)
            self.compare_features(place, row, expected)

    # -- the example log

    def compare_log(self):
        demand(len(self.log) == len(self.line.log), "items of the example log", len(self.log),
               len(self.line.log))
        for i, (got, expected) in enumerate(zip(self.log, self.line.log)):
            if isinstance(expected, line.Line.Boundary):
                demand(got == expected._asdict(), f"item {i}", got, expected)
            else:
                self.compare_example(i, got, expected)

    def compare_example(self, i, got, expected):
        demand("label" in got, f"item {i} is no example", got, expected)
        told = {"time": expected.event.time, "released_at": expected.released_at,
                "label": expected.label, "weight": ftrl.single(expected.weight),
                "correction": expected.correction, "absent": expected.absent}
        demand(told == {key: got[key] for key in told}, f"item {i}", got, told)
        demand(got["dense"] == self.vectors[expected.event.order],
               f"item {i}: is not the vector at scoring time", got["dense"],
               self.vectors[expected.event.order])
        sparse = sparse_of(self.features, expected.event.values)
        demand([(self.fields[field], weight) for field, _, weight in got["sparse"]]
               == [(field, single9(weight)) for field, _, weight in sparse],
               f"item {i}: categories", got["sparse"], sparse)

    # -- the model

    def learn(self):
        """Learns the log; yields nothing, leaves the versions' fronts and the model."""
        model = ftrl.Model(self.config["models"][0], self.names, self.fields)
        self.versions = {0: model.front()}
        for item in self.line.log:
            if isinstance(item, line.Line.Boundary):
                if item.model == 0:
                    self.versions[item.version] = model.front()
            else:
                model.learn(self.vectors[item.event.order],
                            sparse_of(self.features, item.event.values), item.label,
                            ftrl.single(item.weight))
        self.model = model

    def compare_scores(self):
        """The logit is summed in floats: where it is made of large parts, as for an amount that is
        far beyond all others, its rounding is in proportion to them."""
        scores = {}
        for expected in self.line.rows.values():
            if not expected.repeats:
                row = (self.vectors[expected.event.order],
                       sparse_of(self.features, expected.event.values))
                model = self.versions[expected.version]
                scores[expected.event.order] = model.score(*row), model.size(*row)
        for record, expected in self.line.rows.items():
            got = json.loads(self.got[tuple(record[:3])]["payload"])["score"]
            score, size = scores[(expected.repeats or expected.event).order]
            demand(near(got, score, size), f"{tuple(record[:3])}: score", got, score, size)
            self.note("score", got, score)

    def compare_weight(self, name, got, of):
        weight = self.model.weights.get(of)
        expected = weight.w if weight else 0.0
        demand(near(got, expected), f"weight {name}", got, expected)
        self.note("weight", got, expected)

    def compare_numbers(self):
        cells = self.model.bins + 1
        edges = len(self.tensors["bins.edges"]) // max(1, len(self.names))
        for i, number in enumerate(self.model.numbers):
            self.compare_weight(f"linear {number.name}", self.tensors["linear.w"][i], ("linear", i))
            self.compare_weight(f"log {number.name}", self.tensors["log.w"][i], ("log", i))
            got = self.tensors["bins.edges"][i * edges:(i + 1) * edges]
            got = [edge for edge in got if math.isfinite(edge)]
            demand(got == number.edges, f"edges of {number.name}", got, number.edges)
            for cell in range(cells):
                self.compare_weight(f"bin {cell} of {number.name}",
                                    self.tensors["bins.w"][i * cells + cell], ("bin", i, cell))

    def compare_crosses(self):
        width = self.model.cross_bins + 1
        for cross in self.model.crosses:
            for at, got in enumerate(self.tensors[f"cross.{'*'.join(cross)}.w"]):
                cell = tuple(at // width ** (len(cross) - 1 - axis) % width
                             for axis in range(len(cross)))
                self.compare_weight(f"{cross} {cell}", got, ("cells", tuple(cross), cell))

    def compare_model(self):
        demand(self.texts["columns"].split("\n") == self.names, "columns", self.texts["columns"])
        self.compare_weight("bias", self.tensors["bias"][0], ("bias",))
        self.compare_numbers()
        self.compare_crosses()
        table = sorted(weight.w for of, weight in self.model.weights.items()
                       if of[0] in ("key", "cross"))
        got = sorted(self.tensors["table.w"])
        demand(len(got) == len(table), "categories with a weight", len(got), len(table))
        demand(all(near(a, b) for a, b in zip(got, table)), "weights of categories", got, table)

    def run(self):
        for taken in line.merge(self.lanes):
            self.line.take(taken)
        self.compare_rows()
        self.compare_log()
        self.learn()
        if max((len(number.seen) for number in self.model.numbers), default=0) > SEEN_MAX:
            return "too many numbers for an exact sketch: model not compared"
        self.compare_scores()
        self.compare_model()
        return None


def single9(v):
    """As sim writes a float: nine digits tell it apart from all others."""
    return float(f"{v:.9g}")


def compare(sim, seed):
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([sim, "--write", directory, "--seed", str(seed)], check=True)
        comparison = Comparison(directory)
        if comparison.config["models"][0].get("expire") != "90d":
            return None, "categories expire: not compared"
        return comparison, comparison.run()


def compare_all(sim, seeds):
    worst, compared, items, bins, failed = {}, 0, 0, 0, 0
    for seed in seeds:
        try:
            comparison, left_out = compare(sim, seed)
        except Difference as difference:
            print(f"seed {seed}: {str(difference)[:2000]}")
            failed += 1
            continue
        if left_out:
            print(f"seed {seed}: {left_out}")
            continue
        compared += 1
        items += len(comparison.line.log)
        bins += sum(bool(number.edges) for number in comparison.model.numbers)
        for what, difference in comparison.worst.items():
            worst[what] = max(worst.get(what, 0.0), difference)
    print(f"{compared} inputs compared, {failed} differ; {items} items of the example log, {bins} "
          f"columns with bins; worst differences", *(f"{k} {v:.1e}" for k, v in worst.items()))
    return failed == 0 and compared >= len(seeds) // 2 and bins > 0


def main():
    parser = argparse.ArgumentParser(description="Compares the simulation with the oracle.")
    parser.add_argument("sim")
    parser.add_argument("--inputs", type=int, default=60, help="so many, from the first on")
    parser.add_argument("--also", default="948,332,2924,308,2680,3160",
                        help="seeds of further inputs; by default some that are large")
    args = parser.parse_args()
    also = [int(seed) for seed in args.also.split(",") if seed]
    sys.exit(not compare_all(args.sim, list(range(0, 4 * args.inputs, 4)) + also))


if __name__ == "__main__":
    main()
