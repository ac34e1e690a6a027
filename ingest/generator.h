/*
 * ingest/generator.h -- made-up events and their labels: card payments, or ads and clicks.
 *
 * Payments follow the simulator of Le Borgne, Siblini, Lebichot and Bontempi, "Reproducible Machine
 * Learning for Credit Card Fraud Detection" (2022), chapter 3: customers and terminals in a square
 * of 100 by 100, customers with habits of their own who pay at terminals nearby, and three kinds of
 * fraud: (1) amounts over 220; (2) two terminals a day are broken into and all that is paid there
 * in the next 28 days is fraud; (3) three customers a day lose their card number, and a third of
 * their payments of the next 14 days are five times as high and fraud. From `change_day` on, where
 * one is given, thieves do the opposite: (1) amounts below 1.00 are fraud, and what is paid with a
 * lost number is a fifth as high.
 *
 * Impressions are shown at a steady rate to users who differ in how much they browse and like; a
 * click has a probability that is logistic in hidden factors of user, ad, site and their match, and
 * comes minutes later.
 *
 *     struct generator_options options = generator_defaults(GENERATOR_PAYMENTS);
 *     TRY(generator_create(&options, &generator));
 *     while (generator_next(generator, &made))
 *         generator_write_json(&made, false, &line);
 *
 * Events and labels come in one stream in order of time, a label before an event of its instant.
 * The same options give the same bytes everywhere. Memory: about 40 bytes a customer or terminal,
 * one day's payments, and 24 bytes a label that is not known yet. Cost: 0.7 us an event, 1 us an
 * impression.
 */
#ifndef INGEST_GENERATOR_H
#define INGEST_GENERATOR_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"

enum generator_kind { GENERATOR_PAYMENTS, GENERATOR_IMPRESSIONS };

struct generator_options {
    enum generator_kind kind;
    uint64_t seed;
    int64_t start;       /* us since 1970; payments: taken back to midnight UTC */
    int64_t days;        /* how long events go on; 0: without end */
    int64_t label_delay; /* us: a fraud is reported this long after the payment; a click comes this
                            long after the impression, on average */
    bool label_all;      /* payments: the honest ones are labelled too, with 0 */

    int64_t change_day; /* payments: the first day on which fraud is another; 0: it never is */
    uint32_t customers; /* payments: about 1.94 a day each, as they live near terminals */
    uint32_t terminals;
    double radius; /* how far a customer goes to a terminal */

    double rate; /* impressions: a second */
    uint32_t users, ads, sites;
    double skew; /* of all three: rank k has weight 1 / k^skew; 0 to 20 */
};

/* The handbook's numbers (seed 0; 5,000 customers, 10,000 terminals, 183 days from 2018-04-01), or
 * a week of 20 impressions a second for 100,000 users, 1,000 ads and 500 sites. */
struct generator_options generator_defaults(enum generator_kind kind);

struct payment {
    uint32_t customer;
    uint32_t terminal;
    int64_t cents;
    int scenario; /* 0: honest; 1 to 3: the kind of fraud */
};

struct impression {
    uint32_t user, ad, site;
    int device;   /* index of "mobile", "desktop", "tablet", "tv" */
    int hour;     /* of the day, UTC */
    int position; /* on the page, 1 to 5 */
};

struct generated {
    enum generator_kind kind;
    bool is_label;
    int64_t time; /* us; of a label: when it is known */
    uint64_t id;  /* events are numbered from 0 in order of time; labels bear their event's */
    int label;    /* of an event: what will turn out */
    union {       /* events only */
        struct payment payment;
        struct impression impression;
    };
};

struct generator;

/* Returns ST_EINVAL for a count or rate of 0, a negative number, a radius over 50, a skew out of
 * bounds or more than 2^24 customers, terminals, ads or sites; ST_ENOMEM. */
STATUS_CHECKED enum status generator_create(const struct generator_options *options,
                                            struct generator **ret);
void generator_free(struct generator *generator);

/* False at the end: the last label follows the last event. */
bool generator_next(struct generator *generator, struct generated *ret);

/* Appends one JSON object without a line end. Payments have the keys TRANSACTION_ID, TX_DATETIME,
 * CUSTOMER_ID, TERMINAL_ID, TX_AMOUNT; impressions id, time, user, ad, site, device, hour,
 * position; labels id (or TRANSACTION_ID), clicked (or TX_FRAUD) and time. with_label: events carry
 * theirs too, as TX_FRAUD and TX_FRAUD_SCENARIO, or clicked. */
void generator_write_json(const struct generated *made, bool with_label, struct buf *ret);

/* Appends one CSV row and its line end: TRANSACTION_ID, TX_DATETIME, CUSTOMER_ID, TERMINAL_ID,
 * TX_AMOUNT, TX_FRAUD, TX_FRAUD_SCENARIO, or id, time, user, ad, site, device, hour, position,
 * clicked. Labels have no rows of their own: nothing is written for one. */
void generator_write_csv(const struct generated *made, struct buf *ret);
void generator_write_csv_header(enum generator_kind kind, struct buf *ret);

#endif
