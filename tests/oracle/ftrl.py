"""An independent oracle of the model kind `ftrl`, in plain Python.

Logistic regression by FTRL-Proximal (McMahan et al., "Ad Click Prediction: a View from the Trenches",
KDD 2013, algorithm 1) over: each number, standardised; the logarithm of its size, standardised; the
quantile bin that it falls into; crosses of coarser bins; categories, words and crosses of them. Written
from the paper and the headers of models/, not from the C code: all that the C code keeps up to date
is computed anew from the list of all examples here, so sketches are exact, which those of the model
are up to 700 numbers.

Numbers are doubles but for what is stored as a float: weights, and the scales that scoring reads.
"""

import math
import struct

CLIP = 32.0
BINS_FIRST = 256


def single(v):
    """Rounded to a 32-bit float."""
    return struct.unpack("f", struct.pack("f", v))[0]


class Weight:
    """One coordinate of algorithm 1."""
    __slots__ = ("z", "n", "w")

    def __init__(self):
        self.z = self.n = self.w = 0.0

    def settle(self, model, regularised=True):
        """Line "w" of the algorithm."""
        l1, l2 = (model.l1, model.l2) if regularised else (0.0, 0.0)
        if abs(self.z) <= l1:
            self.w = 0.0
        else:
            rest = self.z - math.copysign(l1, self.z)
            self.w = single(-rest / ((model.beta + math.sqrt(self.n)) / model.alpha + l2))

    def update(self, model, g, regularised=True):
        grown = self.n + g * g
        self.z += g - (math.sqrt(grown) - math.sqrt(self.n)) / model.alpha * self.w
        self.n = grown
        self.settle(model, regularised)


# ---- bins

def points_of(values):
    """[(value, how often)] by rising value."""
    counted = {}
    for v in values:
        counted[v] = counted.get(v, 0) + 1
    return sorted(counted.items())


def cut(points, heavy, target):
    """Edges behind points: heavy ones stand alone, the others gather up to the target."""
    edges, gathered = [], 0.0
    for (value, weight), (_, following) in zip(points, points[1:]):
        gathered += weight
        if gathered >= target or weight >= heavy or following >= heavy:
            edges.append(value)
            gathered = 0.0
    return edges


def make_edges(points, bins):
    """At most bins - 1 edges; a bin is what lies above one edge, up to the next and including it."""
    heavy = sum(weight for _, weight in points) / bins
    alone = sum(weight >= heavy for _, weight in points)
    target = sum(weight for _, weight in points if weight < heavy) / max(1, bins - alone)
    edges = cut(points, heavy, target)
    while len(edges) > bins - 1:
        heavy, target = heavy * 1.1, 1.1 * (target or 1)
        edges = cut(points, heavy, target)
    return edges


def bin_of(edges, v):
    """0: missing."""
    return 0 if v is None else 1 + sum(edge < v for edge in edges)


def overlap(points, old, new):
    """{(new bin, old bin): weight}; missing stays missing."""
    both = {(0, 0): 1.0}
    for value, weight in points:
        place = (bin_of(new, value), bin_of(old, value))
        both[place] = both.get(place, 0.0) + weight
    return both


def sums(both, side):
    result = {}
    for place, weight in both.items():
        result[place[side]] = result.get(place[side], 0.0) + weight
    return result


# ---- the model

class Number:
    """A column: what was seen of it, and its scales as of their last renewal."""

    def __init__(self, name):
        self.name, self.seen = name, []
        self.mean = self.scale = 0.0
        self.pivot = self.log_mean = self.log_scale = 0.0
        self.edges, self.coarse = [], []
        self.next_bins = BINS_FIRST

    def renew_scale(self):
        n = len(self.seen)
        if n == 0:
            self.mean = self.scale = 0.0
            return
        mean = math.fsum(self.seen) / n
        variance = math.fsum((v - mean) ** 2 for v in self.seen) / n if n > 1 else 0.0
        self.mean = single(mean)
        self.scale = single(1 / math.sqrt(variance)) if variance > 1e-60 else 0.0

    def logarithm(self, v):
        return math.copysign(math.log1p(min(self.pivot * abs(v), 1e30)), v)

    def renew_logs(self, points):
        self.pivot = single(16 * self.scale)
        weight = sum(w for _, w in points)
        logs = [(self.logarithm(v), w) for v, w in points]
        mean = math.fsum(v * w for v, w in logs) / weight
        variance = math.fsum((v - mean) ** 2 * w for v, w in logs) / weight
        self.log_mean = single(mean)
        self.log_scale = single(1 / math.sqrt(variance)) if variance > 1e-9 else 0.0

    def forms(self, v):
        """(linear, logarithmic)."""
        if v is None:
            return 0.0, 0.0

        def clip(x):
            return max(-CLIP, min(CLIP, x))
        return (clip((v - self.mean) * self.scale),
                clip((self.logarithm(v) - self.log_mean) * self.log_scale))

    def front(self):
        """What scoring reads."""
        copy = Number(self.name)
        copy.mean, copy.scale, copy.pivot = self.mean, self.scale, self.pivot
        copy.log_mean, copy.log_scale = self.log_mean, self.log_scale
        copy.edges, copy.coarse = list(self.edges), list(self.coarse)
        return copy


def logistic(logit):
    return 1 / (1 + math.exp(-max(-80.0, min(16.0, logit))))


class Model:
    """options: of the model in the configuration. columns: names of numbers; fields: of sparse ones."""

    def __init__(self, options, columns, fields):
        self.alpha, self.beta = float(options.get("alpha", 0.3)), float(options.get("beta", 1))
        self.l1, self.l2 = float(options.get("l1", 0)), float(options.get("l2", 3))
        self.bins, self.cross_bins = int(options["bins"]), int(options.get("cross_bins", 10))
        self.admit = int(options.get("admit", 3))
        self.numbers = [Number(name) for name in columns]
        self.at = {name: i for i, name in enumerate(columns)}
        self.fields = fields
        crosses = options.get("crosses", [])
        self.crosses = [c for c in crosses if not any(part in fields for part in c)]
        self.key_crosses = [c for c in crosses if any(part in fields for part in c)]
        self.weights = {}  # what it belongs to -> Weight
        self.met = {}  # key -> how often
        self.rows = self.scaled_at = 0

    # -- a row as the weights see it

    def keys(self, numbers, sparse):
        """[(key, value)] of categories and of crosses with them. sparse: [(field, text, weight)]."""
        result = [(("key", field, text), weight) for field, text, weight in sparse]
        for cross in self.key_crosses:
            partial = [((), 1.0)]
            for part in cross:
                if part in self.fields:
                    entries = [(text, weight) for field, text, weight in sparse if field == part]
                else:
                    number = self.numbers[self.at[part]]
                    entries = [(bin_of(number.coarse, numbers[self.at[part]]), 1.0)]
                partial = [(parts + (entry,), value * weight)
                           for parts, value in partial for entry, weight in entries]
            result += [(("cross", tuple(cross), parts), value) for parts, value in partial]
        return result

    def look(self, numbers, sparse):
        """[(what a weight belongs to, its input)]; keys apart, because not all have a weight."""
        dense = [(("bias",), 1.0)]
        for i, (number, v) in enumerate(zip(self.numbers, numbers)):
            linear, log = number.forms(v)
            dense += [(("linear", i), linear), (("log", i), log),
                      (("bin", i, bin_of(number.edges, v)), 1.0)]
        for cross in self.crosses:
            cell = tuple(bin_of(self.numbers[self.at[part]].coarse, numbers[self.at[part]])
                         for part in cross)
            dense.append((("cells", tuple(cross), cell), 1.0))
        return dense, self.keys(numbers, sparse)

    def logit(self, dense, keys):
        inputs = dense + keys
        return math.fsum(self.weights[of].w * x for of, x in inputs if of in self.weights)

    def score(self, numbers, sparse):
        return logistic(self.logit(*self.look(numbers, sparse)))

    def size(self, numbers, sparse):
        """The sum of what the logit is made of, without signs: what its rounding is relative to."""
        dense, keys = self.look(numbers, sparse)
        return math.fsum(abs(self.weights[of].w * x) for of, x in dense + keys
                         if of in self.weights)

    # -- learning

    def learn(self, numbers, sparse, label, weight):
        dense, keys = self.look(numbers, sparse)
        for key, _ in keys:
            self.met[key] = self.met.get(key, 0) + 1
            if self.met[key] >= self.admit:
                self.weights.setdefault(key, Weight())
        gradient = (logistic(self.logit(dense, keys)) - label) * weight
        for of, x in dense:
            self.weights.setdefault(of, Weight()).update(self, gradient * x, of != ("bias",))
        for key, x in keys:
            if key in self.weights:
                self.weights[key].update(self, gradient * x)
        self.observe(numbers)

    def observe(self, numbers):
        self.rows += 1
        for number, v in zip(self.numbers, numbers):
            if v is not None:
                number.seen.append(v)
        if self.rows - self.scaled_at > self.scaled_at // 64:
            self.scaled_at = self.rows
            for number in self.numbers:
                number.renew_scale()
        for i, v in enumerate(numbers):
            if v is not None and len(self.numbers[i].seen) >= self.numbers[i].next_bins:
                self.renew_bins(i)

    def renew_bins(self, i):
        number = self.numbers[i]
        number.next_bins = 2 * len(number.seen)
        points = points_of(number.seen)
        number.renew_logs(points)
        old, number.edges = number.edges, make_edges(points, self.bins)
        self.carry(("bin", i), lambda of: of[2], lambda of, cell: ("bin", i, cell),
                   overlap(points, old, number.edges))
        if not any(number.name in cross for cross in self.crosses + self.key_crosses):
            return
        old, number.coarse = number.coarse, make_edges(points, self.cross_bins)
        both = overlap(points, old, number.coarse)
        for cross in self.crosses:
            for axis, part in enumerate(cross):
                if part == number.name:
                    self.carry(("cells", tuple(cross)), lambda of: of[2][axis],
                               lambda of, cell: (*of[:2], (*of[2][:axis], cell, *of[2][axis + 1:])),
                               both)

    def carry(self, family, cell_of, moved, both):
        """Weights whose bin is another now: of a new bin it is the mean of the old ones' over the
        rows that it takes from them; squared gradients are handed on in proportion."""
        old = {of: weight for of, weight in self.weights.items() if of[:len(family)] == family}
        of_new, of_old = sums(both, 0), sums(both, 1)
        for of in old:
            del self.weights[of]
        means = {}
        for of, weight in old.items():
            for (new, cell), rows in both.items():
                if cell == cell_of(of):
                    w, n = means.get(moved(of, new), (0.0, 0.0))
                    means[moved(of, new)] = (w + weight.w * rows / of_new[new],
                                             n + weight.n * rows / of_old[cell])
        for of, (w, n) in means.items():
            weight = self.weights[of] = Weight()
            weight.n = n
            weight.z = -w * ((self.beta + math.sqrt(n)) / self.alpha + self.l2)
            if w != 0:
                weight.z -= math.copysign(self.l1, w)
            weight.settle(self)

    def front(self):
        """A copy that scores as this model does now."""
        copy = Model.__new__(Model)
        copy.__dict__.update(self.__dict__)
        copy.numbers = [number.front() for number in self.numbers]
        copy.weights = {}
        for of, weight in self.weights.items():
            copy.weights[of] = Weight()
            copy.weights[of].w = weight.w
        return copy
