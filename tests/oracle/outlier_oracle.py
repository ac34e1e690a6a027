"""Half-space trees in plain Python, for oracle.py: a forest keeps all of its rows, and what stands at a
node is listed, not counted.

Written from models/half_space.h's description (Tan, Ting, Liu 2011), with the random numbers of
base/rng.h (xoshiro256++, seeded through splitmix64), because other trees give other scores.
"""

import functools
import math
import struct

NAN = math.nan
FULL = (1 << 64) - 1
FLOAT_MAX = 3.4028234663852886e38


def single(x):
    """Rounded to a float; what is infinite is as large as can be."""
    if abs(x) > FLOAT_MAX:
        return math.copysign(FLOAT_MAX, x)
    return struct.unpack("f", struct.pack("f", x))[0]


class Random:
    def __init__(self, seed, part):
        self.seed = seed
        self.seed = self.split() ^ part
        self.state = [self.split() for _ in range(4)]

    def split(self):
        self.seed = self.seed + 0x9e3779b97f4a7c15 & FULL
        z = self.seed
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & FULL
        z = (z ^ z >> 27) * 0x94d049bb133111eb & FULL
        return z ^ z >> 31

    def next(self):
        def rotated(v, by):
            return (v << by | v >> 64 - by) & FULL
        s = self.state
        result = rotated(s[0] + s[3] & FULL, 23) + s[0] & FULL
        t = s[1] << 17 & FULL
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotated(s[3], 45)
        return result

    def uniform(self):
        return (self.next() >> 11) / 2 ** 53

    def below(self, n):
        while True:
            product = self.next() * n
            if product & FULL >= (1 << 64) % n:
                return product >> 64


@functools.lru_cache(None)
def questions(n_columns, depth, seed, tree):
    """[(column, threshold, does what is missing go left)] of a tree, level by level."""
    random = Random(seed, tree << 32 | 0xffffffff)
    boxes, result = [{}], []
    for at in range(2 ** depth - 1):
        column, missing_left = random.below(n_columns), random.below(2) == 1
        if column in boxes[at]:
            low, high = boxes[at][column]
        else:
            centre = Random(seed, tree << 32 | column).uniform()
            reach = 2 * max(centre, 1 - centre)
            low, high = centre - reach, centre + reach
        middle = low + (high - low) / 2
        result.append((column, single(middle), missing_left))
        boxes += [boxes[at] | {column: (low, middle)}, boxes[at] | {column: (middle, high)}]
    return result


def goes_left(question, row):
    column, threshold, missing_left = question
    return missing_left if math.isnan(row[column]) else row[column] < threshold


def in_unit(limits, x):
    if limits is None or math.isnan(x):
        return NAN
    low, high = limits
    if low == high:
        return 0.5 if x == low else math.copysign(4, x - low)
    return single(min(max((x - low) / (high - low), -4), 4))


def next_limits(limits, numbers):
    """A column's range in the window after that of the numbers."""
    numbers = [x for x in numbers if abs(x) < 3.4028234e38]
    if not numbers:
        return limits
    if limits is None:
        return min(numbers), max(numbers)
    low, high = limits
    if high > low:
        numbers = [min(max(x, low - (high - low)), high + (high - low)) for x in numbers]
    return (min(min(numbers), low + (min(numbers) - low) / 32),
            max(max(numbers), high + (max(numbers) - high) / 32))


class Forest:
    def __init__(self, n_columns, trees, depth, window, seed):
        self.trees = [questions(n_columns, depth, seed, tree) for tree in range(trees)]
        self.depth, self.window = depth, window
        self.rows = []
        self.limits = [[None] * n_columns]  # of each window
        self.standing = {}  # (tree, node) -> the reference's rows there

    def add(self, row):
        self.rows.append(row)
        if len(self.rows) % self.window > 0:
            return
        latest = self.rows[-self.window:]
        self.limits.append([next_limits(limits, [row[i] for row in latest])
                            for i, limits in enumerate(self.limits[-1])])
        by = self.limits[-2]
        units = [[in_unit(limits, x) for limits, x in zip(by, row)] for row in latest]
        self.standing = {(tree, 0): units for tree in range(len(self.trees))}

    def rows_at(self, tree, at, left):
        child = 2 * at + (1 if left else 2)
        if (tree, child) not in self.standing:
            question = self.trees[tree][at]
            self.standing[tree, child] = [row for row in self.standing[tree, at]
                                          if goes_left(question, row) == left]
        return child, self.standing[tree, child]

    def score(self, row):
        if len(self.rows) < 2 * self.window:
            return NAN
        unit = [in_unit(limits, x) for limits, x in zip(self.limits[-2], row)]
        total = 0
        for tree, asked in enumerate(self.trees):
            at, depth, rows = 0, 0, self.standing[tree, 0]
            while depth < self.depth and 10 * len(rows) > self.window:
                at, rows = self.rows_at(tree, at, goes_left(asked[at], unit))
                depth += 1
            total += len(rows) * 2 ** depth
        return 1 / (1 + total / (len(self.trees) * self.window))
