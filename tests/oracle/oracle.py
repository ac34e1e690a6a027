#!/usr/bin/python3
"""An independent oracle of freshet's features, in plain Python.

    tests/oracle/oracle.py -c pipeline.yaml events.csv >expected.csv

Reads the events of one CSV file and the configuration that `freshet replay` reads, and writes what
`freshet replay --features` must write. It was written from the design, not from the C code, and it is
naive on purpose: every number is computed anew from the list of all events before, with nothing
kept up to date, so that it can be seen to be right. compare_features.py compares the two.

What it takes from the design ("Time and order"):

  * Events are taken in the order of the file; a late event takes its place in the windows of those
    after it, not of those before. One that is later than `lateness` is scored, not observed.
  * A window at time t holds the observed events of the entity in (t - w, t], the event itself
    included, or with a delay d in (t - d - w, t - d].
  * A label is known `labels.delay` after its event, before any event of the same instant. Label
    windows have at least that delay; who has no label by then counts as `absent.is`.
  * An event with an id that was seen before observes nothing and changes nothing.
"""

import argparse
import collections
import csv
import datetime
import math
import re
import subprocess
import sys
import zoneinfo

import yaml

import outlier_oracle
import stl_oracle

NAN = math.nan
SECOND = 1_000_000  # all times are whole microseconds since 1970 UTC
DURATION_UNITS = {"us": 1, "ms": 1000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND,
                  "d": 86400 * SECOND, "w": 7 * 86400 * SECOND}

# values: field name -> float (number) or text (anything else), None where missing. scored: of a stream
# that is scored; only these have labels.
Event = collections.namedtuple("Event", "order id time values label scored", defaults=[True])


# ---- reading

def duration(text):
    """Microseconds of "7d" or "1h30m"."""
    parts = re.findall(r"(\d+)(us|ms|s|m|h|d|w)", str(text))
    if "".join(number + unit for number, unit in parts) != str(text):
        sys.exit(f"not a duration: {text!r}")
    return sum(int(number) * DURATION_UNITS[unit] for number, unit in parts)


def as_list(value):
    return value if isinstance(value, list) else [value]


def microseconds(moment):
    """Of an aware datetime, exactly."""
    return (moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) \
        // datetime.timedelta(microseconds=1)


def parse_time(text, how, zone):
    if how in ("epoch_s", "epoch_ms", "epoch_us"):
        unit = {"epoch_s": SECOND, "epoch_ms": 1000, "epoch_us": 1}[how]
        whole, _, fraction = text.partition(".")
        return int(whole) * unit + (int(fraction) * unit // 10 ** len(fraction) if fraction else 0)
    if how == "rfc3339":
        moment = datetime.datetime.fromisoformat(text)
    else:
        moment = datetime.datetime.strptime(text, how)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return microseconds(moment)


def field_type(declaration):
    """"number", "entity", "category" or "text" of `F: number` or `F: {entity: KIND}`."""
    return declaration if isinstance(declaration, str) else next(iter(declaration))


def read_value(text, declaration):
    if text == "":
        return None
    return float(text) if field_type(declaration) == "number" else text


def read_events(path, stream, labels):
    """All rows of the file as events, in its order."""
    if path.endswith(".zst"):
        file = subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE, text=True).stdout
    else:
        file = open(path, newline="")
    time = stream["time"]
    zone = zoneinfo.ZoneInfo(time.get("zone", "UTC"))
    for order, row in enumerate(csv.DictReader(file)):
        values = {name: read_value(row[name], declaration)
                  for name, declaration in stream["fields"].items()}
        label = row.get(labels["value"], "") if labels else ""
        yield Event(order, row[stream["id"]] if "id" in stream else str(order),
                    parse_time(row[time["field"]], time["format"], zone), values,
                    float(label) if label != "" else None)


# ---- what is known when an event is scored

class Past:
    """The observed events, and the greatest time of all events so far, this one included."""

    def __init__(self, labels, lateness=0):
        self.lateness = lateness
        self.buckets = {}
        self.forests = {}  # of an item, and of an entity
        self.row = {}  # of the event that is being scored: column -> number
        self.observed = collections.defaultdict(list)  # (fields, their values) -> events
        self.now = -math.inf
        self.label_delay = duration(labels["delay"]) if labels else 0
        self.absent = float((labels or {}).get("absent", {}).get("is", 0))

    def of(self, event, by):
        """Observed events of the same entity, or pair; None if the event has none."""
        key = tuple(event.values[name] for name in by)
        return None if None in key else self.observed[(tuple(by), key)]

    def observe(self, event, keys):
        for by in keys:
            entries = self.of(event, by)
            if entries is not None:
                entries.append(event)

    def label(self, event):
        known = event.label is not None and event.time + self.label_delay <= self.now
        return event.label if known else self.absent


# ---- features: each kind gives its column names, and their values for one event

def value_names(item):
    return [item.get("as", item["value"])]


def value_compute(item, event, past):
    value = event.values[item["value"]]
    return [NAN if value is None else value]


def calendar_names(item):
    return [item.get("as", item["calendar"])]


def calendar_compute(item, event, past):
    moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) \
        + datetime.timedelta(microseconds=event.time)
    local = moment.astimezone(zoneinfo.ZoneInfo(item.get("zone", "UTC")))
    what = item["calendar"]
    if what == "holiday":
        return [float(local.date().isoformat() in {str(day) for day in item["dates"]})]
    value = {"hour": local.hour, "weekday": local.weekday(), "weekend": local.weekday() >= 5,
             "night": local.hour <= 6}[what]
    if "between" in item:
        first, last = item["between"]
        value = first <= value <= last if first <= last else value >= first or value <= last
    return [float(value)]


def window_names(item):
    stem = f"{item['window']}.by." + "+".join(as_list(item["by"]))
    names = [f"{stem}.{over}.{take}" for over in as_list(item["over"])
             for take in spans_takes(item, over)]
    return names + [f"{stem}.since"] * ("since" in as_list(item["take"]))


def longest_over(item):
    return max(duration(over) for over in as_list(item["over"]))


def spans_takes(item, over):
    """What is taken of a span; the time since the entry before has no span and comes last, and a
    velocity compares with the longest, which has none."""
    return [take for take in as_list(item["take"])
            if take != "since" and not (take.startswith("velocity")
                                        and duration(over) == longest_over(item))]


def delay_of(item, past):
    if "delay" in item:
        return duration(item["delay"])
    return past.label_delay if item["window"] == "label" else 0


def window_entries(item, over, event, past):
    """Events that the window over `over` holds when `event` is scored; itself where it belongs."""
    delay = delay_of(item, past)
    last = event.time - delay
    first = last - over  # exclusive
    if item.get("kind") == "tumbling":
        first = last // over * over - 1
    entries = [e for e in past.of(event, as_list(item["by"]))
               if first < e.time <= last and enters(item, e)]
    if delay == 0 and enters(item, event):
        entries.append(event)
    return entries


def enters(item, event):
    """Has this event a value for the window, and does the rule let it in?"""
    field = item["window"]
    if field == "label":
        return event.scored
    return field == "events" or event.values[field] is not None


def window_compute(item, event, past):
    if past.of(event, as_list(item["by"])) is None:
        return [NAN for _ in window_names(item)]
    result = []
    for over in as_list(item["over"]):
        entries = window_entries(item, duration(over), event, past)
        numbers = numbers_of(item, entries, past)
        for take in spans_takes(item, over):
            if take in GAPS:
                result.append(GAPS[take](gaps_of(entries)))
            elif take.startswith("velocity"):
                longest = longest_over(item)
                base = numbers_of(item, window_entries(item, longest, event, past), past)
                result.append(velocity(numbers, base, longest / duration(over), take))
            else:
                result.append(TAKES[take](numbers, item, event, past))
    if "since" in as_list(item["take"]):
        result.append(since(item, event, past))
    return result


def numbers_of(item, entries, past):
    if item["window"] == "label":
        numbers = [past.label(e) for e in entries]
        return [number for number in numbers if not math.isnan(number)]
    if item["window"] == "events":
        return [1.0 for e in entries]
    return [e.values[item["window"]] for e in entries]


def gaps_of(entries):
    """Seconds between neighbours."""
    times = sorted(e.time for e in entries)
    return [(after - before) / SECOND for before, after in zip(times, times[1:])]


def burst(gaps):
    if len(gaps) < 2 or std(gaps) + mean(gaps) == 0:
        return NAN
    return (std(gaps) - mean(gaps)) / (std(gaps) + mean(gaps))


GAPS = {"gap": lambda gaps: mean(gaps) if gaps else NAN, "burst": burst}


def velocity(numbers, base, scale, take):
    """How fast in a window, to how fast in the longest."""
    of = (lambda x: float(len(x))) if take == "velocity" else math.fsum
    return of(numbers) / of(base) * scale if of(base) != 0 else NAN


def mean(numbers):
    return math.fsum(numbers) / len(numbers) if numbers else 0.0


def std(numbers):
    """Of these numbers, not an estimate for a larger set."""
    middle = mean(numbers)
    return math.sqrt(mean([(x - middle) ** 2 for x in numbers])) if numbers else NAN


def since(item, event, past):
    """Seconds since the entity's event before this one."""
    delay = delay_of(item, past)
    before = [e.time for e in past.of(event, as_list(item["by"]))
              if e.time <= event.time - delay and enters(item, e)]
    return (event.time - max(before)) / SECOND if before else NAN


def ratio(numbers, event, field):
    own = event.values[field]
    middle = mean(numbers)
    return own / middle if own is not None and middle != 0 else NAN


TAKES = {
    "count": lambda numbers, *_: float(len(numbers)),
    "sum": lambda numbers, *_: math.fsum(numbers),
    "mean": lambda numbers, *_: mean(numbers),
    "min": lambda numbers, *_: min(numbers, default=NAN),
    "max": lambda numbers, *_: max(numbers, default=NAN),
    "std": lambda numbers, *_: std(numbers),
    "distinct": lambda numbers, *_: float(len(set(numbers))),
    "ratio": lambda numbers, item, event, past: ratio(numbers, event, item["window"]),
}

def stl_names(item):
    stem = item.get("as") or f"{item['stl']}.by." + "+".join(as_list(item["by"])) \
        + f".stl.{item['bucket']}.{item.get('fold', 'sum')}"
    return [f"{stem}.{take}" for take in stl_takes(item)]


def stl_takes(item):
    return [take for take in stl_oracle.TAKES if take in as_list(item.get("take", stl_oracle.TAKES))]


def stl_number(item, event):
    """What the event adds to its bucket; None: nothing."""
    return 0.0 if item["stl"] == "events" else event.values[item["stl"]]


def stl_compute(item, event, past):
    entries = past.of(event, as_list(item["by"]))
    if entries is None:
        return [NAN for _ in stl_names(item)]
    width, fold = duration(item["bucket"]), item.get("fold", "sum")
    period = duration(item["period"]) // width
    zeros = item.get("empty", "gap" if fold == "mean" else "zero") == "zero"
    # Entries are only ever added: what was made of those before is gone on from.
    key = (id(item), id(entries))
    if key not in past.buckets:
        past.buckets[key] = stl_oracle.Buckets(width, past.lateness, fold, zeros,
                                               min(max(4 * period, 64), 4096))
    buckets = past.buckets[key]
    for entry in entries[buckets.seen:]:
        if stl_number(item, entry) is not None:
            buckets.add(entry.time, stl_number(item, entry))
    buckets.seen = len(entries)
    columns = buckets.read(event.time, stl_number(item, event), period,
                           item.get("init", 4) * period)
    return [columns[stl_oracle.TAKES.index(take)] for take in stl_takes(item)]


CYCLE_WORDS = {"hour": 24, "weekday": 7, "month": 12}


def cycle_names(item):
    stem = item.get("as", f"cycle.{item['cycle']}")
    return [f"{stem}.{name}{k if k > 1 else ''}" for k in range(1, item.get("terms", 1) + 1)
            for name in ("sin", "cos")]


def cycle_compute(item, event, past):
    """The Fourier terms of the share of the period that has passed."""
    moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) \
        + datetime.timedelta(microseconds=event.time)
    local = moment.astimezone(zoneinfo.ZoneInfo(item.get("zone", "UTC")))
    what = item["cycle"]
    if what in CYCLE_WORDS:
        step = {"hour": local.hour, "weekday": local.weekday(), "month": local.month - 1}[what]
        share = step / CYCLE_WORDS[what]
    else:
        wall = microseconds(local.replace(tzinfo=datetime.timezone.utc))
        share = wall % duration(what) / duration(what)
    return [of(2 * math.pi * (k * share % 1)) for k in range(1, item.get("terms", 1) + 1)
            for of in (math.sin, math.cos)]


# Sketches are compared where they are exact: small, or of few values.

def fading_stem(item, kind, behind=""):
    return item.get("as") or f"{item[kind]}.by." + "+".join(as_list(item["by"])) + f".{kind}{behind}"


SKETCH_ORDER = [("distinct",), ("p", "rank"), ("top", "share"), ("times",)]


def sketch_takes(item):
    """Sketch by sketch, as the columns come."""
    def is_of(take, names):
        return take in names or "p" in names and take[0] == "p"
    return [take for names in SKETCH_ORDER for take in as_list(item["take"]) if is_of(take, names)]


def sketch_names(item):
    stem = fading_stem(item, "sketch", f".{item['over']}")
    return [f"{stem}.{take}" for take in sketch_takes(item)]


def pane_values(item, event, past):
    """What the panes hold of the field, the event's own value last."""
    panes, field = item.get("panes", 8), item["sketch"]
    width = duration(item["over"]) // panes
    newest, held = -math.inf, []
    for entry in past.of(event, as_list(item["by"])):
        pane = entry.time // width
        if entry.values[field] is not None and pane > newest - panes:
            newest = max(newest, pane)
            held.append((pane, entry.values[field]))
    at = event.time // width
    newest = max(newest, at)
    values = [value for pane, value in held if max(at, newest) - panes < pane <= at]
    return values + [event.values[field]] * (event.values[field] is not None)


def sketch_take(take, values, own):
    if take == "distinct":
        return float(len(set(values)))
    if take in ("top", "share", "times", "rank") and not values or \
            take in ("share", "times", "rank") and own is None:
        return NAN
    if take == "top":
        return max(values.count(value) for value in set(values)) / len(values)
    if take == "share":
        return values.count(own) / len(values)
    if take == "times":
        return float(values.count(own))
    values = sorted(stl_oracle.as_float(value) for value in values)
    if take == "rank":
        return sum(value <= stl_oracle.as_float(own) for value in values) / len(values)
    wanted = float(take[1:]) / 100 * len(values)
    return next((value for n, value in enumerate(values, 1) if n >= wanted), NAN)


def sketch_compute(item, event, past):
    if past.of(event, as_list(item["by"])) is None:
        return [NAN for _ in sketch_takes(item)]
    values = pane_values(item, event, past)
    return [sketch_take(take, values, event.values[item["sketch"]]) for take in sketch_takes(item)]


def decay_names(item):
    return [f"{fading_stem(item, 'decay')}.{half_life}.{take}"
            for half_life in as_list(item["half_life"]) for take in as_list(item["take"])]


def decay_compute(item, event, past):
    """Weights are those at the entity's newest event, if that is later than this one; below e^-690 (995
    half-lives) they are 0."""
    entries = past.of(event, as_list(item["by"]))
    if entries is None:
        return [NAN for _ in decay_names(item)]
    field = item["decay"]
    known = [e for e in entries + [event] if field == "events" or e.values[field] is not None]
    now = max([event.time] + [e.time for e in known])
    result = []
    for half_life in as_list(item["half_life"]):
        ages = [(now - e.time) / duration(half_life) for e in known]
        weights = [0.0 if age * math.log(2) > 690 else 2.0 ** -age for age in ages]
        count = math.fsum(weights)
        total = math.fsum(w * e.values[field] for w, e in zip(weights, known)) \
            if field != "events" else 0.0
        by_take = {"count": count, "sum": total, "mean": total / count if count > 0 else 0.0}
        result += [by_take[take] for take in as_list(item["take"])]
    return result


def outlier_names(item):
    by = as_list(item.get("by", []))
    return [item.get("as") or "outlier" + (".by." + "+".join(by) if by else "")]


def outlier_forest(item, event, past):
    """None: it is nobody's."""
    by = as_list(item.get("by", []))
    entity = tuple(event.values[name] for name in by)
    if None in entity:
        return None
    trees, depth, events = (10, 4, 32) if by else (20, 6, 64)
    key = (id(item), entity)
    if key not in past.forests:
        past.forests[key] = outlier_oracle.Forest(
            len(as_list(item["outlier"])), item.get("trees") or trees, item.get("depth") or depth,
            item.get("events") or events, item.get("seed", 0))
    return past.forests[key]


def outlier_row(item, past):
    """The columns as models see them; None: all are missing."""
    row = [outlier_oracle.single(past.row[name]) for name in as_list(item["outlier"])]
    return None if all(math.isnan(x) for x in row) else row


def outlier_compute(item, event, past):
    forest, row = outlier_forest(item, event, past), outlier_row(item, past)
    return [NAN if forest is None or row is None else forest.score(row)]


def outlier_observe(item, event, past):
    forest, row = outlier_forest(item, event, past), outlier_row(item, past)
    if forest is not None and row is not None:
        forest.add(row)


def no_numbers(item, *_):
    """Categories and texts are hashed: they give no column of numbers."""
    return []


KINDS = {"value": (value_names, value_compute), "calendar": (calendar_names, calendar_compute),
         "cycle": (cycle_names, cycle_compute),
         "sketch": (sketch_names, sketch_compute), "decay": (decay_names, decay_compute),
         "window": (window_names, window_compute), "stl": (stl_names, stl_compute),
         "outlier": (outlier_names, outlier_compute), "category": (no_numbers, no_numbers),
         "text": (no_numbers, no_numbers)}


def kind_of(item):
    return next(KINDS[key] for key in KINDS if key in item)


# ---- the whole

def entity_keys(features):
    """The entities, or pairs of them, that some window or bucket is by."""
    return {tuple(as_list(item["by"])) for item in features
            if any(kind in item for kind in ("window", "stl", "sketch", "decay"))}


def vector(features, event, past):
    """What the event's columns hold. An item may look at those of the items above it."""
    past.row = {}
    for item in features:
        names, compute_item = kind_of(item)
        past.row.update(zip(names(item), compute_item(item, event, past)))
    return list(past.row.values())


def observe(features, keys, event, past):
    """Of an event that is scored, after vector()."""
    past.observe(event, keys)
    for item in features:
        if "outlier" in item and event.scored:
            outlier_observe(item, event, past)


def compute(config, path):
    """Yields the header, then a row of texts and numbers for each event."""
    stream, labels = config["streams"][0], config.get("labels")
    features = config["features"]
    keys = entity_keys(features)
    lateness = duration(config.get("time", {}).get("lateness", "1h"))
    past = Past(labels, lateness)
    seen = set()
    yield ["id"] + [name for item in features for name in kind_of(item)[0](item)]
    for event in read_events(path, stream, labels):
        if event.id in seen:
            continue
        seen.add(event.id)
        too_late = event.time < past.now - lateness
        past.now = max(past.now, event.time)
        if too_late:
            continue  # scored on what its windows still hold: nothing is promised of it
        yield [event.id] + vector(features, event, past)
        observe(features, keys, event, past)


def main():
    parser = argparse.ArgumentParser(description="Features of a CSV file, computed naively.")
    parser.add_argument("-c", dest="config", required=True, help="the pipeline's YAML file")
    parser.add_argument("events", help="CSV, or CSV.zst")
    args = parser.parse_args()
    with open(args.config) as file:
        config = yaml.safe_load(file)
    out = csv.writer(sys.stdout, lineterminator="\n")
    for row in compute(config, args.events):
        out.writerow([f"{value:.17g}" if isinstance(value, float) else value for value in row])


if __name__ == "__main__":
    main()
