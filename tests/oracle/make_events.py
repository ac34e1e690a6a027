#!/usr/bin/python3
"""Writes a CSV of made-up payments that has what trips up feature code: events of one instant, late
ones, too late ones, missing values, names with commas, quotes and letters beyond ASCII, entities seen
once and entities seen all the time, labels that are missing. The same rows for the same seed.

    tests/oracle/make_events.py --rows 6000 --seed 1 >events.csv
"""

import argparse
import csv
import random
import sys

SHOP_NAMES = ['"Zum Löwen"', "Bits, Bytes & Co", "7", "007", "shop", "Ø", "a" * 80]
HOUR = 3600


def skewed(rng, n):
    """An index below n; low ones are common, high ones rare."""
    return min(int(rng.paretovariate(0.7)) - 1, n - 1) if rng.random() < 0.5 else rng.randrange(n)


def timestamp(seconds, rng):
    """Milliseconds as epoch_ms text, at times a whole second so that events meet."""
    return str(seconds * 1000 + (0 if rng.random() < 0.5 else rng.randrange(1000)))


def main():
    parser = argparse.ArgumentParser(description="Made-up payments for the oracle's comparison.")
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=1_700_000_000, help="seconds since 1970")
    args = parser.parse_args()

    rng = random.Random(args.seed)
    shops = SHOP_NAMES + [f"S{i}" for i in range(60)]
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["ID", "TIME", "CARD", "SHOP", "COUNTRY", "NOTE", "AMOUNT", "FRAUD"])
    now = args.start
    for i in range(args.rows):
        # Bursts within one second, quiet hours between: 6,000 rows are about 40 days.
        now += 0 if rng.random() < 0.3 else int(rng.expovariate(1 / 800))
        late = rng.random()
        seconds = now - rng.randrange(2 * HOUR) if late < 0.03 else now
        seconds = now - 30 * HOUR if late < 0.002 else seconds
        card = skewed(rng, 300)
        amount = round(rng.lognormvariate(3, 1) * (1 + card % 7), 2)
        fraud = int(rng.random() < (0.3 if card % 29 == 3 else 0.02))
        out.writerow([
            f"id-{i}",
            timestamp(seconds, rng),
            "" if rng.random() < 0.01 else card,
            "" if rng.random() < 0.01 else shops[skewed(rng, len(shops))],
            rng.choice(["DE", "FR", "CH", "é", ""]),
            "said \"no\", then yes\nand left" if rng.random() < 0.01 else "",
            "" if rng.random() < 0.02 else f"{-amount if rng.random() < 0.05 else amount}",
            "" if rng.random() < 0.02 else fraud,
        ])


if __name__ == "__main__":
    main()
