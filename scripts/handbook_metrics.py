#!/usr/bin/python3
"""Judges scores of card transactions by the protocol of the Fraud Detection Handbook.

    scripts/handbook_metrics.py --scores scores.csv transactions.csv.zst
    scripts/handbook_metrics.py --scores scores.csv --require auc=.87,ap=.63,cp=.29 transactions.csv

Source: Le Borgne, Siblini, Lebichot, Bontempi, "Reproducible Machine Learning for Credit Card Fraud
Detection - Practical Handbook" (https://github.com/Fraud-Detection-Handbook/fraud-detection-handbook),
chapter 3 "Baseline fraud detection system" and chapter 4 "Precision top-k metrics". What the book
calls get_train_test_set and card_precision_top_k is this, day meaning calendar day:

  * A training week from --start, a delay week in which labels are not yet known, a test week. By
    default 2018-07-25..07-31, 08-01..08-07 and 08-08..08-14: 67,240 and 58,264 transactions.
    An online learner does not need the split; it is here because it decides what is tested.
  * A card is known to be defrauded, and all its transactions are left out of a test day, if it had
    a fraud in the training week or on a later day that lies more than the delay before the test
    day.
  * AUC ROC and average precision are taken over all transactions left in the test week.
  * Card precision@k is the mean over test days of: the k cards with the highest score (a card's
    score is the highest of its transactions of the day), the share of them with a fraud that day.
    Cards so detected leave all later days. Where scores tie, the lesser card id goes first.

The book's own models reach, in this week (chapter 3, table "performances"; trained with
scikit-learn on the book's 15 features and judged by this script they give the same figures):

                             AUC     AP      CP@100
    logistic regression      0.871   0.606   0.291
    random forest            0.867   0.658   0.287

Reads of the scores the columns `id` and `score`, of the transactions (.csv or .csv.zst) the columns
TRANSACTION_ID, TX_DATETIME, CUSTOMER_ID and TX_FRAUD. Only Python's standard library and, for .zst,
the zstd program are needed.
"""

import argparse
import collections
import csv
import datetime
import subprocess
import sys

Transaction = collections.namedtuple("Transaction", "id day customer fraud")


def open_table(path):
    """Lines of a CSV file, decompressed on the way where its name ends in .zst."""
    if path.endswith(".zst"):
        return subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE, text=True).stdout
    return open(path, newline="")


def read_columns(path, names):
    """Rows of a CSV file as tuples of the named columns' texts."""
    rows = csv.reader(open_table(path))
    header = next(rows, [])
    for name in names:
        if name not in header:
            sys.exit(f"{path}: there is no column {name}; there are: {', '.join(header)}")
    at = [header.index(name) for name in names]
    for row in rows:
        yield tuple(row[i] for i in at)


def read_transactions(path, first_day, last_day):
    """Transactions of the days first_day..last_day, in the order of the file."""
    first, last = first_day.isoformat(), last_day.isoformat()
    names = ("TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TX_FRAUD")
    for id, time, customer, fraud in read_columns(path, names):
        if first <= time[:10] <= last:
            yield Transaction(id, datetime.date.fromisoformat(time[:10]), customer, int(fraud))


def split(transactions, start, train, delay, test):
    """The training set and the test set; see the head of this file. Lengths are in days."""
    def day(i):
        return start + datetime.timedelta(days=i)

    by_day = collections.defaultdict(list)
    for transaction in transactions:
        by_day[transaction.day].append(transaction)
    training_set = [t for i in range(train) for t in by_day[day(i)]]

    known = {t.customer for t in training_set if t.fraud}
    test_set = []
    for i in range(test):
        known |= {t.customer for t in by_day[day(train + i - 1)] if t.fraud}
        test_set += [t for t in by_day[day(train + delay + i)] if t.customer not in known]
    return training_set, test_set


def groups_of_equal_score(labels, scores):
    """(positives, negatives) for each distinct score, highest score first."""
    counts = collections.defaultdict(lambda: [0, 0])
    for label, score in zip(labels, scores):
        counts[score][0 if label else 1] += 1
    return [counts[score] for score in sorted(counts, reverse=True)]


def auc(labels, scores):
    """The chance that a positive scores above a negative, a tie counting half."""
    won, positives_above = 0.0, 0
    groups = groups_of_equal_score(labels, scores)
    for positives, negatives in groups:
        won += negatives * (positives_above + positives / 2)
        positives_above += positives
    return won / (positives_above * sum(negatives for _, negatives in groups))


def average_precision(labels, scores):
    """Sum over distinct scores of (gain in recall) x precision, without interpolation."""
    total = sum(1 for label in labels if label)
    area, hits, seen = 0.0, 0, 0
    for positives, negatives in groups_of_equal_score(labels, scores):
        hits += positives
        seen += positives + negatives
        area += positives / total * hits / seen
    return area


def card_precision(test_set, scores, k):
    """Precision of each test day's k highest cards; cards found on a day leave the later ones."""
    days = collections.defaultdict(list)
    for transaction, score in zip(test_set, scores):
        days[transaction.day].append((transaction, score))
    found = set()
    precisions = []
    for day in sorted(days):
        best, fraud = {}, set()
        for transaction, score in days[day]:
            if transaction.customer in found:
                continue
            best[transaction.customer] = max(score, best.get(transaction.customer, score))
            if transaction.fraud:
                fraud.add(transaction.customer)
        top = sorted(best, key=lambda customer: (-best[customer], len(customer), customer))[:k]
        detected = fraud.intersection(top)
        precisions.append(len(detected) / k)
        found |= detected
    return precisions


def parse_requirements(text):
    """{"auc": 0.87, ...} from "auc=.87,ap=.63,cp=.29"."""
    wanted = {}
    for part in text.split(",") if text else []:
        name, _, value = part.partition("=")
        if name not in ("auc", "ap", "cp"):
            sys.exit(f"--require: unknown figure {name!r}; there are auc, ap and cp")
        wanted[name] = float(value)
    return wanted


def main():
    parser = argparse.ArgumentParser(
        description="Judges scores by the protocol of the Fraud Detection Handbook.")
    parser.add_argument("transactions", help="the handbook's table, .csv or .csv.zst")
    parser.add_argument("--scores", required=True, help="CSV with the columns id and score")
    parser.add_argument("--start", default="2018-07-25", help="first day of training")
    parser.add_argument("--train", type=int, default=7, help="days of training")
    parser.add_argument("--delay", type=int, default=7, help="days until a label is known")
    parser.add_argument("--test", type=int, default=7, help="days of test")
    parser.add_argument("--k", type=int, default=100, help="cards looked at a day")
    parser.add_argument("--require", default="", help="least figures, such as auc=.87,ap=.63,cp=.29")
    args = parser.parse_args()

    start = datetime.date.fromisoformat(args.start)
    last = start + datetime.timedelta(days=args.train + args.delay + args.test - 1)
    _, test_set = split(read_transactions(args.transactions, start, last), start, args.train,
                        args.delay, args.test)
    wanted_ids = {transaction.id for transaction in test_set}
    score_of = {id: float(score) for id, score in read_columns(args.scores, ("id", "score"))
                if id in wanted_ids}
    missing = len(wanted_ids) - len(score_of)
    if missing or not test_set:
        sys.exit(f"{args.scores}: {missing} of {len(wanted_ids)} test transactions have no score")

    labels = [transaction.fraud for transaction in test_set]
    scores = [score_of[transaction.id] for transaction in test_set]
    precisions = card_precision(test_set, scores, args.k)
    figures = {"auc": auc(labels, scores), "ap": average_precision(labels, scores),
               "cp": sum(precisions) / len(precisions)}
    first_test_day = start + datetime.timedelta(days=args.train + args.delay)
    print(f"test {first_test_day}..{last}: {len(test_set)} transactions, {sum(labels)} frauds")
    print(f"AUC ROC              {figures['auc']:.4f}")
    print(f"average precision    {figures['ap']:.4f}")
    print(f"card precision@{args.k:<5} {figures['cp']:.4f}   by day: "
          + " ".join(f"{precision:.2f}" for precision in precisions))
    short = {name: least for name, least in parse_requirements(args.require).items()
             if figures[name] < least}
    for name, least in short.items():
        print(f"too low: {name} is {figures[name]:.4f}, at least {least} is required")
    sys.exit(1 if short else 0)


if __name__ == "__main__":
    main()
