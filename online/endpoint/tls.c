#include "online/endpoint/tls.h"

#include <openssl/err.h>

static enum status refuse(struct buf *error, const char *what, const char *path)
{
    unsigned long why = ERR_peek_last_error();
    const char *reason = why ? ERR_reason_error_string(why) : NULL;
    buf_printf(error, "tls: %s %s: %s", what, path, reason ? reason : "not usable");
    ERR_clear_error();
    return ST_EINVAL;
}

/* ALPN, RFC 7301. Each port speaks one protocol: who offers others as well is told which, and who
 * offers only others is told nothing and will not be understood. */
static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                           const unsigned char *offered, unsigned n, void *arg)
{
    const char *ours = SSL_get_app_data(ssl);
    size_t len = ours ? strlen(ours) : 0;
    (void)arg;
    for (unsigned at = 0; ours && at < n; at += 1U + offered[at]) {
        if (offered[at] != len || n - at - 1 < len || memcmp(offered + at + 1, ours, len) != 0)
            continue;
        *ret = offered + at + 1;
        *ret_len = (unsigned char)len;
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

void tls_set_protocol(SSL *ssl, const char *protocol)
{
    SSL_set_app_data(ssl, (void *)(uintptr_t)protocol);
}

static enum status read_files(SSL_CTX *tls, const struct endpoint_tls *options, struct buf *error)
{
    const char *key = options->key ? options->key : options->certificate;
    if (SSL_CTX_use_certificate_chain_file(tls, options->certificate) != 1)
        return refuse(error, "certificate", options->certificate);
    if (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(tls) != 1)
        return refuse(error, "key", key);
    if (!options->clients)
        return ST_OK;
    if (SSL_CTX_load_verify_locations(tls, options->clients, NULL) != 1)
        return refuse(error, "clients", options->clients);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return ST_OK;
}

enum status tls_open(const struct endpoint_tls *options, struct buf *error, SSL_CTX **ret)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (!tls)
        return ST_ENOMEM;
    static const unsigned char sessions[] = "freshet";
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(tls, sessions, sizeof sessions - 1);
    SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
    enum status st = read_files(tls, options, error);
    if (st < 0) {
        SSL_CTX_free(tls);
        return st;
    }
    *ret = tls;
    return ST_OK;
}
