/* online/endpoint/tls.h -- TLS 1.2 and later, with or without certificates of clients. */
#ifndef ONLINE_ENDPOINT_TLS_H
#define ONLINE_ENDPOINT_TLS_H

#include <openssl/ssl.h>

#include "online/endpoint/endpoint.h"

/* ST_EINVAL: error says which file is wrong, and how. */
STATUS_CHECKED enum status tls_open(const struct endpoint_tls *options, struct buf *error,
                                    SSL_CTX **ret);
/* The one protocol that is spoken on this connection, as ALPN names it; a static text. */
void tls_set_protocol(SSL *ssl, const char *protocol);

#endif
