/* Which topics a transaction cannot write to: see struct txn_topics. */
#include "ingest/sink_kafka_internal.h"

enum { AGAIN_US = 1000 * 1000 };

enum channel txn_topics_probed(const struct txn_topics *topics)
{
    return (enum channel)__builtin_ctz(topics->unknown);
}

bool txn_topics_refused(const struct txn_topics *topics, enum channel channel, int64_t now)
{
    return topics->refused_until[channel] > 0 && now < topics->refused_until[channel];
}

/* Which topic and which rows it is, nobody tells. */
static bool some_topic_is_refused(const struct sink_kafka_txn *txn)
{
    return !txn->found_out && txn->code && sink_kafka_fate(txn->code) == FATE_REFUSED;
}

/* All channels in question were tried. Rows of the guilty ones will be refused as they come again;
 * no guilty one: it has been mended meanwhile, or it is something else. */
static void judge(struct txn_topics *topics, int64_t now)
{
    for (unsigned i = 0; i < CHANNEL_COUNT; i++)
        if (topics->guilty >> i & 1)
            topics->refused_until[i] = now + AGAIN_US;
    topics->in_vain = topics->guilty ? 0 : topics->in_vain + 1;
    topics->guilty = 0;
}

/* What an aborted transaction says about topics. */
void txn_topics_learn(struct sink_kafka_txn *txn, int64_t now)
{
    struct txn_topics *topics = &txn->topics;
    bool refused = some_topic_is_refused(txn);
    if (topics->probing) {
        enum channel channel = txn_topics_probed(topics);
        topics->unknown &= topics->unknown - 1;
        topics->guilty |= (unsigned)refused << channel;
        topics->why[channel] = txn->code;
        txn->found_out = true;
    } else if (refused) {
        bool one = __builtin_popcount(topics->used) == 1;
        topics->unknown = one ? 0 : topics->used;
        topics->guilty = one ? topics->used : 0;
        for (unsigned i = 0; i < CHANNEL_COUNT; i++)
            topics->why[i] = txn->code;
        txn->found_out = true;
    } else {
        return;
    }
    topics->probing = topics->unknown != 0;
    if (!topics->probing)
        judge(topics, now);
}
