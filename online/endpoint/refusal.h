/*
 * online/endpoint/refusal.h -- what is refused, and as what in both protocols.
 */
#ifndef ONLINE_ENDPOINT_REFUSAL_H
#define ONLINE_ENDPOINT_REFUSAL_H

enum refusal {
    REFUSED_NOT,
    REFUSED_INVALID,
    REFUSED_TOKEN,     /* none, or none that is known */
    REFUSED_SCOPE,     /* known, but not for this */
    REFUSED_NOT_FOUND, /* no such model, version or path */
    REFUSED_UNLOADED,  /* the model is there, and not served */
    REFUSED_METHOD,
    REFUSED_TOO_LARGE,
    REFUSED_FULL, /* come again later */
    REFUSED_LATE, /* its deadline has passed */
    REFUSED_UNAVAILABLE,
    REFUSED_INTERNAL,
    REFUSALS
};

struct refusal_codes {
    int http;
    int grpc;
    const char *reason; /* of the HTTP status */
};
extern const struct refusal_codes refusal_codes[REFUSALS]; /* call.c */

#endif
