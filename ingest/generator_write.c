#include "ingest/generator.h"

#include "base/number.h"
#include "base/timefmt.h"
#include "ingest/event.h"

static const char *const devices[] = {"mobile", "desktop", "tablet", "tv"};

/* A key or a separator, then a number. */
static void put_int(struct buf *out, const char *before, int64_t v)
{
    buf_text(out, before);
    buf_int(out, v);
}

static void put_cents(struct buf *out, const char *before, int64_t cents)
{
    put_int(out, before, cents / 100);
    buf_byte(out, '.');
    buf_byte(out, (uint8_t)('0' + cents / 10 % 10));
    buf_byte(out, (uint8_t)('0' + cents % 10));
}

/* RFC 3339; or, as the handbook's table has it, without the T and the Z. */
static void put_time(struct buf *out, const char *before, int64_t time, bool is_payment)
{
    char text[32];
    size_t len = time_format(time, text);
    if (is_payment) {
        text[10] = ' ';
        len = 19;
    }
    buf_text(out, before);
    buf_append(out, text, len);
}

static void write_label(const struct generated *made, struct buf *out)
{
    bool is_payment = made->kind == GENERATOR_PAYMENTS;
    put_int(out, is_payment ? "{\"TRANSACTION_ID\":" : "{\"id\":", (int64_t)made->id);
    put_int(out, is_payment ? ",\"TX_FRAUD\":" : ",\"clicked\":", made->label);
    put_time(out, ",\"time\":\"", made->time, is_payment);
    buf_text(out, "\"}");
}

static void write_payment(const struct generated *made, bool with_label, struct buf *out)
{
    const struct payment *payment = &made->payment;
    put_int(out, "{\"TRANSACTION_ID\":", (int64_t)made->id);
    put_time(out, ",\"TX_DATETIME\":\"", made->time, true);
    put_int(out, "\",\"CUSTOMER_ID\":", payment->customer);
    put_int(out, ",\"TERMINAL_ID\":", payment->terminal);
    put_cents(out, ",\"TX_AMOUNT\":", payment->cents);
    if (with_label) {
        put_int(out, ",\"TX_FRAUD\":", made->label);
        put_int(out, ",\"TX_FRAUD_SCENARIO\":", payment->scenario);
    }
    buf_byte(out, '}');
}

static void write_impression(const struct generated *made, bool with_label, struct buf *out)
{
    const struct impression *shown = &made->impression;
    put_int(out, "{\"id\":", (int64_t)made->id);
    put_time(out, ",\"time\":\"", made->time, false);
    put_int(out, "\",\"user\":\"u", shown->user);
    put_int(out, "\",\"ad\":\"a", shown->ad);
    put_int(out, "\",\"site\":\"s", shown->site);
    buf_text(out, "\",\"device\":\"");
    buf_text(out, devices[shown->device]);
    put_int(out, "\",\"hour\":", shown->hour);
    put_int(out, ",\"position\":", shown->position);
    if (with_label)
        put_int(out, ",\"clicked\":", made->label);
    buf_byte(out, '}');
}

void generator_write_json(const struct generated *made, bool with_label, struct buf *ret)
{
    if (made->is_label)
        write_label(made, ret);
    else if (made->kind == GENERATOR_PAYMENTS)
        write_payment(made, with_label, ret);
    else
        write_impression(made, with_label, ret);
}

static void write_payment_row(const struct generated *made, struct buf *out)
{
    const struct payment *payment = &made->payment;
    put_int(out, "", (int64_t)made->id);
    put_time(out, ",", made->time, true);
    put_int(out, ",", payment->customer);
    put_int(out, ",", payment->terminal);
    put_cents(out, ",", payment->cents);
    put_int(out, ",", made->label);
    put_int(out, ",", payment->scenario);
}

static void write_impression_row(const struct generated *made, struct buf *out)
{
    const struct impression *shown = &made->impression;
    put_int(out, "", (int64_t)made->id);
    put_time(out, ",", made->time, false);
    put_int(out, ",u", shown->user);
    put_int(out, ",a", shown->ad);
    put_int(out, ",s", shown->site);
    buf_byte(out, ',');
    buf_text(out, devices[shown->device]);
    put_int(out, ",", shown->hour);
    put_int(out, ",", shown->position);
    put_int(out, ",", made->label);
}

void generator_write_csv(const struct generated *made, struct buf *ret)
{
    if (made->is_label)
        return;
    if (made->kind == GENERATOR_PAYMENTS)
        write_payment_row(made, ret);
    else
        write_impression_row(made, ret);
    buf_byte(ret, '\n');
}

void generator_write_csv_header(enum generator_kind kind, struct buf *ret)
{
    buf_text(ret, kind == GENERATOR_PAYMENTS
                      ? "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD,"
                        "TX_FRAUD_SCENARIO\n"
                      : "id,time,user,ad,site,device,hour,position,clicked\n");
}
