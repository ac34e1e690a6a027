/* What the services are: the files they were made from, as protoc read them. */
#include "online/endpoint/grpc_internal.h"
#include "reflection.pb-c.h"

extern const char endpoint_descriptors[]; /* a FileDescriptorSet */
extern const size_t endpoint_descriptors_len;

typedef Grpc__Reflection__V1__ServerReflectionRequest request_message;
typedef Grpc__Reflection__V1__ServerReflectionResponse response_message;

static const struct {
    const char *package; /* of what is in the file */
    const char *file;
    const char *service;
} files[] = {{"inference.", "inference.proto", "inference.GRPCInferenceService"},
             {"grpc.health.v1.", "health.proto", "grpc.health.v1.Health"},
             {"grpc.reflection.v1.", "reflection.proto", "grpc.reflection.v1.ServerReflection"}};
enum { FILES = sizeof files / sizeof *files };

/* The i-th of the set: {1: bytes} repeated. */
static ProtobufCBinaryData descriptor(size_t i)
{
    struct reader in = reader_of((struct slice){endpoint_descriptors, endpoint_descriptors_len});
    ProtobufCBinaryData found = {0};
    for (size_t at = 0; at <= i; at++) {
        read_byte(&in);
        size_t len = read_varint(&in);
        found = (ProtobufCBinaryData){len, (uint8_t *)(uintptr_t)read_bytes(&in, len)};
    }
    return found;
}

static size_t find_file(const char *name)
{
    size_t i = 0;
    while (i < FILES && strcmp(files[i].file, name) != 0)
        i++;
    return i;
}

static size_t find_symbol(const char *symbol)
{
    size_t i = 0;
    while (i < FILES && strncmp(files[i].package, symbol, strlen(files[i].package)) != 0)
        i++;
    return i;
}

static void reply_file(struct grpc_stream *stream, response_message *out, size_t file)
{
    Grpc__Reflection__V1__FileDescriptorResponse found =
        GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
    Grpc__Reflection__V1__ErrorResponse none = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;
    ProtobufCBinaryData bytes;
    if (file < FILES) {
        bytes = descriptor(file);
        found.n_file_descriptor_proto = 1;
        found.file_descriptor_proto = &bytes;
        out->message_response_case =
            GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
        out->file_descriptor_response = &found;
    } else {
        none.error_code = refusal_codes[REFUSED_NOT_FOUND].grpc;
        none.error_message = (char *)(uintptr_t) "there is no such file or symbol";
        out->message_response_case =
            GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
        out->error_response = &none;
    }
    grpc_reply(stream, &out->base);
    out->file_descriptor_response = NULL; /* they end here */
}

static void reply_list(struct grpc_stream *stream, response_message *out)
{
    Grpc__Reflection__V1__ListServiceResponse all =
        GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
    Grpc__Reflection__V1__ServiceResponse items[FILES], *list[FILES];
    for (size_t i = 0; i < FILES; i++) {
        items[i] =
            (Grpc__Reflection__V1__ServiceResponse)GRPC__REFLECTION__V1__SERVICE_RESPONSE__INIT;
        items[i].name = (char *)(uintptr_t)files[i].service;
        list[i] = &items[i];
    }
    all.n_service = FILES;
    all.service = list;
    out->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    out->list_services_response = &all;
    grpc_reply(stream, &out->base);
    out->list_services_response = NULL; /* it ends here */
}

void grpc_take_reflection(struct grpc_stream *stream, struct call *call, struct slice message)
{
    response_message out = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
    request_message *in = grpc_unpack(
        stream, call, &grpc__reflection__v1__server_reflection_request__descriptor, message);
    if (in) {
        out.valid_host = in->host;
        out.original_request = in;
        if (in->message_request_case ==
            GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES)
            reply_list(stream, &out);
        else if (in->message_request_case ==
                 GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME)
            reply_file(stream, &out, find_file(in->file_by_filename));
        else if (
            in->message_request_case ==
            GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL)
            reply_file(stream, &out, find_symbol(in->file_containing_symbol));
        else
            reply_file(stream, &out, FILES);
        stream->call = NULL;
    }
    call_give(call);
}
