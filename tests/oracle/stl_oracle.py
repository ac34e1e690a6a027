"""An oracle of streaming STL and of {stl: ...}, in plain Python; used by oracle.py.

Written from the description in features/stl_online.h and the paper's method, naively: an entity's buckets
are summed anew from all its events each time, the batch STL is computed sample by sample, and the trend's
system is set up and eliminated as it stands in the objective. Where a number is kept as a float, it is
rounded to one here.
"""

import collections
import math
import struct

NAN = math.nan
PASSES, RECENT, RUN_MAX, JUMP_RUN, SHIFT_STRANGE, SHIFT_WINDOW, SPAN = 3, 16, 8, 3, 4, 6, 64
RATE, LEVEL_PENALTY, SLOPE_PENALTY, SIGMAS, SHIFT_MAX = 0.3, 1.0, 5.0, 3.0, 20


def as_float(value):
    return struct.unpack("f", struct.pack("f", value))[0]


# ---- batch STL of a periodic season, with gaps and robustness weights

def tricube(distance, reach):
    if distance > .999 * reach:
        return 0.0
    return 1.0 if distance <= .001 * reach else (1 - (distance / reach) ** 3) ** 3


def fit(values, weights, first, count, at, span):
    """The line around `at` by weighted least squares, there; None where nothing has a weight."""
    n = len(values)
    reach = max(at - first, first + count - 1 - at) + (max(span - n, 0) // 2)
    w = {i: tricube(abs(i - at), reach) * weights[i] for i in range(first, first + count)}
    total = sum(w.values())
    if total <= 0:
        return None
    middle = sum(w[i] * (i - at) for i in w) / total
    spread = sum(w[i] * (i - at) ** 2 for i in w) / total - middle ** 2
    known = [i for i in w if w[i] > 0]
    mean = sum(w[i] * values[i] for i in known) / total
    if math.sqrt(max(spread, 0)) <= .001 * (n - 1):
        return mean
    slope = sum(w[i] * (i - at - middle) * values[i] for i in known) / total / spread
    return mean - slope * middle


def loess(values, weights, span, jump):
    """Fitted at each jump-th sample and the last; lines between."""
    n = len(values)
    jump = min(jump, n - 1)
    hits = list(range(0, n, jump))
    fitted = {}
    for at in hits + [n - 1]:
        around = at if at in hits else hits[-1]
        count = min(span, n)
        first = 0 if span >= n else min(max(around - span // 2, 0), n - span)
        value = fit(values, weights, first, count, at, span)
        value = values[at] if value is None else value
        if not math.isnan(value):
            fitted[at] = value
    return [between(fitted, i) for i in range(n)]


def between(fitted, i):
    before = max((at for at in fitted if at <= i), default=None)
    after = min((at for at in fitted if at >= i), default=None)
    if before is None or after is None:
        return fitted[after if before is None else before]
    if before == after:
        return fitted[before]
    return fitted[before] + (fitted[after] - fitted[before]) * (i - before) / (after - before)


def moving_mean(values, width):
    return [math.fsum(values[i:i + width]) / width for i in range(len(values) - width + 1)]


def phase_means(left, weights, period):
    result = []
    for phase in range(period):
        at = [i for i in range(phase, len(left), period) if not math.isnan(left[i])]
        total = sum(weights[i] for i in at)
        result.append(sum(weights[i] * left[i] for i in at) / total if total > 0
                      else sum(left[i] for i in at) / len(at))
    return result


def robust_weights(rest):
    distances = sorted(abs(r) for r in rest if not math.isnan(r))
    n = len(distances)
    six = max(3 * (distances[n // 2] + distances[n - n // 2 - 1]), 1e-14)
    return [0.0 if math.isnan(r) or abs(r) > .999 * six else
            1.0 if abs(r) <= .001 * six else (1 - (r / six) ** 2) ** 2 for r in rest]


def batch(values, period):
    """(trend, seasonal, remainder); None if a phase is never known."""
    n = len(values)
    if any(all(math.isnan(v) for v in values[p::period]) for p in range(period)):
        return None
    known = [v for v in values if not math.isnan(v)]
    centre = min(known) / 2 + max(known) / 2
    factor = 2.0 ** max(math.frexp(max(max(known) - centre, centre - min(known)))[1], -1000)
    y = [(v - centre) / factor for v in values]
    weights = [0.0 if math.isnan(v) else 1.0 for v in values]
    trend_span = math.ceil(1.5 * period / (1 - 1.5 / 7)) | 1
    low_span = (period + 1) | 1
    trend = [0.0] * n
    for robust in range(3):
        for _ in range(2):
            means = phase_means([a - b for a, b in zip(y, trend)], weights, period)
            cycle = [means[i % period] for i in range(n + 2 * period)]
            low = moving_mean(moving_mean(moving_mean(cycle, period), period), 3)
            low = loess(low, [1.0] * n, low_span, low_span // 10 + 1)
            seasonal = [means[i % period] - low[i] for i in range(n)]
            trend = loess([a - b for a, b in zip(y, seasonal)], weights, trend_span,
                          trend_span // 10 + 1)
        if robust < 2:
            weights = robust_weights([a - (b + c) for a, b, c in zip(y, trend, seasonal)])
    trend = [t * factor + centre for t in trend]
    seasonal = [s * factor for s in seasonal]
    return trend, seasonal, [v - t - s for v, t, s in zip(values, trend, seasonal)]


# ---- point by point

Pass = collections.namedtuple("Pass", "before last bb bl ll")
State = collections.namedtuple(
    "State", "live collected unit season phase shift slope scale rest power floor passes recent "
    "strange run trend remainder score")
NEW = State(False, (), 1.0, (), 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, (), (), (), 0, NAN, NAN, NAN)


def solve(matrix, right):
    """Gaussian elimination."""
    rows = [list(row) + [r] for row, r in zip(matrix, right)]
    n = len(rows)
    for i in range(n):
        for j in range(i + 1, n):
            ratio = rows[j][i] / rows[i][i]
            rows[j] = [b - ratio * a for a, b in zip(rows[i], rows[j])]
    result = [0.0] * n
    for i in reversed(range(n)):
        result[i] = (rows[i][n] - sum(rows[i][k] * result[k] for k in range(i + 1, n))) / rows[i][i]
    return result


def pass_after(was, slope, left, weight, level_penalty, slope_penalty):
    """Least of was(a, b) + weight (left - c)^2 + level (c - b - slope)^2 + slope (c - 2b + a)^2."""
    start = [was.before, was.last, was.last + slope]
    matrix = [[was.bb, was.bl, 0.0], [was.bl, was.ll, 0.0], [0.0, 0.0, 0.0]]
    down = [0.0, 0.0, 0.0]
    for row, target, factor in (([0, 0, 1], left, weight), ([0, -1, 1], slope, level_penalty),
                                ([1, -2, 1], 0.0, slope_penalty)):
        off = target - sum(r * s for r, s in zip(row, start))
        off = 0.0 if factor == level_penalty and row == [0, -1, 1] else off
        for i in range(3):
            down[i] += factor * row[i] * off
            for j in range(3):
                matrix[i][j] += factor * row[i] * row[j]
    moved = solve(matrix, down)
    a = matrix[0]
    rest = [[matrix[i][j] - matrix[i][0] * a[j] / a[0] for j in (1, 2)] for i in (1, 2)]
    return Pass(start[1] + moved[1], start[2] + moved[2],
                as_float(rest[0][0]), as_float(rest[0][1]), as_float(rest[1][1]))


def trend_after(passes, slope, scale, left, weight):
    level, bend = LEVEL_PENALTY, SLOPE_PENALTY
    result = []
    for was in passes:
        now = pass_after(was, slope, left, weight, level, bend)
        level = LEVEL_PENALTY * scale / max(abs(now.last - now.before - slope), 1e-3 * scale)
        bend = SLOPE_PENALTY * scale / max(abs(now.last - 2 * now.before + was.before), 1e-3 * scale)
        result.append(now)
    return tuple(result)


def restarted(level, points):
    return (Pass(level, level, 0.0, 0.0, as_float(points)),) * PASSES


def begun(collected, period):
    """The state after the batch STL, or one that has let the oldest period go."""
    most = max((abs(v) for v in collected if not math.isnan(v)), default=0.0)
    unit = 2.0 ** max(-1000, min(1000, math.frexp(most)[1])) if most > 0 else 1.0
    values = [v / unit for v in collected]
    known = sum(not math.isnan(v) for v in values)
    parts = batch(values, period) if 4 * known >= 3 * len(values) else None
    if parts is None:
        return NEW._replace(collected=tuple(collected[period:]))
    trend, seasonal, rest = parts
    n, first = len(values), len(values) - period
    known = [v for v in values if not math.isnan(v)]
    middle = sum(known) / len(known)
    floor = 1e-3 * math.sqrt(sum((v - middle) ** 2 for v in known) / len(known)) + 1e-9
    left = [r for r in rest if not math.isnan(r)]
    scale = max(math.sqrt(sum(r * r for r in left) / len(left)), floor)
    quiet = max(scale * (1 - RATE), floor)
    power = sum(s * s for s in seasonal) / n + quiet * quiet
    slope = (trend[-1] - trend[first]) / (period - 1)
    passes = restarted(trend[first], 1)
    for i in range(first, n):
        gap = math.isnan(values[i])
        passes = trend_after(passes, slope, scale, 0.0 if gap else values[i] - seasonal[i], 1 - gap)
    season = [0.0] * period
    for i in range(first, n):
        season[i % period] = seasonal[i]
    return NEW._replace(live=True, unit=unit, season=tuple(season), phase=n % period, slope=slope,
                        scale=scale, rest=quiet, power=power, floor=floor, passes=passes)


def mean_distance(values, middle):
    return sum(abs(v - middle) for v in values) / len(values)


def explained(state, period):
    """The state once its last points are a shift or a jump; None if they are neither."""
    window = next((i + 1 for i in reversed(range(RECENT)) if state.strange[i]), 0)

    def left(n, move):
        return [v - state.season[(state.phase + state.shift + move - (n - 1) + i) % period]
                for i, v in enumerate(state.recent[-n:])]

    if window >= SHIFT_WINDOW and sum(state.strange) >= SHIFT_STRANGE:
        values = left(window, 0)
        best, move, level = mean_distance(values, sum(values) / window) / 2, 0, 0.0
        for far in range(1, min(SHIFT_MAX, period // 3) + 1):
            for by in (far, period - far):
                values = left(window, by)
                middle = sum(values) / window
                if mean_distance(values, middle) < best:
                    best, move, level = mean_distance(values, middle), by, middle
        if move and best <= state.scale:
            return state._replace(shift=(state.shift + move) % period, run=0,
                                  strange=(False,) * RECENT, passes=restarted(level, window))
    n = min(state.run, RUN_MAX)
    if n >= JUMP_RUN:
        values = left(n, 0)
        level = sorted(values)[n // 2]
        jump, nothing = mean_distance(values, level), mean_distance(values, state.passes[-1].last)
        if jump < nothing / 2 and jump < 2 * state.scale:
            return state._replace(run=0, passes=restarted(level, n))
    return None


def scale_after(scale, by, most, least):
    distance = min(abs(by), most)
    return max(math.sqrt(scale * scale + (distance * distance - scale * scale) / SPAN), least)


def after_point(state, y, period):
    """A known value, in units."""
    error = y - forecast_units(state, period)
    far = abs(error) / (SIGMAS * state.scale)
    strange = ((far > 1,) + (state.strange or (False,) * RECENT))[:RECENT]
    state = state._replace(strange=strange, recent=(state.recent + (as_float(y),))[-RECENT:],
                           run=min(state.run + 1, 255) if far > 1 else 0)
    weight = 1.0
    if far > 1:
        better = explained(state, period)
        if better:
            state = better
        elif state.run <= RUN_MAX:
            weight = 1 / (far * far)
    place = (state.phase + state.shift) % period
    season = list(state.season)
    passes = trend_after(state.passes, state.slope, state.scale, y - season[place], weight)
    trend = passes[-1].last
    season[place] += RATE * weight * (y - trend - season[place])
    rest = y - trend - season[place]
    doublings = 2.0 ** min(max(state.run - 1, 0), 30 if state.run > 30 else 255)
    most = SIGMAS * state.rest * doublings
    counted = max(-most, min(most, rest))
    power = state.power + ((season[place] + counted) ** 2 - state.power) / SPAN
    return state._replace(
        season=tuple(season), passes=passes, power=power, trend=trend, remainder=rest,
        score=rest / state.rest, rest=scale_after(state.rest, rest, most, state.floor),
        scale=scale_after(state.scale, error, SIGMAS * state.scale * doublings, state.floor))


def after_gap(state):
    passes = trend_after(state.passes, state.slope, state.scale, 0.0, 0.0)
    return state._replace(passes=passes, trend=passes[-1].last, remainder=NAN, score=NAN, run=0,
                          strange=(False,) * RECENT)


def added(state, y, period, init):
    """y None: a gap."""
    y = NAN if y is None else y
    if not state.live:
        collected = state.collected + (y,)
        return begun(collected, period) if len(collected) == init \
            else state._replace(collected=collected)
    scale, y = state.scale, y / state.unit
    state = after_gap(state) if not abs(y) <= 1e100 else after_point(state, y, period)
    last = state.passes[-1]
    off = max(-state.scale / 2, min(state.scale / 2, last.last - last.before - state.slope))
    return state._replace(slope=state.slope + off / max(period, 16),
                          phase=(state.phase + 1) % period)


def forecast_units(state, period, h=1):
    return state.passes[-1].last + state.slope * h \
        + state.season[(state.phase + state.shift + h - 1) % period]


# ---- buckets of events

SECOND = 1_000_000
SPARE = 3
TAKES = ["trend", "seasonal", "remainder", "z", "strength", "open"]
memory = {}


def state_of(values, period, init):
    """After these values; remembered, because the next question is about one value more."""
    state, known = NEW, 0
    for n in range(len(values), 0, -1):
        if (values[:n], period, init) in memory:
            state, known = memory[(values[:n], period, init)], n
            break
    for n in range(known, len(values)):
        state = memory[(values[:n + 1], period, init)] = added(state, values[n], period, init)
    return state


class Buckets:
    """One entity's, out of all its (time, number) in the order in which they came."""

    def __init__(self, width, lateness, fold, zeros, silent):
        self.width, self.fold, self.zeros, self.silent = width, fold, zeros, silent
        self.lateness, self.seen = lateness, 0
        self.open = -(-lateness // width) + 1 + SPARE
        self.fed, self.numbers, self.newest, self.front = (), {}, None, None

    def value(self, bucket):
        numbers = self.numbers.get(bucket, [])
        if not numbers:
            return 0.0 if self.zeros else None
        total = 0.0
        for number in numbers:
            total += number
        return {"sum": total, "count": float(len(numbers)), "mean": total / len(numbers)}[self.fold]

    def add(self, time, number):
        bucket = time // self.width
        if self.newest is None or bucket - self.newest // self.width > self.silent:
            self.fed, self.numbers, self.newest, self.front = (), {}, time, bucket
        if bucket < self.front:
            if self.fed or self.newest // self.width - bucket >= self.open:
                return
            self.front = bucket
        self.newest = max(self.newest, time)
        newest = self.newest // self.width
        if newest - self.front >= self.open:
            limit = max((self.newest - self.lateness) // self.width, newest - self.open + 1)
            self.fed += tuple(self.value(b) for b in range(self.front, limit))
            self.front = limit
        self.numbers.setdefault(bucket, []).append(number)

    def read(self, time, own, period, init):
        """The six columns; own: the event's number, or None."""
        bucket = time // self.width
        if self.newest is None or bucket - self.newest // self.width > self.silent \
                or not state_of(self.fed, period, init).live:
            return [NAN] * 6
        state = state_of(self.fed + tuple(self.value(b) for b in range(self.front, bucket)), period,
                         init)
        last = state.season[(state.phase + state.shift - 1) % period]
        has = Buckets(self.width, 0, self.fold, self.zeros, 0)
        has.numbers = {0: self.numbers.get(bucket, []) + ([own] if own is not None else [])}
        has.zeros = self.fold != "mean" or self.zeros
        share = 1.0 if self.fold == "mean" else (time % self.width) / self.width
        left = state.rest ** 2 / state.power if state.power > 0 else math.inf
        # Of a live state that was fed nothing yet the last point is the last one collected.
        return [state.passes[-1].last * state.unit, last * state.unit, state.remainder * state.unit,
                state.score, 1 - left if left < 1 else 0.0,
                (NAN if has.value(0) is None else has.value(0))
                - share * forecast_units(state, period) * state.unit]
