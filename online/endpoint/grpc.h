/*
 * online/endpoint/grpc.h -- the protocol over gRPC: HTTP/2 by nghttp2, messages by protobuf-c.
 *
 * What GRPCInferenceService has of ServerLive, ServerReady, ModelReady, ServerMetadata,
 * ModelMetadata, RepositoryIndex, ModelInfer and ModelStreamInfer; health as grpc.health.v1 has it,
 * and reflection.
 */
#ifndef ONLINE_ENDPOINT_GRPC_H
#define ONLINE_ENDPOINT_GRPC_H

struct worker;

/* A connection that was accepted. */
void grpc_accept(struct worker *worker, int fd);
/* Sends what calls that came back have left to be sent. */
void grpc_flush(struct worker *worker);
/* Ends streams whose deadlines have passed. */
void grpc_expire(struct worker *worker);
/* What a worker keeps for gRPC. */
void grpc_done(struct worker *worker);

#endif
